"""Runs DAGs by the scheduler and the triggerer of a real `airflow standalone`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from airflow import __version__ as airflow_version
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from airflow.utils.session import create_session
from running import named
from sqlalchemy import func
from standalone import running_standalone

IS_AIRFLOW_2 = airflow_version.startswith("2.")


class Scheduler:
    """A running `airflow standalone`.

    Args:
        dag_id: The DAG that it is to run, once.
        log: Its log.
        address: That of its pages.
    """

    def __init__(self, dag_id: str, log: Path, address: str) -> None:
        self.address = address
        self._dag_id = dag_id
        self._log = log
        # The DAG may have run in this database before.
        with create_session() as session:
            self._before = session.query(func.max(DagRun.id)).filter_by(dag_id=dag_id).scalar() or 0

    def run(self, *options: str) -> None:
        """Begin the DAG's run, with options of `airflow dags trigger`."""
        self.until(self._is_known, "the DAG is parsed")
        command = [sys.executable, "-m", "airflow", "dags", "trigger", *options, self._dag_id]
        subprocess.run(command, check=True, capture_output=True)

    def until(self, true: Callable[[], bool], what: str, seconds: float = 240) -> None:
        """Wait until something is true; what does not come true fails the test, with the end of Airflow's log."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, (
                f"Airflow {airflow_version}: not within {seconds} s: {what}. Its tasks: {self.states()}. The end of "
                f"its log:\n{self._log.read_text()[-4000:]}"
            )
            time.sleep(0.5)

    def until_the_run_ends(self) -> str:
        """Wait for the end of the DAG's run; gives its state."""
        self.until(lambda: self._run_state() in ("success", "failed"), "the DAG run ends")
        return self._run_state()

    def until_the_run_succeeds(self) -> None:
        """Wait for the end of the DAG's run; what has failed fails the test, with the ends of its tasks' logs."""
        assert self.until_the_run_ends() == "success", f"{self.states()}\n{self._logs_of_failed_tasks()}"

    def states(self) -> dict[str, str]:
        """Give the state of each task; a mapped task's id carries its index, as in ``wait[0]``."""
        with create_session() as session:
            tasks = [task for run in self._runs(session) for task in run.get_task_instances(session=session)]
            return {named(task.task_id, task.map_index): str(task.state) for task in tasks}

    def tries(self) -> dict[str, int]:
        """Give how often each task was tried."""
        with create_session() as session:
            tasks = self._runs(session).one().get_task_instances(session=session)
            return {named(task.task_id, task.map_index): task.try_number for task in tasks}

    def starts_on_workers(self) -> dict[str, int]:
        """Count the processes of workers for each task; Airflow notes one when it tells that it begins to run."""
        with create_session() as session:
            noted = session.query(Log.task_id, func.count()).filter_by(dag_id=self._dag_id, event="running")
            return dict(noted.group_by(Log.task_id).all())

    def _is_known(self) -> bool:
        with create_session() as session:
            return session.query(DagModel).filter_by(dag_id=self._dag_id).count() > 0

    def _run_state(self) -> str:
        with create_session() as session:
            return str(self._runs(session).one().state)

    def _runs(self, session: Any) -> Any:
        return session.query(DagRun).filter(DagRun.dag_id == self._dag_id, DagRun.id > self._before)

    def _logs_of_failed_tasks(self) -> str:
        logs = Path(os.environ["AIRFLOW_HOME"], "logs", f"dag_id={self._dag_id}")
        failed = [task_id for task_id, state in self.states().items() if state != "success"]
        return "\n".join(
            f"{log}:\n{log.read_text()[-4000:]}" for each in failed for log in logs.rglob(f"task_id={each}/*.log")
        )


@contextmanager
def running_scheduler(
    dag_id: str, files: Collection[Path], directory: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Scheduler]:
    """Run `airflow standalone` for the length of the block.

    Args:
        dag_id: The DAG that it is to run.
        files: All that its DAG folder holds.
        directory: Where the folder and the log go.
        environment: Variables besides those of this process.
    """
    dags = directory / "dags"
    dags.mkdir()
    for file in files:
        shutil.copy(file, dags)
    log = directory / "standalone.log"
    folder = {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}
    with running_standalone(log, folder | dict(environment or {})) as address:
        scheduler = Scheduler(dag_id, log, address)
        # A task that starts before there is an API server to talk to fails.
        health = f"{address}{'/health' if IS_AIRFLOW_2 else '/api/v2/monitor/health'}"
        scheduler.until(lambda: _answers(health), "its API server answers")
        yield scheduler


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=10):
            return True
    except OSError:
        return False
