"""Store XComs from a trigger, without a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from airflow.providers.common.compat.sdk import XCom

from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

# An extra link's XCom must be in Airflow's own database, because Airflow's pages do not ask the XCom backend. Airflow 3
# stores it in the same way when a worker ends. On Airflow 2, the link reads its XCom through the backend.
_set_link = XCom.set if IS_AIRFLOW_2 else XCom._set_xcom_in_db


async def store(task_instance: Any, values: Mapping[str, Any]) -> None:
    """Store XComs of a trigger's task instance.

    Airflow's end events take XComs, too. But Airflow 3 stores these as JSON within a string, and on Airflow 2 an
    error of the XCom backend would end the triggerer.

    Args:
        task_instance: The trigger's task instance.
        values: The values by key.

    Raises:
        Exception: Whatever Airflow's API server, its database or the XCom backend raises.
    """
    for key, value in values.items():
        await _set(XCom.set, task_instance, key, value)


async def store_link(task_instance: Any, key: str, address: str) -> None:
    """Store the address of an extra link.

    Args:
        task_instance: The trigger's task instance.
        key: The ``xcom_key`` of the link.
        address: The address.

    Raises:
        Exception: Whatever Airflow's API server or its database raises.
    """
    await _set(_set_link, task_instance, key, address)


async def _set(method: Callable[..., None], task_instance: Any, key: str, value: Any) -> None:
    # Import here: parsing a DAG file imports this module.
    from asgiref.sync import sync_to_async

    # Use asgiref's thread: from another thread, Airflow before 3.3 mixes its request with the event loop's.
    await sync_to_async(method)(
        key=key,
        value=value,
        dag_id=task_instance.dag_id,
        task_id=task_instance.task_id,
        run_id=task_instance.run_id,
        map_index=task_instance.map_index,
    )
