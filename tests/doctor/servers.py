"""Servers that get in the way: ones that say nothing or little, proxies that refuse, and a captive portal."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LOGIN_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 62\r\nConnection: close\r\n\r\n"
    b"<html><head><title>Log in to Airport WiFi</title></head></html>"
)[:-1]
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: http://wifi/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
WANTS_LOGIN = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@contextmanager
def serving(answer: bytes | None) -> Iterator[str]:
    """Serve on a free port, and yield its host and port.

    Args:
        answer: The answer to every request, after which the connection is closed; None to say nothing at all.
    """

    def talk(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            connection.sendall(answer or b"")

    with _listening(talk if answer is not None else None) as address:
        yield address


@contextmanager
def dripping() -> Iterator[str]:
    """Serve answers that take three seconds, although no wait for their next byte is long; yield host and port."""

    def talk(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Drip: ")
            for _ in range(60):
                time.sleep(0.05)
                connection.sendall(b"d")
            connection.sendall(b"\r\n\r\n")

    with _listening(talk) as address:
        yield address


@contextmanager
def _listening(talk: Callable[[socket.socket], None] | None) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                accepted.append(connection)
                if talk is not None:
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in accepted:
            connection.close()


def closed_port() -> str:
    """Return host and port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"
