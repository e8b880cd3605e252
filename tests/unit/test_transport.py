"""What both transports do alike: deadlines, long headers, trusted certificates, proxies and their logins."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import certifi
import pytest
from certificates import Certificates, make_certificates

from airflow_cloudtasks.clouds import transport as transport_module
from airflow_cloudtasks.clouds.credentials.machine import MachineRole
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings
from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.transport import SyncTransport, async_transport
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import InvalidConnection, TransientError

from .calls import JSON, TENCENT_SERVICE, asked
from .raw_server import Serve, asend, receive, send, serving

Send = Callable[[str, Network], HttpAnswer]

TIMEOUTS = Timeouts(connect=2, read=0.3)
SWIFT = Network(TIMEOUTS)
BODY = b'{"Response": {}}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
HEAD = b"HTTP/1.1 200 OK\r\n" + LENGTH
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CA_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMES, *map(str.lower, NAMES), *CA_NAMES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=[send, asend], ids=["sync", "async"])
def either(request: pytest.FixtureRequest) -> Send:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), "cloud.invalid")


@pytest.fixture(scope="module")
def tls(certificates: Certificates) -> ssl.SSLContext:
    """The settings of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.cert, certificates.key)
    return context


def answering(answer: bytes = HEAD + b"\r\n" + BODY) -> Serve:
    def serve(connection: socket.socket) -> None:
        while receive(connection):
            connection.sendall(answer)

    return serve


# Deadlines


def dripping(at_once: bytes, dripped: bytes, then: bytes = b"") -> Serve:
    """Return a server whose answer is complete after a second or more, and no wait for its next byte is long."""

    def serve(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(at_once)
        for byte in dripped:
            time.sleep(0.05)
            connection.sendall(bytes([byte]))
        connection.sendall(then)

    return serve


DRIP = b"X-Drip: " + b"d" * 20
DRIPPED = {
    "status": dripping(b"", b"HTTP/1.1 200 All is well", b"\r\n" + LENGTH + b"\r\n" + BODY),
    "header": dripping(HEAD, DRIP, b"\r\n\r\n" + BODY),
    "body": dripping(HEAD.replace(b"16", b"32") + b"\r\n", b" " * 16 + BODY),
    "chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n" * 4, b"0\r\n\r\n"),
}


@pytest.mark.parametrize("part", DRIPPED)
def test_a_dripping_answer_ends_at_the_timeout(either: Send, part: str) -> None:
    with serving(DRIPPED[part]) as address, pytest.raises(TransientError) as caught:
        either(f"http://{address}", Network(Timeouts(connect=0.2, read=0.3)))
    assert (caught.value.code, caught.value.unsent) == ("Timeout", False)


def test_a_dripping_answer_over_tls_ends_at_the_timeout(
    either: Send, certificates: Certificates, tls: ssl.SSLContext
) -> None:
    network = Network(Timeouts(connect=0.3, read=0.3), ca_bundle=certificates.ca)
    with serving(DRIPPED["body"], tls) as address, pytest.raises(TransientError) as caught:
        either(f"https://{address}", network)
    assert caught.value.code == "Timeout"


def test_a_proxy_that_drips_its_answer_about_a_tunnel_ends_at_the_timeout(either: Send) -> None:
    proxy = serving(dripping(b"HTTP/1.1 200 OK\r\n", DRIP, b"\r\n\r\n"))
    with proxy as address, pytest.raises(TransientError, match="no answer in time"):
        either("https://cloud.invalid", Network(Timeouts(connect=0.3, read=0.3), proxy=f"http://{address}"))


# Answers


@pytest.mark.parametrize("size", [9_000, 60_000])
def test_reads_an_answer_with_a_long_header(either: Send, size: int) -> None:
    with serving(answering(HEAD + b"X-Long: " + b"l" * size + b"\r\n\r\n" + BODY)) as address:
        answer = either(f"http://{address}", SWIFT)
    assert (answer.status, answer.body, len(answer.headers["x-long"])) == (200, BODY, size)


def test_a_header_beyond_any_measure_is_a_transient_error(either: Send) -> None:
    server = serving(answering(HEAD + b"X-Long: " + b"l" * 200_000 + b"\r\n\r\n" + BODY))
    with server as address, pytest.raises(TransientError):
        either(f"http://{address}", SWIFT)


@pytest.mark.parametrize("status", [100, 102, 103, 199])
def test_waits_for_the_answer_behind_an_interim_one(either: Send, status: int) -> None:
    with serving(answering(b"HTTP/1.1 %d x\r\nLink: y\r\n\r\n" % status + HEAD + b"\r\n" + BODY)) as address:
        answer = either(f"http://{address}", SWIFT)
    assert (answer.status, answer.body) == (200, BODY)


def test_reads_a_megabyte(either: Send) -> None:
    body = b"a" * 1_000_000
    with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body)) as address:
        assert either(f"http://{address}", Network(Timeouts(5, 5))).body == body


@pytest.fixture
def two_addresses(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Give cloud.invalid two addresses. The first accepts no connection on the port that is yielded."""
    real = socket.getaddrinfo

    def look_up(host: str, port: Any, *args: Any, **more: Any) -> Any:
        found = ["127.0.0.2", "127.0.0.1"] if host == "cloud.invalid" else [host]
        return [entry for address in found for entry in real(address, port, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        for _ in range(3):  # no further connection is accepted
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(silent.getsockname())
        yield silent.getsockname()[1]


def test_an_address_that_does_not_answer_leaves_time_for_the_next_one(
    either: Send, two_addresses: int, certificates: Certificates, tls: ssl.SSLContext
) -> None:
    def serve(connection: socket.socket) -> None:
        time.sleep(0.05)  # longer than no time at all
        with tls.wrap_socket(connection, server_side=True) as secured:
            answering()(secured)

    network = Network(Timeouts(connect=1.5, read=2), ca_bundle=certificates.ca)
    with serving(serve, port=two_addresses):
        assert either(f"https://cloud.invalid:{two_addresses}", network).status == 200


DAMAGED = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "HTTP 0.9": BODY,
    "no status": b"HTTP/1.1\r\n\r\n",
    "a word for a status": b"HTTP/1.1 fine\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 x\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 x\r\n\r\n",
    "HTTP 2": b"HTTP/2.0 200 OK\r\n" + LENGTH + b"\r\n" + BODY,
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + BODY,
    "a word for a length": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n" + BODY,
    "two lengths": HEAD + b"Content-Length: 2\r\n\r\n" + BODY,
    "a huge length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n" + BODY,
    "a chunk of no length": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a cut chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}",
    "an unknown transfer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: magic\r\n\r\n" + BODY,
    "no gzip": HEAD + b"Content-Encoding: gzip\r\n\r\n" + BODY,
    "an unknown encoding": HEAD + b"Content-Encoding: magic\r\n\r\n" + BODY,
    "a header without a colon": HEAD + b"nonsense\r\n\r\n" + BODY,
    "a header without a name": HEAD + b": x\r\n\r\n" + BODY,
    "a header of bytes": HEAD + b"X-Bytes: \xff\xfe\x80\r\n\r\n" + BODY,
    "a header with a null": HEAD + b"X-Null: a\x00b\r\n\r\n" + BODY,
    "two hundred headers": HEAD + b"".join(b"X-%d: x\r\n" % number for number in range(200)) + b"\r\n" + BODY,
    "an early end": b"HTTP/1.1 100 Continue\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "a redirect to nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://[::zz\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_answer_is_read_or_a_transient_error(either: Send, damage: str) -> None:
    def serve(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(DAMAGED[damage])

    with serving(serve) as address, suppress(TransientError):
        assert either(f"http://{address}", SWIFT).body in (BODY, b"")


@pytest.mark.parametrize(
    ("stated", "codes"),
    # aiohttp parses no length of more than 64 bits.
    [(64 * 1024 * 1024 + 1, {"AnswerTooLarge"}), (10**23, {"AnswerTooLarge", "ConnectionError"})],
)
def test_an_answer_of_an_absurd_size_is_a_transient_error(either: Send, stated: int, codes: set[str]) -> None:
    def serve(connection: socket.socket) -> None:
        receive(connection)
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % stated)
            for _ in range(65):
                connection.sendall(b" " * 1024 * 1024)

    with serving(serve) as address, pytest.raises(TransientError) as caught:
        either(f"http://{address}", Network(Timeouts(5, 5)))
    assert caught.value.code in codes


MEBIBYTE = b" " * 1024 * 1024
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
GZIPPED = b"Content-Encoding: gzip\r\n"


def in_chunks(contents: Iterable[bytes]) -> Iterator[bytes]:
    for content in contents:
        yield b"%x\r\n%s\r\n" % (len(content), content)
    yield b"0\r\n\r\n"


@cache
def bomb() -> bytes:
    """Return 50 MiB in 50 KiB of gzip."""
    return gzip.compress(MEBIBYTE * 50)


# The head and the body of each.
TOO_LARGE: dict[str, Callable[[], tuple[bytes, Iterable[bytes]]]] = {
    "in chunks": lambda: (CHUNKED, in_chunks(MEBIBYTE for _ in range(5))),
    "without a length": lambda: (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", (MEBIBYTE for _ in range(5))),
    "compressed": lambda: (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n" % len(bomb()) + GZIPPED, [bomb()]),
    "compressed, in chunks": lambda: (CHUNKED + GZIPPED, in_chunks([bomb()])),
}


def too_large(kind: str) -> Serve:
    head, contents = TOO_LARGE[kind]()

    def serve(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(head + b"\r\n")
        for content in contents:
            connection.sendall(content)

    return serve


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit answers to 4 MiB, because decompressing more takes seconds."""
    monkeypatch.setattr(transport_module, "_LARGEST_ANSWER", 4 * 1024 * 1024)


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize("kind", TOO_LARGE)
def test_an_answer_that_grows_too_large_is_a_transient_error(either: Send, kind: str) -> None:
    with serving(too_large(kind)) as address, pytest.raises(TransientError) as caught:
        either(f"http://{address}", Network(Timeouts(5, 30)))
    assert (caught.value.code, caught.value.unsent) == ("AnswerTooLarge", False)
    assert "the answer is larger than 4 MiB" in str(caught.value)


@pytest.mark.usefixtures("low_limit")
def test_credentials_that_grow_too_large_are_a_transient_error() -> None:
    with serving(too_large("compressed")) as address:
        settings = CredentialSettings(
            cloud="tencent",
            sts=Endpoint("http://127.0.0.1:9"),
            network=Network(Timeouts(5, 30)),
            retries=Retries(tries=1),
            metadata=Endpoint(f"http://{address}"),
        )
        with pytest.raises(TransientError, match="larger than 4 MiB"):
            MachineRole(settings, "role").fetch()


# Kept connections


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_sends_no_request_again_after_a_kept_connection_was_closed(method: str, is_async: bool) -> None:
    received: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        """Answer the first request of the connection, and close it at the second one."""
        received.append(receive(connection))
        connection.sendall(HEAD + b"\r\n" + BODY)
        received.append(receive(connection))

    async def send_twice(call: ApiCall, request: SignedRequest) -> None:
        async with async_transport(call.endpoint, SWIFT) as transport:
            assert (await transport.send(call, request)).status == 200
            with pytest.raises(TransientError) as caught:
                await transport.send(call, request)
            assert (caught.value.code, caught.value.unsent) == ("ConnectionError", False)

    with serving(serve) as address:
        call = asked(TENCENT_SERVICE, JSON, url=f"http://{address}")
        request = SignedRequest(method, f"http://{address}/", {}, b"{}" if method == "POST" else b"")
        if is_async:
            asyncio.run(send_twice(call, request))
        else:
            transport = SyncTransport(SWIFT)
            assert transport.send(call, request).status == 200
            with pytest.raises(TransientError) as caught:
                transport.send(call, request)
            assert (caught.value.code, caught.value.unsent) == ("ConnectionError", False)
            transport.close()
    assert len(received) == 2


# Trusted certificates


@pytest.mark.parametrize("variable", [None, *CA_NAMES])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_trusts_a_file_or_a_folder(
    either: Send,
    certificates: Certificates,
    tls: ssl.SSLContext,
    variable: str | None,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = certificates.ca if kind == "file" else certificates.ca_folder
    network = Network(TIMEOUTS, ca_bundle=None if variable else path)
    if variable:
        monkeypatch.setenv(variable, path)
    with serving(answering(), tls) as address:
        assert either(f"https://{address}", network).status == 200


def test_an_empty_file_of_certificates_is_an_invalid_connection(either: Send, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    with pytest.raises(InvalidConnection, match=r"^ca_bundle names '.*ca\.pem', which holds no certificate;"):
        either("https://127.0.0.1:9", Network(TIMEOUTS, ca_bundle=str(tmp_path / "ca.pem")))


# Proxies


class Tunnel:
    """A proxy that makes a tunnel to itself: after its answer, it is the server that was asked for."""

    def __init__(self, tls: ssl.SSLContext, outer: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self._tls = tls
        self.serving = serving(self._serve, outer)

    def _serve(self, connection: socket.socket) -> None:
        self.heads.append(receive(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = self._tls.wrap_bio(incoming, outgoing, server_side=True)

        def until_done(step: Callable[[], object]) -> object:
            while True:
                try:
                    done = step()
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    if not (received := connection.recv(65536)):
                        raise OSError("the client has gone") from None
                    incoming.write(received)
                else:
                    connection.sendall(outgoing.read())
                    return done

        until_done(inner.do_handshake)
        head = b""
        while not head.endswith(b"{}"):
            read = until_done(lambda: inner.read(65536))
            assert isinstance(read, bytes)
            head += read
        self.heads.append(head)
        until_done(lambda: inner.write(HEAD + b"\r\n" + BODY))


LOGIN = b64encode("me:p@ss:wörd".encode())


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("written", ["connection", "environment"])
def test_a_proxy_gets_its_login_and_the_cloud_does_not(
    either: Send,
    certificates: Certificates,
    tls: ssl.SSLContext,
    scheme: str,
    written: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = Tunnel(tls, tls if scheme == "https" else None)
    with proxy.serving as address:
        url = f"{scheme}://me:p%40ss%3Aw%C3%B6rd@{address}/"
        if written == "environment":
            monkeypatch.setenv("HTTPS_PROXY", url)
        network = Network(Timeouts(5, 5), proxy=url if written == "connection" else None, ca_bundle=certificates.ca)
        assert either("https://cloud.invalid", network).body == BODY
    connect, head = proxy.heads
    assert connect.startswith(b"CONNECT cloud.invalid:443 HTTP/1.")
    assert b"proxy-authorization: basic " + LOGIN.lower() in connect.lower()
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert b"proxy-authorization" not in head.lower()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_of_plain_requests_gets_its_login(
    either: Send, certificates: Certificates, tls: ssl.SSLContext, scheme: str
) -> None:
    heads: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heads.append(receive(connection))
        connection.sendall(HEAD + b"\r\n" + BODY)

    with serving(serve, tls if scheme == "https" else None) as address:
        network = Network(
            Timeouts(5, 5), proxy=f"{scheme}://me:p%40ss%3Aw%C3%B6rd@{address}", ca_bundle=certificates.ca
        )
        assert either("http://cloud.invalid", network).body == BODY
    (head,) = heads
    assert head.startswith(b"POST http://cloud.invalid/ HTTP/1.1\r\n")
    assert b"proxy-authorization: basic " + LOGIN.lower() in head.lower()


def test_never_sends_a_netrc_login_to_a_proxy(either: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heads.append(receive(connection))
        connection.sendall(HEAD + b"\r\n" + BODY)

    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving(serve) as address:
        monkeypatch.setenv("http_proxy", f"http://{address}")
        assert either("http://cloud.invalid", SWIFT).status == 200
    assert b"authorization" not in heads[0].lower()


@pytest.mark.parametrize(
    ("variable", "url"), [("HTTPS_PROXY", "https://cloud.invalid"), ("all_proxy", "http://c.test")]
)
def test_a_wrong_proxy_in_the_environment_is_an_invalid_connection(
    either: Send, variable: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "socks5://me:my-password@proxy.test:1080")
    with pytest.raises(InvalidConnection) as caught:
        either(url, SWIFT)
    assert str(caught.value) == (
        f"The environment variable {variable} is not the address of a proxy; write it as "
        "http://[USER:PASSWORD@]HOST:PORT. A proxy of the kind socks5 is not supported, only http and https."
    )


def test_a_direct_network_ignores_every_proxy(either: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(answering()) as address:
        assert either(f"http://{address}", Network(TIMEOUTS, proxy="http://127.0.0.1:9").direct()).status == 200


# A changed environment


def test_a_changed_environment_changes_open_transports(
    certificates: Certificates, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "ca.pem"
    shutil.copy(certifi.where(), bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    proxy = Tunnel(tls)

    async def asend_again() -> int:
        async with async_transport(call.endpoint, SWIFT) as transport:
            return (await transport.send(call, request)).status

    async def scenario() -> None:
        # Its session stays open meanwhile.
        async with async_transport(call.endpoint, SWIFT):
            for attempt in (lambda: transport.send(call, request).status, None):
                with pytest.raises(TransientError):
                    await asyncio.to_thread(attempt) if attempt else await asend_again()
            shutil.copy(certificates.ca, bundle)
            os.utime(bundle, ns=(1, 1))
            assert await asend_again() == 200
            assert await asyncio.to_thread(lambda: transport.send(call, request).status) == 200
            assert not proxy.heads
            with proxy.serving as proxy_address:
                monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy_address}")
                assert await asyncio.to_thread(lambda: transport.send(call, request).status) == 200
                assert await asend_again() == 200
            assert len(proxy.heads) == 4

    with serving(answering(), tls) as address:
        call = asked(TENCENT_SERVICE, JSON, url=f"https://{address}")
        request = SignedRequest("POST", f"https://{address}/", {}, b"{}")
        transport = SyncTransport(SWIFT)
        try:
            asyncio.run(scenario())
        finally:
            transport.close()


def test_an_open_transport_uses_renewed_certificates(
    certificates: Certificates, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(transport_module, "time", SimpleNamespace(monotonic=lambda: now), raising=False)
    bundle = tmp_path / "ca.pem"
    shutil.copy(certifi.where(), bundle)
    network = Network(TIMEOUTS, ca_bundle=str(bundle))

    async def scenario() -> None:
        nonlocal now
        async with async_transport(call.endpoint, network) as transport:
            with pytest.raises(TransientError):
                await transport.send(call, request)
            shutil.copy(certificates.ca, bundle)
            os.utime(bundle, ns=(1, 1))
            now += 1
            answers = await asyncio.gather(*(transport.send(call, request) for _ in range(3)))
            assert {answer.status for answer in answers} == {200}
            # While the file is being written, the certificates that were read last stay in use.
            for spoil in (lambda: bundle.write_text(""), bundle.unlink):
                spoil()
                now += 1
                assert (await transport.send(call, request)).status == 200
            # The earlier sessions are closed.
            assert len(transport_module._sessions.get()) == 1
        assert not transport_module._sessions.get()

    def serve(connection: socket.socket) -> None:
        receive(connection)
        connection.sendall(HEAD + b"Connection: close\r\n\r\n" + BODY)

    with serving(serve, tls) as address:
        call = asked(TENCENT_SERVICE, JSON, url=f"https://{address}")
        request = SignedRequest("POST", f"https://{address}/", {}, b"{}")
        asyncio.run(scenario())
