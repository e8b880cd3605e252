"""Stops the triggerer of a running `airflow standalone`, and runs another one in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil


def stop_triggerer() -> dict[str, str]:
    """End the one triggerer that this process's Airflow runs, as a deployment or a reboot does.

    Returns:
        Its environment.
    """
    (standalone,) = (each for each in psutil.Process().children() if "standalone" in _command(each))
    (triggerer,) = (each for each in standalone.children() if "triggerer" in _command(each))
    # That of the triggerer itself is gone: Airflow writes the name of the process over it.
    environment = standalone.environ()
    everything = [triggerer, *triggerer.children(recursive=True)]
    triggerer.terminate()
    deadline = time.monotonic() + 30
    while alive := [each for each in everything if _command(each)]:
        assert time.monotonic() < deadline, f"still there after a SIGTERM to the triggerer: {alive}"
        time.sleep(0.1)
    return environment


@contextmanager
def running_triggerer(environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a triggerer for the length of the block.

    Args:
        environment: Its environment.
        log: Where its output goes.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow", "triggerer"],
            env=dict(os.environ) | dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        # Nothing waits in it any more that it would have to take leave of, which takes ten seconds.
        for each in (*psutil.Process(process.pid).children(recursive=True), process):
            each.kill()
        process.wait()


def _command(process: psutil.Process) -> str:
    """Give the command line; none of a process that has ended, which `airflow standalone` leaves as a zombie."""
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
