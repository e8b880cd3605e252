"""Installs Debian's packages, and runs its Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from real_airflow import free_ports


def install(*packages: str) -> None:
    """Install packages of Debian, if this process is root on Debian; otherwise do nothing.

    Args:
        *packages: The packages.
    """
    if not packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "--quiet", "--quiet", *command],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )


def has_redis() -> bool:
    """Return whether Redis is installed."""
    return shutil.which("redis-server") is not None


@contextmanager
def redis() -> Iterator[str]:
    """Run Redis in a temporary directory, without persistence, for the length of the block; yield its URL."""
    if not has_redis():
        raise SystemExit("There is no Redis: apt-get install redis-server")
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="cloudtasks-redis-") as directory:
        settings = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", directory)
        process = subprocess.Popen(["redis-server", *settings], stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait()
