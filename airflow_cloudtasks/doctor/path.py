"""Walk the path from this machine to an endpoint, step by step: proxy, certificates, DNS, TCP, TLS and HTTP."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from airflow_cloudtasks.clouds.deadline import ResponseUntil
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.proxies import DEFAULT_PORTS, Route
from airflow_cloudtasks.clouds.wire import Endpoint
from airflow_cloudtasks.doctor import unreached
from airflow_cloudtasks.doctor.clock import Reading, read_date
from airflow_cloudtasks.doctor.report import Line, Outcome, not_tried
from airflow_cloudtasks.doctor.unreached import Unreached
from airflow_cloudtasks.errors import InvalidConnection

_HTTP_OK = 200
_HTTP_PROXY_LOGIN = 407
# Seconds; 0 would make a socket non-blocking.
_SHORTEST = 0.001
# The beginning of an answer, enough to name the page that came instead of one.
_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Walk:
    """What the walk to an endpoint has found.

    Args:
        endpoint: The endpoint.
        lines: A line for each step.
        clock: The server's clock; None if no answer had a date.
        page: The type and the title of an HTML page that came instead of an answer; None for another answer.
    """

    endpoint: Endpoint
    lines: tuple[Line, ...]
    clock: Reading | None
    page: str | None

    @property
    def failed(self) -> Line | None:
        """The line of the step that failed; None if the endpoint has answered."""
        return next((line for line in self.lines if line.outcome is Outcome.FAILED), None)


def walk(endpoint: Endpoint, network: Network) -> Walk:
    """Return what is on the path to an endpoint. A step after a failed one is not tried.

    Args:
        endpoint: The endpoint.
        network: How the connection's requests reach it.
    """
    lines: list[Line] = []
    failed: str | None = None
    with _Walker(endpoint, network) as walker:
        for name, step in walker.steps():
            if failed is not None:
                lines.append(not_tried(name, f"because {failed} failed"))
                continue
            began = time.perf_counter()
            try:
                found, problem = step(), None
            except Unreached as error:
                found, problem, failed = error.found, error, name
            lines.append(
                Line(
                    name=name,
                    outcome=Outcome.FAILED if problem else Outcome.OK,
                    text=found,
                    expected=problem.expected if problem else None,
                    mend=problem.mend if problem else None,
                    milliseconds=(time.perf_counter() - began) * 1000,
                )
            )
        return Walk(endpoint, tuple(lines), walker.clock, walker.page)


class _Walker:
    """The state of a walk: the socket, as far as it has got."""

    def __init__(self, endpoint: Endpoint, network: Network) -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint, self._network = endpoint, network
        self._is_tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._route = Route(None, "")
        self._addresses: list[tuple[str, int]] = []
        self._socket: socket.socket | None = None
        self.clock: Reading | None = None
        self.page: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def steps(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Yield the steps; which ones there are depends on the proxy, which the first step chooses."""
        yield "proxy", self._choose_proxy
        if self._is_tls or self._is_proxy_tls:
            yield "CA", self._load_certificates
        yield "DNS", self._resolve
        yield "TCP", self._connect
        if self._route.proxy is not None and self._is_tls:
            yield "tunnel", self._open_tunnel
            if self._is_proxy_tls:
                # Python's sockets speak no TLS inside of TLS; the questions to the cloud go all the way.
                return
        if self._is_tls:
            yield "TLS", self._shake_hands
        yield "HTTP", self._ask

    def _choose_proxy(self) -> str:
        try:
            self._route = self._network.route(self._endpoint)
        except InvalidConnection as error:
            raise unreached.invalid(error) from None
        proxy = self._route.proxy
        return f"none: {self._route.reason}" if proxy is None else f"{proxy.address}, from {self._route.reason}"

    def _load_certificates(self) -> str:
        trusted = self._network.trusted_certificates()
        try:
            context = trusted.tls_context()
        except InvalidConnection as error:
            raise unreached.invalid(error) from None
        count = context.cert_store_stats()["x509"]
        held = f"{count} certificates" if count else "certificates"
        return f"{held} in {trusted.path}, from {trusted.source}"

    def _resolve(self) -> str:
        host, port = self._next_hop()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:  # socket.gaierror is one
            raise unreached.unresolved(host, error, self._route) from None
        except UnicodeError as error:  # a label that is empty or too long
            raise unreached.unresolved(host, OSError(str(error)), self._route) from None
        self._addresses = list(dict.fromkeys((str(each[4][0]), port) for each in found))
        return f"{host} is {', '.join(address for address, _ in self._addresses[:3])}"

    def _connect(self) -> str:
        failure: OSError | None = None
        deadline = time.monotonic() + self._seconds
        for number, address in enumerate(self._addresses):
            # As requests do: each address gets its share of the time that is left.
            share = max(deadline - time.monotonic(), _SHORTEST) / (len(self._addresses) - number)
            try:
                self._socket = socket.create_connection(address, share)
                break
            except OSError as error:
                failure = error
        if self._socket is None:
            raise unreached.unconnected(self._next_hop(), failure, self._seconds, self._route) from None
        if self._is_proxy_tls:
            self._socket = self._wrapped(self._socket, self._next_hop()[0], self._route.reason)
        self._socket.settimeout(self._seconds)
        address, port = self._socket.getpeername()[:2]
        return f"connected to {address} port {port}"

    def _open_tunnel(self) -> str:
        target = f"{self._host}:{self._port}"
        answer = self._exchange(f"CONNECT {target} HTTP/1.1", target, self._proxy_headers(), self._seconds)
        if answer.status != _HTTP_OK:
            raise unreached.refused_tunnel(target, answer.status, answer.reason, self._route)
        return f"the proxy has opened a tunnel to {target}"

    def _shake_hands(self) -> str:
        self._socket = self._wrapped(self._open_socket, self._host)
        version = self._socket.version()
        issuer = _name(self._socket.getpeercert(), "issuer")
        return f"{version}, certificate issued by {issuer}"

    def _ask(self) -> str:
        """Send a request without a signature, which any answer satisfies, for the date in the answer."""
        proxied = self._route.proxy is not None and not self._is_tls
        target = f"{self._endpoint.url}/" if proxied else "/"
        sent = time.time()
        headers = self._proxy_headers() if proxied else {}
        seconds = self._network.timeouts.read
        answer = self._exchange(f"GET {target} HTTP/1.1", self._endpoint.host, headers, seconds)
        if answer.status == _HTTP_PROXY_LOGIN:
            raise unreached.refused_tunnel(self._endpoint.host, answer.status, answer.reason, self._route)
        self.clock = read_date(answer.headers.get("Date"), sent, time.time())
        kind = answer.headers.get_content_type()
        if kind == "text/html":
            with suppress(OSError, HTTPException):
                self.page = unreached.page(answer.read(_PAGE_BYTES))
        return f"the server answers a request without a signature, HTTP {answer.status}"

    def _exchange(self, line: str, host: str, headers: dict[str, str], seconds: float) -> HTTPResponse:
        written = {"Host": host, "User-Agent": "airflow_cloudtasks", "Accept": "application/json", **headers}
        lines = [line, *(f"{name}: {value}" for name, value in written.items()), "", ""]
        try:
            self._open_socket.sendall("\r\n".join(lines).encode("latin-1"))
            deadline = time.monotonic() + seconds
            answer = ResponseUntil(self._open_socket, method=line.partition(" ")[0], deadline=deadline)
            answer.begin()
        except (OSError, HTTPException) as error:  # TimeoutError and ssl.SSLError are OSErrors
            raise unreached.unanswered(self._endpoint.host, error, seconds, self._route) from None
        # The answer has lowered it to what was left.
        self._open_socket.settimeout(self._seconds)
        return answer

    def _wrapped(self, connected: socket.socket, host: str, proxy_setting: str | None = None) -> ssl.SSLSocket:
        context = self._network.trusted_certificates().tls_context()
        try:
            return context.wrap_socket(connected, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            shown = _presented(self._addresses[0], host, self._seconds) if self._route.proxy is None else None
            trusted = self._network.trusted_certificates()
            raise unreached.untrusted(host, error, shown, trusted, proxy_setting) from None
        except (OSError, ValueError) as error:  # ValueError: a host name that TLS cannot send
            raise unreached.no_tls(host, error, self._seconds, proxy_setting) from None

    @property
    def _is_proxy_tls(self) -> bool:
        return self._route.proxy is not None and self._route.proxy.address.startswith("https:")

    @property
    def _seconds(self) -> float:
        return self._network.timeouts.connect

    @property
    def _open_socket(self) -> socket.socket:
        assert self._socket is not None  # noqa: S101 - for the type checker
        return self._socket

    def _next_hop(self) -> tuple[str, int]:
        if self._route.proxy is None:
            return self._host, self._port
        parts = urlsplit(self._route.proxy.address)
        return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]

    def _proxy_headers(self) -> dict[str, str]:
        return self._route.proxy.headers if self._route.proxy else {}


def _presented(address: tuple[str, int], host: str, seconds: float) -> unreached.Certificate | None:
    """Return the certificate that a server presents although it is not trusted; None if it cannot be had."""
    with suppress(OSError, ValueError):
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        with _tls(address, host, seconds, unverified) as found:
            encoded = found.getpeercert(binary_form=True) or b""
        # Python parses only certificates that it has verified: trust this one for one connection.
        trusting = ssl.create_default_context(cadata=ssl.DER_cert_to_PEM_cert(encoded))
        trusting.check_hostname = False
        trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with _tls(address, host, seconds, trusting) as found:
            parsed = found.getpeercert() or {}
        names = tuple(str(each[1]) for each in parsed.get("subjectAltName", ()))
        return unreached.Certificate(_name(parsed, "issuer"), names)
    return None


def _tls(address: tuple[str, int], host: str, seconds: float, context: ssl.SSLContext) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(address, seconds), server_hostname=host)


def _name(certificate: object, field: str) -> str:
    """Return the common name, or the organization, of a certificate's subject or issuer."""
    parts = certificate.get(field, ()) if isinstance(certificate, dict) else ()
    names = {pair[0]: pair[1] for part in parts for pair in part}
    return str(names.get("commonName") or names.get("organizationName") or "an unnamed authority")
