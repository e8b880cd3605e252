"""A server in a thread of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.server.sockets import url_of

if TYPE_CHECKING:
    import socket

    from airflow_cloudtasks.emulator.server.uvicorn_server import Server

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class Listener:
    """A server on one port, in a thread of this process.

    Args:
        server: The server.
        sock: The socket that it listens on.
        tls: Whether it serves over TLS.
    """

    def __init__(self, server: Server, sock: socket.socket, *, tls: bool) -> None:
        self.sock = sock
        self.url = url_of(sock, tls=tls)
        self._server = server
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [sock]}, name="cloudtasks-emulator", daemon=True
        )

    def start(self) -> None:
        """Return once it serves.

        Raises:
            RuntimeError: It does not start.
        """
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            self.stop()
            raise RuntimeError(f"The emulator did not start within {_START_SECONDS:g} seconds")

    def stop(self) -> None:
        """Stop serving, and return once it has stopped."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)
        self.sock.close()
