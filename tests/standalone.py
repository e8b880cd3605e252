"""Starts a real `airflow standalone` on free ports, restarts its triggerer, and kills all its processes.

Its database is PostgreSQL if that is installed, else SQLite. SQLite lets one process write at a time, so on a loaded
machine Airflow's processes give up waiting for each other.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
from postgresql import free_ports, postgresql, postgresql_commands
from sqlalchemy import create_engine, text

# What stands for the command `airflow`.
WARM_AIRFLOW = Path(__file__).with_name("warm_airflow.py")
START_SECONDS = 300
TERMINATE_SECONDS = 60

SETTINGS = {
    # Enough workers for the tasks of one test that all wait on a worker. Airflow 2 refuses this executor on SQLite
    # unless the check is off.
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__PARALLELISM": "24",
    "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",
    # SQLite locks no rows, so a worker of Airflow 2 and the scheduler would both start the next task.
    "AIRFLOW__SCHEDULER__SCHEDULE_AFTER_TASK_EXECUTION": "False",
    # Log in without a password (Airflow 3), or with the admin's generated one (Airflow 2).
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__API__AUTH_BACKENDS": "airflow.providers.fab.auth_manager.api.auth.backend.basic_auth",
    "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
    # Airflow 3.0 makes a list of a missing issuer, which newer PyJWT refuses: its API server answers 500 to everything.
    "AIRFLOW__API_AUTH__JWT_ISSUER": "airflow",
    # One process serves the few pages that the tests look at.
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__WEBSERVER__WORKERS": "1",
    # Notice changes quickly. The first name of a pair is Airflow 3's, the second Airflow 2's.
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.4",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "3",
    # Airflow 3 sends a request again that is not answered in time. On a loaded machine, the first one is carried out
    # last then, and a deferred task counts as running.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
    # Airflow 2 reports a dead worker at each look until its report is handled, and a late report fails the next try. On
    # a loaded machine that takes longer than its default of ten seconds.
    "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "20",
    # Parse each DAG file once: none of them changes.
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "3600",
    "AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX": "glob",
}


class Standalone:
    """A running `airflow standalone`.

    Args:
        home: Its AIRFLOW_HOME, which holds its DAGs, database and logs, and no other Airflow's.
        database: SQLAlchemy URL of its database.
        environment: Its environment variables besides those of this process and :data:`SETTINGS`.
    """

    def __init__(self, home: Path, database: str, environment: Mapping[str, str]) -> None:
        self.home = home
        self.database = database
        self._log = home / "standalone.log"
        self._airflow = home / "bin" / "airflow"
        self._airflow.parent.mkdir()
        self._airflow.write_text(f"#!{sys.executable}\n{WARM_AIRFLOW.read_text()}")
        self._airflow.chmod(0o755)
        api, worker_logs, trigger_logs = map(str, free_ports(3))
        self.address = f"http://localhost:{api}"
        own = {
            # `airflow standalone` starts its parts by the command's name.
            "PATH": f"{self._airflow.parent}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
            "AIRFLOW__API__PORT": api,
            "AIRFLOW__API__BASE_URL": self.address,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.address}/execution/",
            "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": api,
            "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": worker_logs,
            "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs,
        }
        self._environment = dict(os.environ) | SETTINGS | own | dict(environment)
        self._processes = [self._run("standalone", self._log)]

    def until(self, condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
        """Wait until a condition holds.

        Args:
            condition: The condition.
            what: What it says, for the error.
            seconds: The deadline, in seconds from now.

        Raises:
            AssertionError: The deadline has passed. The text has the end of Airflow's log.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (
                f"not within {seconds} s: {what}. The end of Airflow's log:\n{self.log()[-4000:]}"
            )
            time.sleep(0.3)

    def log(self) -> str:
        """Return what Airflow's processes have logged."""
        return self._log.read_text(errors="replace")

    def until_it_answers(self) -> None:
        """Wait for the API server. A task that starts earlier fails."""
        self.until(self._answers, "the API server answers", START_SECONDS)

    def restart_triggerer(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Stop the triggerer by SIGTERM, as a deployment or a reboot does, and start another one.

        Args:
            meanwhile: Called while no triggerer runs.
        """
        (triggerer,) = self._triggerers()
        family = [triggerer, *triggerer.children(recursive=True)]
        triggerer.terminate()
        deadline = time.monotonic() + TERMINATE_SECONDS
        while alive := [each for each in family if _command(each)]:
            assert time.monotonic() < deadline, f"still running after a SIGTERM to the triggerer: {alive}"
            time.sleep(0.1)
        meanwhile()
        self._processes.append(self._run("triggerer", self.home / "triggerer.log"))

    def replace_triggerer(self) -> None:
        """Start another triggerer, after one was killed, and let it take over at once.

        Airflow would wait until the heartbeat of the killed one is too old.
        """
        self.until(lambda: not self._triggerers(), "the killed triggerer is gone", TERMINATE_SECONDS)
        with create_engine(self.database).begin() as connection:
            connection.execute(
                text("UPDATE job SET state = 'failed', end_date = start_date WHERE job_type = 'TriggererJob'")
            )
        self._processes.append(self._run("triggerer", self.home / "triggerer.log"))

    def sleep(self, seconds: float) -> None:
        """Wait for what must not happen."""
        time.sleep(seconds)

    def _triggerers(self) -> list[psutil.Process]:
        """Return the running triggerers."""
        parents = [psutil.Process(each.pid) for each in self._processes if each.poll() is None]
        own = [each for each in parents if "triggerer" in _command(each)]
        # The children of a triggerer have its name.
        others = [child for parent in parents if parent not in own for child in parent.children()]
        return [*own, *(each for each in others if "triggerer" in _command(each))]

    def command(self, *arguments: str) -> None:
        """Run a command of `airflow` on it."""
        subprocess.run(
            [sys.executable, "-m", "airflow", *arguments], env=self._environment, check=True, capture_output=True
        )

    def kill(self) -> None:
        """Kill every process at once. None of them has anything to save."""
        parents = [psutil.Process(each.pid) for each in self._processes if each.poll() is None]
        # The parents first: they would restart their children.
        family = [*parents, *(child for parent in parents for child in parent.children(recursive=True))]
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        for process in self._processes:
            process.wait()

    def _run(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("wb") as output:
            return subprocess.Popen(
                [self._airflow, command],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _answers(self) -> bool:
        # Airflow 3's page, then Airflow 2's.
        return any(_is_there(f"{self.address}{page}") for page in ("/api/v2/monitor/health", "/health"))


@contextmanager
def running_standalone(home: Path, environment: Mapping[str, str]) -> Iterator[Standalone]:
    """Run `airflow standalone` for the length of the block, which begins when its API server answers.

    Args:
        home: An empty folder but for ``dags``; see :class:`Standalone`.
        environment: See :class:`Standalone`.
    """
    with _database(home) as database:
        standalone = Standalone(home, database, environment)
        try:
            standalone.until_it_answers()
            yield standalone
        finally:
            standalone.kill()


@contextmanager
def _database(home: Path) -> Iterator[str]:
    if postgresql_commands() is not None:
        # Nothing here has to survive a crash of the machine.
        with postgresql("fsync=off") as url:
            yield url
        return
    file = home / "airflow.db"
    # Airflow 3 sets this mode itself. Without it, the many processes lock each other out.
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    # A loaded machine keeps the database locked for long. The limit is well below that of a request to the API server:
    # two requests of one API server can block each other until one of them gives up.
    yield f"sqlite:///{file}?timeout=20"


def _is_there(address: str) -> bool:
    try:
        with urlopen(address, timeout=10) as answer:
            return bool(answer.headers.get_content_type() == "application/json")
    except OSError:
        return False


def _command(process: psutil.Process) -> str:
    """Return the command line, or nothing for a process that has ended: `airflow standalone` leaves zombies."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
