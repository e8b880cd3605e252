"""Starts a real `airflow standalone` on free ports, and stops all of it."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psutil


@contextmanager
def running_standalone(log: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Run `airflow standalone` for the length of the block; it may still be starting up when the block begins.

    Args:
        log: Where its output goes.
        environment: Variables besides those of this process.

    Yields:
        The address of its pages.
    """
    with _alone():
        yield from _running(log, environment)


@contextmanager
def _alone() -> Iterator[None]:
    """Let no other one run meanwhile, of whichever Airflow: a dozen processes each are enough for a small machine."""
    with Path(tempfile.gettempdir(), "cloudtasks-standalone.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _running(log: Path, environment: Mapping[str, str]) -> Iterator[str]:
    api, worker_logs, trigger_logs = map(str, _free_ports(3))
    ports = {
        "AIRFLOW__API__PORT": api,
        "AIRFLOW__API__BASE_URL": f"http://localhost:{api}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://localhost:{api}/execution/",
        "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": api,
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": worker_logs,
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": trigger_logs,
        # One process serves the few pages that a test looks at.
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__WEBSERVER__WORKERS": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            env=os.environ | ports | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield f"http://localhost:{api}"
    finally:
        stop(psutil.Process(process.pid))
        process.wait()


def stop(parent: psutil.Process) -> None:
    """End it and all that it started: a scheduler that lives on takes the tasks of the next test's DAG for its own.

    Args:
        parent: The process.
    """
    family = [parent, *parent.children(recursive=True)]
    for each in family:
        with suppress(psutil.NoSuchProcess):
            each.terminate()
    _, alive = psutil.wait_procs(family, timeout=20)
    for each in alive:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(alive, timeout=20)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
