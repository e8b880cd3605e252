"""What benchmarks read from the database of the Airflow that they run.

Airflow is imported only inside of the functions: importing it before Airflow's own processes have started would write
another ``airflow.cfg``, with other secrets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any


def rows(*columns: Any, where: Sequence[Any] = ()) -> Sequence[Any]:
    """Return columns of Airflow's tables as rows.

    Args:
        *columns: Attributes of Airflow's models.
        where: Conditions that a row must meet.
    """
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.execute(select(*columns).where(*where)).all()


def known_dags() -> set[str]:
    """Return the ids of the DAGs that Airflow has parsed; exit if a DAG file cannot be imported."""
    from airflow.models.dag import DagModel
    from airflow.models.errors import ParseImportError

    if errors := rows(ParseImportError.stacktrace):
        raise SystemExit(f"The DAGs cannot be imported:\n{errors[0][0]}")
    return {dag_id for (dag_id,) in rows(DagModel.dag_id)}


def triggerers() -> list[int]:
    """Return the job ids of all triggerers that have ever run."""
    from airflow.jobs.job import Job

    return [id_ for id_, kind in rows(Job.id, Job.job_type) if kind == "TriggererJob"]


def states(dag_id: str | None = None) -> Counter[str]:
    """Return how many task instances are in each state.

    Args:
        dag_id: Count those of this DAG only.
    """
    from airflow.models.taskinstance import TaskInstance

    where = [] if dag_id is None else [TaskInstance.dag_id == dag_id]
    return Counter(str(state) for (state,) in rows(TaskInstance.state, where=where))


def results(dag_id: str | None = None) -> dict[tuple[str, int], Any]:
    """Return what task instances have returned, by task id and map index.

    Args:
        dag_id: Return those of this DAG only.
    """
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    chosen = {"key": "return_value"} | ({} if dag_id is None else {"dag_id": dag_id})
    with create_session() as session:
        return {
            (row.task_id, row.map_index): XComModel.deserialize_value(row)
            for row in session.query(XComModel).filter_by(**chosen)
        }
