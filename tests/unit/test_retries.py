"""One call of a cloud: which errors are retried and how often, and how the request is sent."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import certifi
import pytest
import tenacity
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_cloudtasks.clouds import client as client_module
from airflow_cloudtasks.clouds import transport as transport_module
from airflow_cloudtasks.clouds.client import Account, CloudClient, Retries
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.transport import async_transport
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.errors import CloudApiError, InvalidConnection, Throttled, TransientError, UnreadableAnswer
from airflow_cloudtasks.spec import Action, Service

from .calls import ALIBABA_SERVICE, JSON, ROA, RPC, TENCENT_SERVICE

OK = (200, {}, b'{"Task": {}}')
STUMBLED = (503, {}, b'{"Code": "ServiceUnavailable", "Message": "stumbled"}')
THROTTLED = (429, {}, b'{"Code": "Throttling.User", "Message": "slow down"}')
FORBIDDEN = (403, {}, b'{"Code": "Forbidden.RAM", "Message": "no"}')
SWIFT = Retries(tries=5, seconds=60, first_delay=0, longest_delay=0)

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    peer: tuple[str, int]
    at: float


@dataclass
class Server:
    """A server on loopback that returns its answers in turn, and the last one repeatedly."""

    url: str = ""
    answers: list[Answer] = field(default_factory=lambda: [OK])
    requests: list[Request] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append(
                Request(self.command, self.path, headers, body, self.client_address, time.monotonic())
            )
            status, own, said = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
            if status == STALL[0]:
                server.stalled.wait(10)
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(said))} | own).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server.url = f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.stalled.set()
        http.shutdown()
        thread.join()
        http.server_close()


STALL: Answer = (0, {}, b"")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies, certificates and logins of the machine that runs the tests."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
    for name in (*names, *proxies, *(name.lower() for name in proxies)):
        monkeypatch.delenv(name, raising=False)


def client(
    url: str,
    service: Service = ALIBABA_SERVICE,
    retries: Retries = SWIFT,
    network: Network | None = None,
    **more: Any,
) -> CloudClient:
    key = Credentials("my-id", "my-secret", "my-token")
    values: dict[str, Any] = {"credentials": StaticCredentials(key), "location": Location("ap-guangzhou"), **more}
    return CloudClient(
        Account(
            cloud=service.cloud,
            endpoints={"*": Endpoint(url)},
            retries=retries,
            network=network or Network(Timeouts(connect=5, read=5)),
            **values,
        )
    )


class Caller:
    """Calls an action several times in a row over the same connections."""

    def __init__(self, asynchronous: bool) -> None:
        self.asynchronous = asynchronous

    def __call__(
        self,
        by: CloudClient,
        action: Action = RPC,
        service: Service = ALIBABA_SERVICE,
        times: int = 1,
        **params: Any,
    ) -> Any:
        given = params or {"TaskId": "7"}

        async def calls() -> Any:
            async with by.transport(service) as transport:
                for _ in range(times):
                    answer = await by.acall(transport, service, action, given)
                return answer

        if self.asynchronous:
            return asyncio.run(calls())
        try:
            for _ in range(times):
                answer = by.call(service, action, given)
            return answer
        finally:
            by.close()


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)


# Retries


def test_retries_a_transient_error_with_a_new_signature(call: Caller, server: Server) -> None:
    server.answers = [THROTTLED, STUMBLED, (502, {}, b"<html>"), (200, {}, b"<html>"), OK]
    assert call(client(server.url)) == {"Task": {}}
    assert len(server.requests) == 5
    for header in ("x-acs-signature-nonce", "authorization"):
        assert len({request.headers[header] for request in server.requests}) == 5
    assert len({request.path for request in server.requests}) == 1


def test_retries_tencents_errors_under_http_200(call: Caller, server: Server) -> None:
    server.answers = [
        (200, {}, b'{"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": "slow down"}}}'),
        (200, {}, b'{"Response": {"Status": "SUCCESS"}}'),
    ]
    assert call(client(server.url, TENCENT_SERVICE), JSON, TENCENT_SERVICE) == {"Status": "SUCCESS"}
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "said",
    [
        FORBIDDEN,
        (404, {}, b'{"Code": "TaskNotFound", "Message": "no"}'),
        (400, {}, b'{"Code": "MissingTaskId", "Message": "no"}'),
        (404, {}, b'{"Code": "InvalidAccessKeyId.NotFound", "Message": "no"}'),
        (400, {}, b'{"Code": "InvalidSecurityToken.Expired", "Message": "no"}'),
    ],
    ids=lambda said: said[2].decode().split('"')[3],
)
def test_does_not_retry_a_permanent_error(call: Caller, server: Server, said: Answer) -> None:
    server.answers = [said, OK]
    with pytest.raises(CloudApiError, match="no"):
        call(client(server.url))
    assert len(server.requests) == 1


def test_a_permanent_error_ends_the_retries_of_a_transient_one(call: Caller, server: Server) -> None:
    server.answers = [STUMBLED, FORBIDDEN, OK]
    with pytest.raises(CloudApiError, match=r"Forbidden\.RAM"):
        call(client(server.url))
    assert len(server.requests) == 2


def test_every_try_uses_the_current_credentials(call: Caller, server: Server) -> None:
    class Rotating:
        def __init__(self) -> None:
            self.keys = iter((Credentials("old-id", "s"), Credentials("new-id", "s")))

        def get(self) -> Credentials:
            return next(self.keys)

        async def aget(self) -> Credentials:
            return next(self.keys)

    server.answers = [STUMBLED, OK]
    call(client(server.url, credentials=Rotating()))
    keys = [request.headers["authorization"].partition("Credential=")[2] for request in server.requests]
    assert [key.partition(",")[0] for key in keys] == ["old-id", "new-id"]


@pytest.mark.parametrize("tries", [1, 3])
def test_limits_the_number_of_tries(call: Caller, server: Server, tries: int) -> None:
    server.answers = [STUMBLED]
    with pytest.raises(TransientError, match="stumbled"):
        call(client(server.url, retries=Retries(tries=tries, first_delay=0, longest_delay=0)))
    assert len(server.requests) == tries


def test_zero_seconds_for_retries_mean_no_retries(call: Caller, server: Server) -> None:
    server.answers = [STUMBLED, OK]
    with pytest.raises(TransientError):
        call(client(server.url, retries=Retries(tries=5, seconds=0, first_delay=0, longest_delay=0)))
    assert len(server.requests) == 1


def test_limits_the_seconds_spent_on_retries(call: Caller, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each request takes 40 seconds.
    clock = SimpleNamespace(monotonic=lambda: 40.0 * len(server.requests))
    for module in (tenacity, client_module):
        monkeypatch.setattr(module, "time", clock)
    server.answers = [STUMBLED]
    with pytest.raises(TransientError):
        call(client(server.url, retries=Retries(tries=100, seconds=100, first_delay=0, longest_delay=0)))
    assert len(server.requests) == 3


def test_retries_a_throttled_request_after_the_delay_that_the_service_asks_for(call: Caller, server: Server) -> None:
    server.answers = [(429, {"x-acs-retry-after": "60"}, THROTTLED[2]), OK]
    call(client(server.url))
    first, second = server.requests
    assert second.at - first.at >= 0.06


def test_a_delay_beyond_the_time_limit_ends_the_call_at_once(call: Caller, server: Server) -> None:
    server.answers = [(429, {"Retry-After": "3600"}, THROTTLED[2]), OK]
    began = time.monotonic()
    with pytest.raises(Throttled) as caught:
        call(client(server.url))
    assert caught.value.retry_after == 3600
    assert time.monotonic() - began < 2
    assert len(server.requests) == 1


@pytest.mark.parametrize("tried", [1, 2, 3, 10, 5000])
def test_the_retry_delay_is_random_and_doubles_up_to_its_maximum(tried: int) -> None:
    state = tenacity.RetryCallState(tenacity.Retrying(), fn=None, args=(), kwargs={})
    state.attempt_number = tried
    wait = Retries(first_delay=0.5, longest_delay=10).rules()["wait"]
    delays = [wait(state) for _ in range(200)]
    longest = min(0.5 * 2 ** min(tried - 1, 30), 10)
    assert all(0 <= delay <= longest for delay in delays)
    assert max(delays) > 0.8 * longest
    assert min(delays) < 0.2 * longest


# Sending


def test_a_refused_connection_is_transient_and_its_error_holds_neither_query_nor_secret(call: Caller) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(TransientError) as caught:
            call(client(url, retries=Retries(tries=2, first_delay=0, longest_delay=0)), TaskId="queried")
    error = caught.value
    assert (error.code, error.endpoint, error.http_status) == ("ConnectionError", url, None)
    assert str(error).startswith("Toy GetToy failed: ConnectionError: the connection failed (")
    assert not [word for word in ("queried", "my-secret", "my-token", "Signature") if word in f"{error} {error!r}"]
    assert error.__suppress_context__


def test_an_unknown_host_is_a_transient_error(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(TransientError) as caught:
        call(client("http://host.invalid", retries=Retries(tries=1)))
    assert caught.value.code == "ConnectionError"


def test_a_read_timeout_is_a_transient_error(call: Caller, server: Server) -> None:
    server.answers = [STALL]
    with pytest.raises(TransientError, match="no answer in time") as caught:
        call(
            client(server.url, retries=Retries(tries=1), network=Network(Timeouts(connect=5, read=0.1))),
            TaskId="queried",
        )
    assert caught.value.code == "Timeout"
    assert "queried" not in str(caught.value)


def test_retries_a_truncated_answer(call: Caller, server: Server) -> None:
    server.answers = [(200, {"Content-Length": "1000", "Connection": "close"}, b'{"Task"'), OK]
    assert call(client(server.url)) == {"Task": {}}
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_does_not_follow_a_redirect(call: Caller, server: Server, status: int) -> None:
    server.answers = [(status, {"Location": f"{server.url}/elsewhere"}, b"moved"), OK]
    with pytest.raises(UnreadableAnswer):
        call(client(server.url, retries=Retries(tries=1)))
    assert [request.path.partition("?")[0] for request in server.requests] == ["/"]


def test_a_netrc_login_does_not_replace_the_signature(
    call: Caller, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    call(client(server.url))
    assert server.requests[0].headers["authorization"].startswith("ACS3-HMAC-SHA256 Credential=my-id,")


def test_keeps_no_cookies(call: Caller, server: Server) -> None:
    server.answers = [(200, {"Set-Cookie": "session=1; Path=/"}, OK[2])]
    # By name, because aiohttp never keeps cookies of an IP address.
    call(client(server.url.replace("127.0.0.1", "localhost")), times=2)
    assert len(server.requests) == 2
    assert not [request for request in server.requests if "cookie" in request.headers]


def test_reuses_a_connection(call: Caller, server: Server) -> None:
    call(client(server.url), times=3)
    assert len({request.peer for request in server.requests}) == 1


@pytest.mark.parametrize("task_id", ["a b", "../x", "100%", "a/b?c#d", "任务", "a+b&c=d", "%2F"])
@pytest.mark.parametrize("action", [RPC, ROA], ids=["query", "path"])
def test_sends_the_address_that_was_signed(call: Caller, server: Server, action: Action, task_id: str) -> None:
    by = client(server.url)
    _, signed = by._sign(Credentials("i", "s"), ALIBABA_SERVICE, action, {"TaskId": task_id})
    call(by, action, TaskId=task_id)
    (request,) = server.requests
    assert (request.method, f"{server.url}{request.path}") == (action.method, signed.url)


def test_sends_the_body_that_was_signed(call: Caller, server: Server) -> None:
    server.answers = [(200, {}, b'{"Response": {}}')]
    call(client(server.url, TENCENT_SERVICE), JSON, TENCENT_SERVICE, TaskId="任务")
    (request,) = server.requests
    assert request.body == rb'{"TaskId": "\u4efb\u52a1"}'
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert request.headers["host"] == server.url.removeprefix("http://")
    assert request.headers["x-tc-token"] == "my-token"


def test_uses_the_proxy_of_the_environment(call: Caller, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("http_proxy", server.url)
    call(client("http://toy.invalid"))
    assert server.requests[0].path.startswith("http://toy.invalid/")


def test_calls_a_no_proxy_host_directly(call: Caller, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    call(client(server.url))
    assert server.requests[0].path.startswith("/")


def test_the_connections_proxy_takes_precedence_over_the_environment(
    call: Caller, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")
    own = server.url.replace("http://", "http://me:my-password@")
    call(client("http://toy.invalid", network=Network(proxy=own)))
    (request,) = server.requests
    assert request.path.startswith("http://toy.invalid/")
    assert request.headers["proxy-authorization"] == f"Basic {b64encode(b'me:my-password').decode()}"


def test_a_proxy_error_holds_no_password(call: Caller) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = f"http://me:my-password@127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(TransientError) as caught:
            call(client("http://toy.invalid", retries=Retries(tries=1), network=Network(proxy=proxy)))
    assert "my-password" not in f"{caught.value} {caught.value!r} {caught.value.as_dict()}"
    assert caught.value.__suppress_context__
    assert "my-password" not in repr(Network(proxy=proxy))


@pytest.mark.parametrize(
    ("host", "excepted", "goes_by_proxy"),
    [
        ("ice.aliyuncs.com", "", True),
        ("ice.aliyuncs.com", "other.test", True),
        ("ice.aliyuncs.com", "ice.aliyuncs.com", False),
        ("ice.aliyuncs.com", ".aliyuncs.com", False),
        ("ice.aliyuncs.com", "aliyuncs.com", False),
        ("ice.aliyuncs.com", "*", False),
        ("ice.aliyuncs.com:8443", "ice.aliyuncs.com", False),
    ],
)
def test_no_proxy_excepts_hosts_from_the_environments_proxy(
    host: str, excepted: str, goes_by_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", excepted)
    found = Network().proxy_for(Endpoint(f"https://{host}"))
    assert found == ("http://proxy.test:3128" if goes_by_proxy else None)
    assert Network().proxy_for(Endpoint(f"http://{host}")) is None
    assert Network(proxy="http://own.test").proxy_for(Endpoint(f"https://{host}")) == "http://own.test"


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a self-signed certificate of 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    written = made.public_bytes(pem) + key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    path.write_bytes(written)
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as running:
        yield running


def test_refuses_an_untrusted_certificate(call: Caller, tls_server: Server) -> None:
    with pytest.raises(TransientError, match=r"\((SSLError|ClientConnectorCertificateError)\)"):
        call(client(tls_server.url, retries=Retries(tries=1)))
    assert not tls_server.requests


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_accepts_a_certificate_that_the_environment_trusts(
    call: Caller, tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    assert call(client(tls_server.url)) == {"Task": {}}


def test_accepts_a_certificate_that_the_connection_trusts(
    call: Caller, tls_server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    assert call(client(tls_server.url, network=Network(ca_bundle=str(certificate)))) == {"Task": {}}


@pytest.mark.parametrize("variable", [None, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_an_error_names_a_missing_file_of_certificates(
    call: Caller, tls_server: Server, variable: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = Network(ca_bundle=None if variable else "/nowhere/ca.pem")
    if variable:
        monkeypatch.setenv(variable, "/nowhere/ca.pem")
    with pytest.raises(InvalidConnection) as caught:
        call(client(tls_server.url, network=network))
    named = f"{variable or 'ca_bundle'} names '/nowhere/ca.pem'"
    assert str(caught.value) == f"{named}, and there is no such file or folder of certificates."
    assert not tls_server.requests


# Shared sessions

ENDPOINT, ANOTHER = Endpoint("http://127.0.0.1:1"), Endpoint("http://127.0.0.1:2")


def session_of(transport: transport_module.AsyncTransport) -> aiohttp.ClientSession:
    return transport._shared.session.result()


def sharing() -> dict[str, Any]:
    """Return the sessions of this event loop."""
    return transport_module._sessions.get()


def in_a_loop(test: Callable[[], Any]) -> Callable[[], None]:
    """Return a test that runs the coroutine function in its own event loop."""

    def run() -> None:
        asyncio.run(test())

    run.__name__ = test.__name__
    return run


@in_a_loop
async def test_callers_of_an_endpoint_share_a_session_and_the_last_one_closes_it() -> None:
    async with async_transport(ENDPOINT, Network()) as first:
        async with async_transport(ENDPOINT, Network()) as second:
            assert session_of(first) is session_of(second)
        assert not session_of(first).closed
    assert session_of(first).closed
    assert not sharing()


@in_a_loop
async def test_concurrent_callers_share_one_session() -> None:
    async def use() -> aiohttp.ClientSession:
        async with async_transport(ENDPOINT, Network()) as transport:
            await asyncio.sleep(0)
            return session_of(transport)

    sessions = await asyncio.gather(*(use() for _ in range(20)))
    assert len(set(sessions)) == 1
    assert sessions[0].closed


@in_a_loop
async def test_each_endpoint_has_its_own_session() -> None:
    async with async_transport(ENDPOINT, Network()) as one, async_transport(ANOTHER, Network()) as other:
        assert session_of(one) is not session_of(other)


@in_a_loop
async def test_each_network_has_its_own_session() -> None:
    networks = (Network(), Network(proxy="http://proxy.test"), Network(Timeouts(1, 1)))
    async with AsyncExitStack() as stack:
        entered = [await stack.enter_async_context(async_transport(ENDPOINT, network)) for network in networks]
        plain, proxied, patient = map(session_of, entered)
        assert plain is not proxied
        # Timeouts belong to each request, not to the session.
        assert plain is patient


@in_a_loop
async def test_closes_a_session_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="broke"):
        async with async_transport(ENDPOINT, Network()) as transport:
            raise RuntimeError("broke")
    assert session_of(transport).closed
    assert not sharing()


@in_a_loop
async def test_opens_a_new_session_after_the_last_caller_left() -> None:
    async with async_transport(ENDPOINT, Network()) as first:
        pass
    async with async_transport(ENDPOINT, Network()) as second:
        assert session_of(second) is not session_of(first)
        assert not session_of(second).closed


class SlowOpening:
    """Delays the opening of sessions until ``go`` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.go, self.opened = asyncio.Event(), []
        really_open = transport_module._open_session

        async def open_session(endpoint: Endpoint, way: Any) -> aiohttp.ClientSession:
            await self.go.wait()
            self.opened.append(await really_open(endpoint, way))
            return self.opened[-1]

        monkeypatch.setattr(transport_module, "_open_session", open_session)


async def hold(entered: asyncio.Event, leave: asyncio.Event) -> None:
    async with async_transport(ENDPOINT, Network()):
        entered.set()
        await leave.wait()


def test_a_cancelled_caller_does_not_affect_the_others_while_the_session_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        slow, entered, leave = SlowOpening(monkeypatch), asyncio.Event(), asyncio.Event()
        canceled = asyncio.create_task(hold(asyncio.Event(), leave))
        stays = asyncio.create_task(hold(entered, leave))
        await asyncio.sleep(0)
        canceled.cancel()
        await asyncio.wait([canceled])
        assert canceled.cancelled()
        slow.go.set()
        await asyncio.wait_for(entered.wait(), 5)
        (session,) = slow.opened
        assert not session.closed
        leave.set()
        await stays
        assert session.closed
        assert not sharing()

    asyncio.run(test())


def test_closes_the_session_when_its_last_caller_is_cancelled_while_it_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        slow = SlowOpening(monkeypatch)
        canceled = asyncio.create_task(hold(asyncio.Event(), asyncio.Event()))
        await asyncio.sleep(0)
        canceled.cancel()
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.wait([canceled])
        assert canceled.cancelled()
        (session,) = slow.opened
        assert session.closed
        assert not sharing()

    asyncio.run(test())


def test_keeps_no_session_that_failed_to_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async def fail(endpoint: Endpoint, way: Any) -> aiohttp.ClientSession:
            raise FileNotFoundError("no such bundle")

        with monkeypatch.context() as patch:
            patch.setattr(transport_module, "_open_session", fail)
            with pytest.raises(FileNotFoundError, match="no such bundle"):
                async with async_transport(ENDPOINT, Network()):
                    pass
        assert not sharing()
        async with async_transport(ENDPOINT, Network()) as transport:
            assert not session_of(transport).closed

    asyncio.run(test())
