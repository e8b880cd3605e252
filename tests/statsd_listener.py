"""A StatsD server on a free UDP port of this machine, which keeps every line that it receives."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

# Ends the thread that listens.
_LAST = b"\0"


class StatsdListener:
    """What a StatsD server has received.

    Attributes:
        port: Its UDP port on 127.0.0.1.
        lines: The lines, in the order of their arrival.
    """

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self.port: int = server.getsockname()[1]
        self.lines: list[str] = []
        self._thread = Thread(target=self._receive, name="statsd", daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """The settings of an Airflow that sends its metrics here, with tags."""
        return {
            "AIRFLOW__METRICS__STATSD_ON": "True",
            "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
            "AIRFLOW__METRICS__STATSD_PORT": str(self.port),
            "AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED": "True",
        }

    def drain(self) -> list[str]:
        """Stop listening, and return all lines that were sent before."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(_LAST, ("127.0.0.1", self.port))
        self._thread.join()
        return self.lines

    def _receive(self) -> None:
        while (packet := self._server.recv(65536)) != _LAST:
            self.lines += packet.decode().splitlines()


@contextmanager
def statsd_listener() -> Iterator[StatsdListener]:
    """Listen for the length of the block."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        server.bind(("127.0.0.1", 0))
        listener = StatsdListener(server)
        try:
            yield listener
        finally:
            listener.drain()
