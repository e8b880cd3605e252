"""A request without an answer may have been carried out only if it was sent over a connection."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from urllib3.exceptions import ConnectTimeoutError, ReadTimeoutError, SSLError

from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.transport import _is_unsent
from airflow_cloudtasks.errors import TransientError

from .raw_server import Serve, asend, send, serving

TIMEOUTS = Timeouts(connect=2, read=0.3)


def reset(connection: socket.socket) -> None:
    """Read the request, and reset the connection."""
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(connection: socket.socket) -> None:
    """Read the request, and close the connection."""
    connection.recv(65536)


def stay_silent(connection: socket.socket) -> None:
    """Read the request, and answer nothing."""
    connection.recv(65536)
    # Until the client gives up.
    connection.recv(65536)


def cut_off(connection: socket.socket) -> None:
    """Send half of an answer."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


def refuse_the_tunnel(connection: socket.socket) -> None:
    """Refuse the tunnel that a client requests of a proxy."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")


def speak_no_tls(connection: socket.socket) -> None:
    """Answer without TLS."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture(params=[send, asend], ids=["sync", "async"])
def error(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that sends a request without an answer, and returns the error."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def sent(url: str, network: Network = Network(timeouts=TIMEOUTS)) -> TransientError:  # noqa: B008 - it is frozen
        with pytest.raises(TransientError) as caught:
            request.param(url, network)
        return caught.value

    return sent


@pytest.fixture
def refused() -> Iterator[str]:
    """Yield host and port without a listener, which no other process can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_refused_connection_is_unsent(error: Any, refused: str) -> None:
    caught = error(f"http://{refused}")
    assert (caught.unsent, caught.may_have_acted) == (True, False)


def test_an_unknown_host_is_unsent(error: Any) -> None:
    # RFC 6761 reserves .invalid for names that do not exist.
    assert error("http://cloud.invalid").unsent


def test_a_refused_proxy_connection_is_unsent(error: Any, refused: str) -> None:
    assert error("http://cloud.invalid", Network(timeouts=TIMEOUTS, proxy=f"http://{refused}")).unsent


@pytest.mark.parametrize("serve", [reset, hang_up, stay_silent, cut_off])
def test_a_failure_after_the_request_may_have_acted(error: Any, serve: Serve) -> None:
    with serving(serve) as address:
        caught = error(f"http://{address}")
    assert (caught.unsent, caught.may_have_acted) == (False, True)


@pytest.mark.parametrize("serve", [reset, hang_up, stay_silent, cut_off])
def test_a_failure_behind_a_proxy_may_have_acted(error: Any, serve: Serve) -> None:
    with serving(serve) as address:
        caught = error("http://cloud.invalid", Network(timeouts=TIMEOUTS, proxy=f"http://{address}"))
    assert (caught.unsent, caught.may_have_acted) == (False, True)


def test_a_refused_proxy_tunnel_is_unsent(error: Any) -> None:
    with serving(refuse_the_tunnel) as address:
        assert error("https://cloud.invalid", Network(timeouts=TIMEOUTS, proxy=f"http://{address}")).unsent


def test_a_broken_tls_connection_is_not_unsent() -> None:
    with serving(speak_no_tls) as address, pytest.raises(TransientError) as caught:
        send(f"https://{address}", Network(timeouts=TIMEOUTS))
    assert not caught.value.unsent


@pytest.mark.parametrize(
    ("cause", "unsent"),
    [(ssl.SSLCertVerificationError("self-signed certificate"), True), (ssl.SSLError("bad record mac"), False)],
)
def test_only_a_failed_certificate_check_is_unsent(cause: ssl.SSLError, unsent: bool) -> None:
    assert _is_unsent(SSLError(cause)) is unsent


def test_a_connect_timeout_is_unsent() -> None:
    assert _is_unsent(ConnectTimeoutError())
    assert _is_unsent(aiohttp.ConnectionTimeoutError())
    assert not _is_unsent(aiohttp.SocketTimeoutError())
    assert not _is_unsent(ReadTimeoutError(None, None, ""))  # type: ignore[arg-type]
    assert not _is_unsent(aiohttp.ServerDisconnectedError())
