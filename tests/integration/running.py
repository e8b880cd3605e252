"""Runs a DAG in this process, as `airflow dags test` does, and reads its results from Airflow's database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from airflow import settings
from airflow.utils.session import create_session
from results import returned_by, states_of

from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:  # before Airflow 3.2
    from airflow.models.dagbag import DagBag

DAGS = Path(__file__).parent / "dags"
FOLDERS = (DAGS, Path(__file__).parents[2] / "example_dags")


def run_dag(
    dag_id: str,
    conf: dict[str, Any] | None = None,
    *,
    file: Path | None = None,
    logical_date: datetime | None = None,
) -> dict[str, str]:
    """Run a DAG to its end.

    Args:
        dag_id: The DAG.
        conf: The run's configuration.
        file: The DAG's file; by default, the file of that name among the examples and the tests' own DAGs.
        logical_date: The run's logical date; by default, now.

    Returns:
        The state of each task; a mapped task's id carries its index, as in ``wait[0]``.
    """
    # dag.test leaves its session open, and a failed one would fail every later run.
    settings.Session.remove()
    date = {"execution_date" if AIRFLOW_VERSION < (3, 0) else "logical_date": logical_date} if logical_date else {}
    with _exceptions_in_contexts():
        dag_run = _only_dag(dag_id, file or _file_of(dag_id)).test(run_conf=conf, **date)
    with create_session() as session:
        return states_of(dag_run, session)


@contextmanager
def _exceptions_in_contexts() -> Iterator[None]:
    """Put a failed task's exception into its context, as a worker does; dag.test of Airflow 3.0 to 3.2 does not."""
    if not (3, 0) <= AIRFLOW_VERSION < (3, 3):
        yield
        return
    from airflow.sdk.execution_time import task_runner

    def finalize(ti: Any, state: Any, context: Any, log: Any, error: BaseException | None = None) -> None:
        context["exception"] = error
        really_finalize(ti, state, context, log, error)

    really_finalize = task_runner.finalize
    with patch.object(task_runner, "finalize", finalize):
        yield


def _file_of(dag_id: str) -> Path:
    (file,) = (file for folder in FOLDERS if (file := folder / f"{dag_id}.py").is_file())
    return file


def _only_dag(dag_id: str, file: Path) -> Any:
    """Return the DAG of a file, after making it the only file of the DAG folder: dag.test parses the whole folder."""
    dags = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    shutil.rmtree(dags, ignore_errors=True)
    dags.mkdir()
    shutil.copy(file, dags)
    bag = DagBag()
    assert not bag.import_errors, bag.import_errors
    return bag.dags[dag_id]


def returned(dag_id: str) -> dict[str, Any]:
    """Return what each task of the DAG returned, from Airflow's database."""
    with create_session() as session:
        return returned_by(dag_id, session)
