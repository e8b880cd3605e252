"""Whether plugins of this Airflow listen to task instances."""


def has_listeners() -> bool:
    """Return whether there is a listener: Airflow refuses a DAG with ``end_from_trigger`` then.

    Airflow decides by the same answer when it reads a DAG file.
    """
    from airflow.listeners.listener import get_listener_manager

    return bool(get_listener_manager().has_listeners)
