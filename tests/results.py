"""Reads what runs of DAGs left in Airflow's database."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

try:
    from airflow.models.xcom import XComModel as XCom

    _decoded = XCom.deserialize_value
except ImportError:  # Airflow 2, where a row decodes its value when it is loaded
    from airflow.models.xcom import XCom

    _decoded = attrgetter("value")


def states_of(dag_run: Any, session: Any) -> dict[str, str]:
    """Return the state of each task of a run, by :func:`named`."""
    return {named(task.task_id, task.map_index): str(task.state) for task in tasks_of(dag_run, session)}


def tasks_of(dag_run: Any, session: Any) -> list[Any]:
    """Return the rows of a run's tasks."""
    rows: list[Any] = dag_run.get_task_instances(session=session)
    return rows


def xcoms_of(dag_id: str, session: Any) -> dict[str, dict[str, Any]]:
    """Return what each task of a DAG put into XCom, by the task (:func:`named`) and the key."""
    found: dict[str, dict[str, Any]] = {}
    for row in session.query(XCom).filter_by(dag_id=dag_id):
        found.setdefault(named(row.task_id, row.map_index), {})[row.key] = _decoded(row)
    return found


def returned_by(dag_id: str, session: Any, run_id: str | None = None) -> dict[str, Any]:
    """Return what each task of a DAG, or of one of its runs, returned, by :func:`named`."""
    of_run = {} if run_id is None else {"run_id": run_id}
    rows = session.query(XCom).filter_by(dag_id=dag_id, key="return_value", **of_run).all()
    return {named(row.task_id, row.map_index): _decoded(row) for row in rows}


def named(task_id: str, map_index: int) -> str:
    """Return a task's id, with the index of a mapped one, as in ``wait[0]``."""
    return task_id if map_index < 0 else f"{task_id}[{map_index}]"
