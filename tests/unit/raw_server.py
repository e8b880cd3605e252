"""A server on loopback that sends what a test says, byte by byte, and both transports as functions."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.transport import SyncTransport, async_transport
from airflow_cloudtasks.clouds.wire import HttpAnswer, SignedRequest

from .calls import JSON, TENCENT_SERVICE, asked

Serve = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Serve, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[str]:
    """Serve one connection after the other. Yield host and port."""
    listener = socket.create_server(("127.0.0.1", port))
    open_ends: list[socket.socket] = []

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.dup() as open_end:
                open_ends.append(open_end)
                try:
                    if tls is None:
                        serve(connection)
                    else:
                        with tls.wrap_socket(connection, server_side=True) as secured:
                            serve(secured)
                except OSError:
                    continue

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # Closing alone does not wake the thread that waits for a connection, or for the next bytes of an open one.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for open_end in open_ends:
            with suppress(OSError):
                open_end.shutdown(socket.SHUT_RDWR)
        thread.join()


def receive(connection: socket.socket) -> bytes:
    """Return the next request, of the functions below or for a tunnel; nothing once the client has gone."""
    received = b""
    while not received.endswith(b"\r\n\r\n{}" if received.startswith(b"POST") else b"\r\n\r\n"):
        if not (more := connection.recv(65536)):
            break
        received += more
    return received


def send(url: str, network: Network) -> HttpAnswer:
    transport = SyncTransport(network)
    try:
        return transport.send(asked(TENCENT_SERVICE, JSON, url=url), SignedRequest("POST", f"{url}/", {}, b"{}"))
    finally:
        transport.close()


def asend(url: str, network: Network) -> HttpAnswer:
    async def sending() -> HttpAnswer:
        call = asked(TENCENT_SERVICE, JSON, url=url)
        async with async_transport(call.endpoint, network) as transport:
            return await transport.send(call, SignedRequest("POST", f"{url}/", {}, b"{}"))

    return asyncio.run(sending())
