"""Runs a DAG in a running `airflow standalone`, and reads what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.log import Log
from results import named, returned_by, states_of, tasks_of, xcoms_of
from sqlalchemy import create_engine, func
from sqlalchemy.orm import sessionmaker
from standalone import Standalone
from user import User

from airflow_cloudtasks.version_compat import AIRFLOW_RELEASE, IS_AIRFLOW_2

RUN_ID = "test"


class Scheduler:
    """One run of a DAG.

    Args:
        standalone: The running Airflow, which is not the one of this process: it has its own database.
        dag_id: The DAG, which no other test runs there.
        run_id: The id of the run.

    Attributes:
        run_id: The id of the run.
    """

    def __init__(self, standalone: Standalone, dag_id: str, run_id: str = RUN_ID) -> None:
        self.address = standalone.address
        self.run_id = run_id
        self.logs = standalone.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}"
        self._standalone = standalone
        self._dag_id = dag_id
        self._sessions = sessionmaker(create_engine(standalone.database), expire_on_commit=False)

    @cached_property
    def user(self) -> User:
        """A user at its pages."""
        return User(self.address, self._standalone.home, is_airflow_2=IS_AIRFLOW_2)

    def run(self, logical_date: str | None = None, conf: dict[str, Any] | None = None) -> None:
        """Start the run, when the DAG has been parsed. The arguments are those of :meth:`User.trigger`."""
        self.until(self._is_parsed, "the DAG is parsed")
        self.user.trigger(self._dag_id, self.run_id, logical_date, conf)

    def mark_failed(self, task_id: str) -> None:
        """Do what the button "Mark as failed" of a task does."""
        self.user.mark_failed(self._dag_id, self.run_id, task_id)

    def clear(self, *task_ids: str) -> None:
        """Do what the button "Clear" of tasks does; on Airflow 2, by the command, in all runs of the DAG.

        The REST API of Airflow 2 does not clear a task that runs on a worker: it changes a copy of its row.
        """
        if IS_AIRFLOW_2:
            self._standalone.command("tasks", "clear", "--yes", "--task-regex", "|".join(task_ids), self._dag_id)
        else:
            self.user.clear(self._dag_id, self.run_id, task_ids)

    def delete(self) -> None:
        """Do what the button "Delete" of the run does."""
        self.user.delete(self._dag_id, self.run_id)

    def extra_links(self, task_id: str) -> dict[str, str | None]:
        """Return the addresses of the buttons that the page of a task shows, by their names."""
        return self.user.extra_links(self._dag_id, RUN_ID, task_id)

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Wait until a condition holds; see :meth:`Standalone.until`. The error has the tasks' states."""
        try:
            self._standalone.until(condition, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"Airflow {AIRFLOW_RELEASE}: {error}\nThe DAG's tasks: {self.states()}") from None

    def until_the_run_ends(self) -> str:
        """Wait for the end of the run, and return its state."""
        self.until(lambda: self._run_state() in ("success", "failed"), "the DAG run ends")
        return self._run_state()

    def until_the_run_succeeds(self) -> None:
        """Wait for the end of the run. The error of one that fails has the ends of its tasks' logs."""
        assert self.until_the_run_ends() == "success", f"{self.states()}\n{self._logs_of_failed_tasks()}"

    def log(self, task_id: str) -> str:
        """Return the log of a task: of all its tries, from its workers and its triggerers."""
        return "\n".join(self.log_files(task_id))

    def log_files(self, task_id: str) -> list[str]:
        """Return the log of a task: one text of each try on a worker, one of each triggerer."""
        return [path.read_text() for path in sorted(self.logs.glob(f"task_id={task_id}/*"))]

    def has_read_the_end_of(self, task_id: str, try_number: int) -> bool:
        """Whether the scheduler has read from its executor that a try on a worker has ended.

        Until then, a deferred task must not be resumed: the scheduler would take it for killed from outside.
        """
        key = f"dag_id='{self._dag_id}', task_id='{task_id}', run_id='{self.run_id}', try_number={try_number},"
        return (
            f"Received executor event with state success for task instance TaskInstanceKey({key}"
            in self._standalone.log()
        )

    def states(self) -> dict[str, str]:
        """Return the state of each task; a mapped task's id carries its index, as in ``wait[0]``."""
        with self._session() as session:
            runs = self._runs(session).all()
            return states_of(runs[0], session) if runs else {}

    def tries(self) -> dict[str, int]:
        """Return how often each task was tried."""
        with self._session() as session:
            tasks = tasks_of(self._runs(session).one(), session)
            return {named(task.task_id, task.map_index): task.try_number for task in tasks}

    def xcoms(self) -> dict[str, dict[str, Any]]:
        """Return what each task put into XCom, by the task and the key."""
        with self._session() as session:
            return xcoms_of(self._dag_id, session)

    def returned(self) -> dict[str, Any]:
        """Return what each task returned."""
        with self._session() as session:
            return returned_by(self._dag_id, session)

    def result(self, task_id: str) -> Any:
        """Return what a task of this run returned."""
        with self._session() as session:
            return returned_by(self._dag_id, session, self.run_id)[task_id]

    def starts_on_workers(self) -> dict[str, int]:
        """Count the worker processes of each task. Airflow logs an event when one begins to run the task."""
        with self._session() as session:
            events = session.query(Log.task_id, func.count()).filter_by(dag_id=self._dag_id, event="running")
            return dict(events.group_by(Log.task_id).all())

    @contextmanager
    def _session(self) -> Iterator[Any]:
        with self._sessions() as session:
            yield session

    def _is_parsed(self) -> bool:
        with self._session() as session:
            return bool(session.query(DagModel).filter_by(dag_id=self._dag_id).count() > 0)

    def _run_state(self) -> str:
        with self._session() as session:
            return str(self._runs(session).one().state)

    def _runs(self, session: Any) -> Any:
        return session.query(DagRun).filter_by(dag_id=self._dag_id, run_id=self.run_id)

    def _logs_of_failed_tasks(self) -> str:
        failed = [task_id for task_id, state in self.states().items() if state != "success"]
        logs = [log for task_id in failed for log in self.logs.rglob(f"task_id={task_id}/*.log")]
        return "\n".join(f"{log}:\n{log.read_text()[-4000:]}" for log in logs)
