"""Runs a DAG of the DAG folder in this process, as `airflow dags test` does, and reads what it left."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from airflow import settings
from airflow.utils.session import create_session

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag
try:
    from airflow.models.xcom import XComModel as XCom

    decoded = XCom.deserialize_value
except ImportError:  # Airflow 2, where a row decodes its value when it is loaded
    from airflow.models.xcom import XCom

    decoded = attrgetter("value")


def load_dag(dag_id: str) -> Any:
    """Parse the DAG folder, and give one DAG of it."""
    bag = DagBag()
    assert not bag.import_errors, bag.import_errors
    return bag.dags[dag_id]


def run_dag(dag_id: str, conf: dict[str, Any] | None = None) -> dict[str, str]:
    """Run a DAG to its end.

    Returns:
        The state of each task; a mapped task's id carries its index, as in ``wait[0]``.
    """
    # dag.test leaves its session open, and one that failed would fail every run after it.
    settings.Session.remove()
    dag_run = load_dag(dag_id).test(run_conf=conf)
    with create_session() as session:
        tasks = dag_run.get_task_instances(session=session)
        return {named(task.task_id, task.map_index): str(task.state) for task in tasks}


def returned(dag_id: str) -> dict[str, Any]:
    """Read what each task of the DAG returned, from Airflow's database."""
    with create_session() as session:
        rows = session.query(XCom).filter_by(dag_id=dag_id, key="return_value").all()
        return {named(row.task_id, row.map_index): decoded(row) for row in rows}


def named(task_id: str, map_index: int) -> str:
    """Give a task's id, which carries its index if it is a mapped one, as in ``wait[0]``."""
    return task_id if map_index < 0 else f"{task_id}[{map_index}]"
