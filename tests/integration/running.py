"""Runs a DAG of the DAG folder in this process, as `airflow dags test` does, and reads what it left."""

from __future__ import annotations

from typing import Any

from airflow import settings
from airflow.utils.session import create_session
from results import returned_by, states_of

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag


def load_dag(dag_id: str) -> Any:
    """Parse the file of a DAG, which has the DAG's name or holds it among others, and return the DAG."""
    bag = DagBag()
    assert not bag.import_errors, bag.import_errors
    return bag.dags[dag_id]


def run_dag(dag_id: str, conf: dict[str, Any] | None = None) -> dict[str, str]:
    """Run a DAG to its end.

    Returns:
        The state of each task; a mapped task's id carries its index, as in ``wait[0]``.
    """
    # dag.test leaves its session open, and a failed one would fail every later run.
    settings.Session.remove()
    dag_run = load_dag(dag_id).test(run_conf=conf)
    with create_session() as session:
        return states_of(dag_run, session)


def returned(dag_id: str) -> dict[str, Any]:
    """Return what each task of the DAG returned, from Airflow's database."""
    with create_session() as session:
        return returned_by(dag_id, session)
