"""The emulator as a process of its own."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.control.errors import BadInputError
from airflow_cloudtasks.emulator.control.operations import ControlPlane
from airflow_cloudtasks.emulator.control.parsing import parse_latency
from airflow_cloudtasks.emulator.control.routes import package_version
from airflow_cloudtasks.emulator.engine.keys import DEFAULT_KEY
from airflow_cloudtasks.emulator.engine.state import State
from airflow_cloudtasks.emulator.server.listener import Listener
from airflow_cloudtasks.emulator.server.sockets import bind, url_of
from airflow_cloudtasks.emulator.server.uvicorn_server import make_server

if TYPE_CHECKING:
    import argparse
    import socket
    from types import FrameType


class _CannotStartError(Exception):
    """The process cannot start; the text is for its user."""


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code: 0 after a signal, 1 if the process cannot start.

    Args:
        options: The parsed command line.
    """
    try:
        plane, sock, tls_sock = _prepare(options)
    except _CannotStartError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _serve(options, plane, sock, tls_sock)
    return 0


def _prepare(options: argparse.Namespace) -> tuple[ControlPlane, socket.socket, socket.socket | None]:
    if bool(options.tls_cert) != bool(options.tls_key):
        raise _CannotStartError("--tls-cert and --tls-key go together")
    if options.tls_port is not None and not options.tls_cert:
        raise _CannotStartError("--tls-port needs --tls-cert and --tls-key")
    try:
        latency = parse_latency(options.latency)
    except BadInputError as error:
        raise _CannotStartError(f"--latency: {error}") from None
    sock = _bind(options.host, options.port)
    tls_sock = None if options.tls_port is None else _bind(options.host, options.tls_port)
    return ControlPlane(State(latency=latency)), sock, tls_sock


def _bind(host: str, port: int) -> socket.socket:
    try:
        return bind(host, port)
    except (ValueError, OSError) as error:
        raise _CannotStartError(f"Cannot serve on {host}:{port}: {error}") from None


def _serve(
    options: argparse.Namespace, plane: ControlPlane, sock: socket.socket, tls_sock: socket.socket | None
) -> None:
    tls = {"tls_cert": options.tls_cert, "tls_key": options.tls_key}
    server = make_server(plane, **({} if tls_sock else tls), access_log=options.verbose)

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    # uvicorn restores these handlers when it stops, and raises the signal again. The default handlers would then turn a
    # wanted end into a traceback or a death by signal.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    url = url_of(sock, tls=bool(options.tls_cert) and tls_sock is None)
    second = None
    if tls_sock is not None:
        second = Listener(make_server(plane, **tls, access_log=options.verbose), tls_sock, tls=True)
        second.start()
        url = f"{url} and {second.url}"
    sys.stdout.write(
        f"airflow_cloudtasks emulator {package_version()} on {url} "
        f"(access key {DEFAULT_KEY.id}, secret {DEFAULT_KEY.secret})\n"
    )
    sys.stdout.flush()
    try:
        server.run(sockets=[sock])
    finally:
        if second is not None:
            second.stop()
