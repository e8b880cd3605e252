"""``python -m airflow_cloudtasks.emulator``: the emulator as a process of its own."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator import extra

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: The command line without the program's name; None for this process's own.

    Returns:
        The exit code: 0 after a signal, 1 if the process cannot start.
    """
    options = _parser().parse_args(arguments)
    try:
        from airflow_cloudtasks.emulator.server import process
    except ModuleNotFoundError as error:
        if not extra.is_missing(error):
            raise
        sys.stderr.write(f"{extra.MISSING}\n")
        return 1
    return process.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_cloudtasks.emulator",
        description="Serve the task APIs of Alibaba Cloud and Tencent Cloud on this machine.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the loopback address to serve on (%(default)s)")
    parser.add_argument("--port", type=int, default=8787, help="the port; 0 for any free one (%(default)s)")
    parser.add_argument("--tls-cert", metavar="FILE", help="a PEM certificate, to serve over TLS")
    parser.add_argument("--tls-key", metavar="FILE", help="its PEM key")
    parser.add_argument(
        "--tls-port",
        type=int,
        metavar="PORT",
        help="a second port to serve on over TLS, while --port stays plain http",
    )
    parser.add_argument(
        "--latency",
        type=float,
        nargs="+",
        metavar="SECONDS",
        help="delay every answer of the clouds; two numbers for a random delay between them",
    )
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser


if __name__ == "__main__":
    sys.exit(main())
