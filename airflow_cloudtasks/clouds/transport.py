"""Send signed requests: by urllib3 for synchronous callers, by aiohttp for asynchronous ones.

Both take the proxy and the trusted certificates of :class:`Network`, and read neither the environment nor ``~/.netrc``.

The vendors' own asynchronous clients build an SSL context and a session for every request. That costs 20 to 200 times
the CPU of the request itself and stalls the event loop. Here, all users of an endpoint in an event loop share one
session; the last one closes it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import urllib3
import yarl
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError, SSLError

from airflow_cloudtasks.clouds.certificates import TrustedCertificates
from airflow_cloudtasks.clouds.deadline import POOL_CLASSES
from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.proxies import Proxy
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import InvalidConnection, TransientError

# Connections to one endpoint from one event loop: no limit. Each gate of the triggerer limits its own requests, and a
# request that waits for a connection would be seen by none.
_MAX_CONNECTIONS = 0

# Connections to one endpoint that threads leave open for their next requests.
_KEPT_CONNECTIONS = 10

# Bytes of one line of an answer's head. Python's http.client has this limit; aiohttp's own is 8190.
_LONGEST_HEADER = 65536

# Bytes of an answer's body, also after it is decompressed. No API of either cloud has answers of more than a few MB.
_LARGEST_ANSWER = 64 * 1024 * 1024

# A transport looks at most this often, in seconds, whether the proxy or the trusted certificates have changed.
_RECHECK_SECONDS = 1.0

# Bytes of an answer that are read, and decompressed, at once.
_CHUNK = 65536

# aiohttp's errors before it has a connection. The first class includes those of connecting to a proxy and of TLS, the
# last one is a proxy's refusal of a tunnel.
_UNSENT_OF_AIOHTTP = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)

# As aiohttp sends them.
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


@dataclass(frozen=True, slots=True)
class _Way:
    """What connections to an endpoint are made of. If it changes, other connections are opened.

    Args:
        proxy: The proxy.
        trusted: The trusted certificates; None if neither the endpoint nor the proxy speaks TLS.
        version: The version of their file.
    """

    proxy: Proxy | None
    trusted: TrustedCertificates | None
    version: int

    def tls_context(self) -> ssl.SSLContext | None:
        return self.trusted.tls_context() if self.trusted else None


def _way_to(endpoint: Endpoint, network: Network) -> _Way:
    proxy = network.route(endpoint).proxy
    if not _has_tls(endpoint.url) and not (proxy and _has_tls(proxy.address)):
        return _Way(proxy, None, 0)
    trusted = network.trusted_certificates()
    return _Way(proxy, trusted, trusted.version())


def _has_tls(url: str) -> bool:
    return url.startswith("https:")


class SyncTransport:
    """Sends requests from a thread, over pooled connections.

    Args:
        network: How requests reach the cloud.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        timeouts = network.timeouts
        self._timeout = urllib3.Timeout(total=timeouts.total, connect=timeouts.connect, read=timeouts.read)
        self._pools: dict[_Way, urllib3.PoolManager] = {}

    def send(self, call: ApiCall, request: SignedRequest) -> HttpAnswer:
        """Send a request once and return its answer. It ends in the total time of the timeouts.

        Args:
            call: The call, for error texts.
            request: The signed request.

        Raises:
            TransientError: No answer came.
            InvalidConnection: The proxy or the trusted certificates cannot be used.
        """
        headers = HTTPHeaderDict(_HEADERS)
        headers.update(request.headers)
        way = _way_to(call.endpoint, self._network)
        pools = self._pools.get(way)
        if pools is None:
            pools = self._pools[way] = _open_pools(way)
        try:
            response = pools.urlopen(
                request.method,
                request.url,
                body=request.body or None,
                headers=headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            body = _read_body(response)
        except (urllib3.exceptions.HTTPError, OSError, _TooLarge) as error:
            raise _no_answer(call, error) from None
        return HttpAnswer(response.status, response.headers, body)

    def close(self) -> None:
        """Close the connections."""
        for pools in self._pools.values():
            pools.clear()
        self._pools.clear()


class _TooLarge(Exception):
    """An answer is larger than ``_LARGEST_ANSWER``."""


class _Body:
    """The decoded body of an answer, as far as it has been read. Raises _TooLarge if it is too large."""

    def __init__(self, stated_length: int | None) -> None:
        if (stated_length or 0) > _LARGEST_ANSWER:
            raise _TooLarge
        self._chunks: list[bytes] = []
        self._left = _LARGEST_ANSWER

    def add(self, chunk: bytes) -> None:
        """Add the next bytes."""
        self._left -= len(chunk)
        if self._left < 0:
            raise _TooLarge
        self._chunks.append(chunk)

    def whole(self) -> bytes:
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)


def _read_body(response: urllib3.BaseHTTPResponse) -> bytes:
    try:
        body = _Body(response.length_remaining)
        for chunk in response.stream(_CHUNK, decode_content=True):
            body.add(chunk)
    except BaseException:
        # The rest of the answer must not be read as the next one.
        response.close()
        raise
    response.release_conn()
    return body.whole()


def _open_pools(way: _Way) -> urllib3.PoolManager:
    tls = way.tls_context()
    settings: dict[str, Any] = {"ssl_context": tls, "maxsize": _KEPT_CONNECTIONS}
    if way.proxy is None:
        pools = urllib3.PoolManager(**settings)
    else:
        login = way.proxy.headers
        pools = urllib3.ProxyManager(way.proxy.address, proxy_headers=login, proxy_ssl_context=tls, **settings)
    pools.pool_classes_by_scheme = POOL_CLASSES
    return pools


@dataclass(slots=True, eq=False)
class _Shared:
    """A session with its users. The last one that leaves closes it."""

    endpoint: Endpoint
    way: _Way
    session: asyncio.Task[aiohttp.ClientSession]
    users: int = 0

    @staticmethod
    def enter(endpoint: Endpoint, way: _Way) -> _Shared:
        """Return the session of a way to an endpoint, and become one of its users."""
        sessions = _sessions.get()
        shared = sessions.get((endpoint, way))
        if shared is None:
            shared = _Shared(endpoint, way, asyncio.ensure_future(_open_session(endpoint, way)))
            sessions[endpoint, way] = shared
        shared.users += 1
        return shared

    async def opened(self) -> aiohttp.ClientSession:
        """Return the session as soon as it is open."""
        # Shielded: one user that is canceled must not cancel the opening of the session for the others.
        return self.session.result() if self.session.done() else await asyncio.shield(self.session)

    async def leave(self) -> None:
        """Be no user any more."""
        self.users -= 1
        if not self.users:
            sessions = _sessions.get()
            if sessions.get((self.endpoint, self.way)) is self:
                del sessions[self.endpoint, self.way]
            if not (self.session.done() and self.session.exception()):
                await (await self.session).close()


_sessions: PerEventLoop[dict[tuple[Endpoint, _Way], _Shared]] = PerEventLoop(dict)


class AsyncTransport:
    """Sends requests from an event loop, over a session that all users of the endpoint share.

    If the proxy or the trusted certificates change, e.g. because the file of certificates is renewed, the transport
    changes to another session within a second. Requests under way end in the earlier one.

    Args:
        shared: The open session; see :func:`async_transport`.
        network: How requests reach the endpoint.
    """

    def __init__(self, shared: _Shared, network: Network) -> None:
        self._shared = shared
        self._network = network
        self._is_closed = False
        self._checked_at = time.monotonic()
        timeouts = network.timeouts
        self._timeout = aiohttp.ClientTimeout(
            total=timeouts.total, sock_connect=timeouts.connect, sock_read=timeouts.read
        )

    async def send(self, call: ApiCall, request: SignedRequest) -> HttpAnswer:
        """Send a request once and return its answer.

        Args:
            call: The call, for error texts.
            request: The signed request.

        Raises:
            TransientError: No answer came, or one that is too large.
        """
        await self._follow_changes()
        shared = self._shared
        shared.users += 1
        way = shared.way
        try:
            session = await shared.opened()
            async with session.request(
                request.method,
                # encoded: yarl would escape the URL again, and the signature would not fit.
                yarl.URL(request.url, encoded=True),
                data=request.body or None,
                headers=request.headers,
                timeout=self._timeout,
                allow_redirects=False,
                # The headers of requests to a proxy for a tunnel; they hold the proxy's login.
                proxy_headers=way.proxy.headers if way.proxy and _has_tls(shared.endpoint.url) else None,
            ) as response:
                body = _Body(response.content_length)
                async for chunk in response.content.iter_any():
                    body.add(chunk)
                return HttpAnswer(response.status, response.headers, body.whole())
        except (aiohttp.ClientError, TimeoutError, OSError, _TooLarge) as error:
            raise _no_answer(call, error) from None
        finally:
            await shared.leave()

    async def opened(self) -> None:
        """Return as soon as the session is open."""
        await self._shared.opened()

    async def close(self) -> None:
        """Leave the session."""
        self._is_closed = True
        await self._shared.leave()

    async def _follow_changes(self) -> None:
        """Change to another session if the proxy or the trusted certificates have changed.

        If they cannot be used at this moment, e.g. because the file of certificates is being written, the session of
        the earlier ones stays in use.
        """
        now = time.monotonic()
        if now - self._checked_at < _RECHECK_SECONDS:
            return
        with suppress(InvalidConnection):
            way = _way_to(self._shared.endpoint, self._network)
            if way != self._shared.way:
                await self._change_to(way)
        self._checked_at = now

    async def _change_to(self, way: _Way) -> None:
        left = _Shared.enter(self._shared.endpoint, way)
        try:
            await left.opened()
            # Unless another request has changed to it meanwhile.
            if self._shared.way != way and not self._is_closed:
                left, self._shared = self._shared, left
        finally:
            await left.leave()


@asynccontextmanager
async def async_transport(endpoint: Endpoint, network: Network) -> AsyncIterator[AsyncTransport]:
    """Yield a transport over the endpoint's shared session; the last user closes the session.

    Args:
        endpoint: Where the requests go.
        network: How they reach it.

    Raises:
        InvalidConnection: The proxy or the trusted certificates cannot be used.
    """
    transport = AsyncTransport(_Shared.enter(endpoint, _way_to(endpoint, network)), network)
    try:
        await transport.opened()
        yield transport
    finally:
        await transport.close()


async def _open_session(endpoint: Endpoint, way: _Way) -> aiohttp.ClientSession:
    # In a thread: reading a CA bundle takes 20 ms or more and would block the event loop of a triggerer.
    tls = await asyncio.to_thread(way.tls_context)
    proxy = way.proxy
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS, ssl=tls or True),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=proxy.address if proxy else None,
        # Without TLS, the proxy gets the requests themselves. With TLS, it gets its login with those for a tunnel.
        headers=proxy.headers if proxy and not _has_tls(endpoint.url) else None,
        max_line_size=_LONGEST_HEADER,
        max_field_size=_LONGEST_HEADER,
    )
    # If the server closes a kept connection, aiohttp sends requests of some methods again by itself, which neither the
    # log nor the budget of requests would show. aiohttp's own test client turns it off like this; no public way exists.
    session._retry_connection = False
    return session


def _no_answer(call: ApiCall, error: Exception) -> TransientError:
    # Only the type of the library's error: its text may hold the request, or the URL with its query.
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError) and not isinstance(error, NewConnectionError):
        code, message = "Timeout", "no answer in time"
    elif isinstance(error, _TooLarge):
        return TransientError(
            f"the answer is larger than {_LARGEST_ANSWER // 1024**2} MiB", code="AnswerTooLarge", **call.context()
        )
    else:
        code, message = "ConnectionError", "the connection failed"
    return TransientError(
        f"{message} ({type(error).__name__})",
        code=code,
        unsent=_is_unsent(error),
        **call.context(),
    )


def _is_unsent(error: Exception) -> bool:
    """Return whether no connection was made. What was sent over a connection that broke is unknown."""
    if isinstance(error, _UNSENT_OF_AIOHTTP):
        return True
    if isinstance(error, ProxyError):
        # Not always an error of connecting to the proxy. If the connection breaks while an answer is read, http.client
        # closes it first, and urllib3 then reports that it was never made.
        return _is_refused_tunnel(error.original_error) or _is_connect_error(error.original_error)
    return _is_connect_error(error)


def _is_refused_tunnel(error: Exception) -> bool:
    """Return whether a proxy refused the tunnel; http.client raises a plain OSError then."""
    return str(error).startswith("Tunnel connection failed")


def _is_connect_error(error: Exception) -> bool:
    if isinstance(error, SSLError):
        # TLS may break at any time, but certificates are verified before anything is sent.
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args)
    return isinstance(error, NewConnectionError | ConnectTimeoutError)
