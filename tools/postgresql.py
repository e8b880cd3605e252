"""Runs Debian's PostgreSQL in a temporary directory, and finds free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

# Each of Airflow's processes has a pool of connections.
_SETTINGS = ("listen_addresses=127.0.0.1", "max_connections=400")


def postgresql_commands() -> Path | None:
    """Return the directory of the newest installed PostgreSQL's commands; None if there is none."""
    # Debian installs the commands of each version in a directory outside of PATH.
    directories = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    return directories[-1] if directories else None


@contextmanager
def postgresql(*settings: str) -> Iterator[str]:
    """Run PostgreSQL for the length of the block; yield the SQLAlchemy URL of a database.

    PostgreSQL refuses to run as root. If this process is root, PostgreSQL runs as the user ``postgres``.

    Args:
        *settings: Further settings of the server, e.g. ``fsync=off``.
    """
    if (commands := postgresql_commands()) is None:
        raise SystemExit("There is no PostgreSQL: apt-get install postgresql")
    root = os.geteuid() == 0
    as_user = ["runuser", "-u", "postgres", "--"] if root else []
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="cloudtasks-postgresql-") as directory:
        if root:
            shutil.chown(directory, "postgres", "postgres")

        def run(command: str, *arguments: str) -> None:
            subprocess.run(
                [*as_user, commands / command, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=directory
            )

        data = f"{directory}/data"
        run("initdb", "-D", data, "--auth=trust", "--username=postgres", "--encoding=UTF8")
        all_settings = (f"unix_socket_directories={directory}", *_SETTINGS, *settings)
        options = " ".join((f"-p {port}", *(f"-c {setting}" for setting in all_settings)))
        run("pg_ctl", "start", "-w", "-D", data, "-l", f"{directory}/log", "-o", options)
        try:
            yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "-w", "-D", data, "-m", "immediate")


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens.

    Args:
        count: Number of ports.
    """
    with ExitStack() as stack:
        probes = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
