"""``python -m airflow_cloudtasks.emulator``: the emulator as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator import extra

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        arguments: The command line without the program's name; None for this process's own.

    Returns:
        The exit code: 0 after a signal, 1 when it cannot start.
    """
    options = _parser().parse_args(arguments)
    try:
        from airflow_cloudtasks.emulator.control import parsing
        from airflow_cloudtasks.emulator.control.routes import package_version
        from airflow_cloudtasks.emulator.server import emulator as server
    except ModuleNotFoundError as error:
        if not extra.is_missing(error):
            raise
        return _fail(extra.MISSING)
    from airflow_cloudtasks.emulator.engine.keys import DEFAULT_KEY
    from airflow_cloudtasks.emulator.engine.state import State

    if bool(options.tls_cert) != bool(options.tls_key):
        return _fail("--tls-cert and --tls-key go together")
    if options.tls_port is not None and not options.tls_cert:
        return _fail("--tls-port needs --tls-cert and --tls-key")
    port = options.port
    try:
        latency = parsing.parse_latency({"seconds": options.latency})
    except parsing.BadInputError as error:
        return _fail(f"--latency: {error}")
    try:
        sock = server.bind(options.host, port)
        port = options.tls_port
        tls_sock = None if port is None else server.bind(options.host, port)
    except (ValueError, OSError) as error:
        return _fail(f"Cannot serve on {options.host}:{port}: {error}")
    state, tls = State(latency=latency), {"tls_cert": options.tls_cert, "tls_key": options.tls_key}
    running = server.make_server(state, **({} if tls_sock else tls), access_log=options.verbose)

    def stop(number: int, frame: FrameType | None) -> None:
        running.should_exit = True

    # uvicorn puts these back when it is done and then raises the signal that ended it once more; the usual handlers
    # would turn a wanted end into a traceback or a death by signal.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    url = server.url_of(sock, tls=bool(options.tls_cert) and tls_sock is None)
    beside = None
    if tls_sock is not None:
        beside = server.Listener(server.make_server(state, **tls, access_log=options.verbose), tls_sock, tls=True)
        beside.start()
        url = f"{url} and {beside.url}"
    sys.stdout.write(
        f"airflow_cloudtasks emulator {package_version()} on {url} "
        f"(access key {DEFAULT_KEY.id}, secret {DEFAULT_KEY.secret})\n"
    )
    sys.stdout.flush()
    try:
        running.run(sockets=[sock])
    finally:
        if beside is not None:
            beside.stop()
    return 0


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
        help="serve over TLS on this port besides, and over plain http on --port",
    )
    parser.add_argument(
        "--latency",
        type=float,
        nargs="+",
        metavar="SECONDS",
        help="let every answer of the clouds be late; two numbers for anything between them",
    )
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser


def _fail(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
