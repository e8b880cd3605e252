"""Runs Airflow's own processes as a context manager."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import ProxyHandler, build_opener

import psutil

sys.path.append(str(Path(__file__).parent.parent / "tools"))
from postgresql import free_ports, postgresql, postgresql_commands

__all__ = ["Parts", "airflow", "answers", "free_ports", "postgresql", "postgresql_commands", "say", "set_up"]

_STOP_SECONDS = 20
# Far more than a step takes, also on a busy machine.
_LONGEST_STEP = 900
_PROGRESS_SECONDS = 20
_BEGAN = time.monotonic()


class Parts:
    """Processes of Airflow, each with its own log file; they inherit the environment of this process.

    Args:
        home: Folder for the logs.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._running: dict[Path, psutil.Popen] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # List all processes before any ends: an ended process no longer has children.
        processes = [one for part in self._running.values() for one in _family(part)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        for process in psutil.wait_procs(processes, _STOP_SECONDS)[1]:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def start(self, *command: str) -> psutil.Popen:
        """Start an Airflow process.

        Args:
            *command: Arguments of the `airflow` command.
        """
        number = len(list(self._home.glob("*.out")))
        log = self._home / f"{number}-{command[0]}.out"
        with log.open("wb") as output:
            self._running[log] = psutil.Popen(
                [sys.executable, "-m", "airflow", *command],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._running[log]

    def kill(self, process: psutil.Process) -> int:
        """Kill a process and all its children with SIGKILL, like a crash of the machine.

        Args:
            process: One of the started processes, or a child of one.

        Returns:
            The number of killed processes.
        """
        family = _family(process)
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._running = {log: part for log, part in self._running.items() if part.pid != process.pid}
        return len(family)

    def check(self) -> None:
        """Raise if a process has ended.

        Raises:
            RuntimeError: A process has ended by itself; the text has the end of its log.
        """
        for log, part in self._running.items():
            if part.poll() is not None:
                raise RuntimeError(f"`airflow` has ended, {log.name} ends with:\n{log.read_text()[-4000:]}")

    def until(self, what: str, true: Callable[[], bool], progress: Callable[[], str] | None = None) -> None:
        """Wait until a condition is true, and print that it is.

        Args:
            what: The condition, for the output.
            true: Returns whether it is true.
            progress: Returns what to print every 20 seconds meanwhile.

        Raises:
            RuntimeError: A process has ended by itself.
            SystemExit: The condition has not become true for very long; the text has the end of each process's log.
        """
        began = reported_at = time.monotonic()
        while not true():
            self.check()
            now = time.monotonic()
            if now > began + _LONGEST_STEP:
                raise SystemExit(f"Not reached within {_LONGEST_STEP} s: {what}\n{self._logs()}")
            if progress is not None and now > reported_at + _PROGRESS_SECONDS:
                reported_at = now
                say(f"... {progress()}")
            time.sleep(0.5)
        say(what)

    def _logs(self) -> str:
        return "\n\n".join(f"{log.name} ends with:\n{log.read_text()[-2000:]}" for log in self._running)


def _family(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def set_up(home: Path, dags: str, connections: Mapping[str, str], parallelism: int) -> str:
    """Set Airflow up through the environment that its processes inherit.

    Args:
        home: Airflow's home.
        dags: Folder of the DAGs, next to this file.
        connections: Environment variables with Airflow connections.
        parallelism: Number of Airflow's worker processes.

    Returns:
        The address of Airflow's health check.
    """
    api, worker_logs, trigger_logs = free_ports(3)
    # Measure with Airflow's defaults, whatever the caller's environment sets.
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    os.environ |= dict(connections) | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parent.resolve() / dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": str(parallelism),
        "AIRFLOW__API__PORT": str(api),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": f"http://localhost:{api}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{api}/execution/",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
        "NO_PROXY": "127.0.0.1,localhost",
        # `airflow standalone` starts its processes with the command `airflow`.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    return f"http://localhost:{api}/api/v2/monitor/health"


def airflow(*command: str) -> None:
    """Run an Airflow command; exit with its error output if it fails."""
    done = subprocess.run([sys.executable, "-m", "airflow", *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`airflow {' '.join(command)}` failed:\n{done.stderr[-4000:]}")


def answers(address: str) -> bool:
    """Return whether a URL can be read, e.g. that of Airflow's health check."""
    try:
        with build_opener(ProxyHandler({})).open(address, timeout=10):
            return True
    except OSError:
        return False


def say(line: str) -> None:
    """Print a line on stderr, with the seconds since the beginning in front."""
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {line}", file=sys.stderr, flush=True)
