"""HTTP connections of urllib3 that limit an answer in time.

A socket's timeout limits the wait for the next bytes only. A server that sends one byte a second would keep a request
for hours. Here, every read from the socket gets the time that is left.
"""

from __future__ import annotations

import io
import socket
import time
from functools import partial
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

# Source: RFC 9110, section 15.2. 101 is none: another protocol follows it.
_INTERIM = range(102, 200)

# Seconds; 0 would make a socket non-blocking.
_SHORTEST = 0.001


class _ReaderUntil(io.RawIOBase):
    """Reads from a socket until a deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer was not complete in time")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class ResponseUntil(HTTPResponse):
    """An answer that is read until a deadline: its first line, its headers and its body."""

    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp = io.BufferedReader(_ReaderUntil(self.fp.detach(), sock, deadline))

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status as http.client does, and 100 for every interim answer, because it skips no other one.

        Otherwise, the answer to this request would be read as that to the next one.
        """
        version, status, reason = super()._read_status()  # type: ignore[misc]
        return version, HTTPStatus.CONTINUE if status in _INTERIM else status, reason


class _HttpConnection(HTTPConnection):
    """Its ``timeout`` limits the whole connect and the whole answer, instead of each wait for bytes."""

    response_class: Any  # a function that makes one

    def connect(self) -> None:
        self._set_deadline()
        super().connect()

    def _new_conn(self) -> socket.socket:
        try:
            return self._connect()
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, type(error).__name__) from error

    def _connect(self) -> socket.socket:
        """Try the addresses of the host one after the other, each for its share of the time that is left.

        An address that does not answer, such as an IPv6 address in a network without IPv6, leaves time for the others.
        """
        host = self._dns_host.strip("[]")
        addresses = socket.getaddrinfo(host, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        failure = OSError("the host has no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(self._seconds_left() / (len(addresses) - number))
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
                continue
            # For the rest of the connect: a tunnel, TLS.
            sock.settimeout(self._seconds_left())
            return sock
        raise failure

    def _seconds_left(self) -> float:
        return max(self._deadline - time.monotonic(), _SHORTEST)

    def getresponse(self) -> Any:
        self._set_deadline()
        return super().getresponse()

    def _set_deadline(self) -> None:
        assert self.timeout is not None  # noqa: S101 - each request has a timeout
        self._deadline = time.monotonic() + self.timeout
        # Also for the answer of a proxy that is asked for a tunnel.
        self.response_class = partial(ResponseUntil, deadline=self._deadline)


class _HttpsConnection(_HttpConnection, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls: Any = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _HttpsConnection


POOL_CLASSES = {"http": _HttpPool, "https": _HttpsPool}
"""The value of a pool manager's ``pool_classes_by_scheme``."""
