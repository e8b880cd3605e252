"""Send signed requests: by ``requests`` for synchronous callers, by a pooled aiohttp for asynchronous ones.

The vendors' own asynchronous clients build an SSL context and a session for every request. That costs 20 to 200 times
the CPU of the request itself and stalls the event loop. Here, all users of an endpoint in an event loop share one
session; the last one closes it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import aiohttp
import requests
import urllib3
import yarl
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import TransientError

# Concurrent requests to one endpoint from one event loop. The gates of the triggerer stay below this.
_MAX_CONNECTIONS = 100


class SyncTransport:
    """Sends requests from a thread, over one pooled session.

    Args:
        network: How requests reach the cloud.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._session = requests.Session()
        # Otherwise requests looks for a login in ~/.netrc and replaces the signature by it.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def send(self, call: ApiCall, request: SignedRequest) -> HttpAnswer:
        """Send a request once and return its answer.

        Args:
            call: The call, for error texts.
            request: The signed request.

        Raises:
            TransientError: No answer came.
        """
        proxy = self._network.proxy_for(call.endpoint)
        try:
            response = self._session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers=dict(request.headers),
                timeout=(self._network.timeouts.connect, self._network.timeouts.read),
                allow_redirects=False,
                verify=self._network.certificates(),
                proxies={"http": proxy, "https": proxy} if proxy else None,
            )
        except requests.RequestException as error:
            raise _no_answer(call, error) from None
        return HttpAnswer(response.status_code, response.headers, response.content)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class AsyncTransport:
    """Sends requests from an event loop, over a session that all users of the endpoint share.

    Args:
        session: The session; see :func:`async_transport`.
        timeouts: How long one try may take.
    """

    def __init__(self, session: aiohttp.ClientSession, timeouts: Timeouts) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(
            total=timeouts.connect + timeouts.read, sock_connect=timeouts.connect, sock_read=timeouts.read
        )

    async def send(self, call: ApiCall, request: SignedRequest) -> HttpAnswer:
        """Send a request once and return its answer.

        Args:
            call: The call, for error texts.
            request: The signed request.

        Raises:
            TransientError: No answer came.
        """
        try:
            async with self._session.request(
                request.method,
                # encoded: yarl would escape the URL again, and the signature would not fit.
                yarl.URL(request.url, encoded=True),
                data=request.body or None,
                headers=request.headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return HttpAnswer(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _no_answer(call, error) from None


@dataclass(slots=True)
class _Shared:
    session: asyncio.Task[aiohttp.ClientSession]
    users: int = field(default=0)


_Key = tuple[Endpoint, str | None, str | None]
_sessions: PerEventLoop[dict[_Key, _Shared]] = PerEventLoop(dict)


@asynccontextmanager
async def async_transport(endpoint: Endpoint, network: Network) -> AsyncIterator[AsyncTransport]:
    """Yield a transport over the endpoint's shared session; the last user closes the session.

    Args:
        endpoint: Where the requests go.
        network: How they reach it.
    """
    sessions = _sessions.get()
    key = (endpoint, network.proxy, network.ca_bundle)
    if key not in sessions:
        sessions[key] = _Shared(asyncio.ensure_future(_open_session(endpoint, network)))
    shared = sessions[key]
    shared.users += 1
    try:
        # Shielded: one user that is canceled must not cancel the opening of the session for the others.
        yield AsyncTransport(await asyncio.shield(shared.session), network.timeouts)
    finally:
        shared.users -= 1
        if not shared.users:
            if sessions.get(key) is shared:
                del sessions[key]
            await (await shared.session).close()


async def _open_session(endpoint: Endpoint, network: Network) -> aiohttp.ClientSession:
    # In a thread: reading a CA bundle takes 20 ms or more and would block the event loop of a triggerer.
    tls: Any = True
    if endpoint.url.startswith("https:"):
        tls = await asyncio.to_thread(network.trusted_certificates().tls_context)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=network.proxy_for(endpoint),
    )


def _no_answer(call: ApiCall, error: Exception) -> TransientError:
    # Only the type of the library's error: its text may hold the request, or the URL with its query.
    if isinstance(error, TimeoutError | requests.Timeout):
        code, message = "Timeout", "no answer in time"
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
    # aiohttp's class includes the errors of connecting to a proxy and of TLS.
    if isinstance(error, requests.ConnectTimeout | aiohttp.ClientConnectorError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None  # of urllib3's MaxRetryError
    if isinstance(reason, urllib3.exceptions.ProxyError):
        # Not always an error of connecting to the proxy. If the connection breaks while an answer is read, http.client
        # closes it first, and urllib3 then reports that it was never made.
        return _is_refused_tunnel(reason.original_error) or _is_connect_error(reason.original_error)
    return _is_connect_error(reason)


def _is_refused_tunnel(error: Exception) -> bool:
    """Return whether a proxy refused the tunnel; http.client raises a plain OSError then."""
    return str(error).startswith("Tunnel connection failed")


def _is_connect_error(error: Any) -> bool:
    if isinstance(error, urllib3.exceptions.SSLError):
        # TLS may break at any time, but certificates are verified before anything is sent.
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args)
    return isinstance(error, NewConnectionError | ConnectTimeoutError)
