"""Questions to Airflow's database: on Airflow 2, and in processes without a supervisor.

Airflow's own ``Variable.get`` takes a failing database for an empty one.
"""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.airflow_facts.fact import Fact, Is, IsNot, Unknown, unknown_on_error


@unknown_on_error
def variable(key: str) -> Fact[str]:
    """Return a Variable. One that cannot be decrypted is unknown."""
    from airflow.models.variable import Variable as Row
    from airflow.secrets.metastore import MetastoreBackend
    from airflow.utils.session import create_session

    value = MetastoreBackend().get_variable(key)
    with create_session() as session:
        is_there = value is not None or session.query(Row.key).filter(Row.key == key).one_or_none() is not None
    if isinstance(value, str):
        return Is(value)
    return Unknown("its value cannot be decrypted") if is_there else IsNot()


@unknown_on_error
def put(key: str, value: str, description: str) -> None:
    """Write a Variable; return why it could not be written, if it could not."""
    from airflow.models.variable import Variable as Row

    Row.set(key, value, description=description)


@unknown_on_error
def delete(key: str) -> IsNot:
    """Delete a Variable, if there is one."""
    from airflow.models.variable import Variable as Row

    Row.delete(key)
    return IsNot()


@unknown_on_error
def task_state(task: Any) -> Fact[str | None]:
    """Return the state of an Airflow task."""
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    named = {name: getattr(task, name) for name in ("dag_id", "task_id", "run_id", "map_index")}
    with create_session() as session:
        row = session.query(TaskInstance.state).filter_by(**named).one_or_none()
    return IsNot() if row is None else Is(row[0])
