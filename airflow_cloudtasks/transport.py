"""Sends signed requests: `requests` for synchronous callers, pooled aiohttp for asynchronous ones.

The vendors' own asynchronous clients build an SSL context and a session for every request, which costs 20 to 200 times
the CPU of the request itself and stalls the event loop; hence one session per endpoint here, shared by every waiter of
the loop, and closed when the last one leaves.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
import certifi
import requests
import yarl

from airflow_cloudtasks.clouds.wire import Asked, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import TransientError

# Requests in flight at once to one endpoint from one event loop. The request budget of the APIs is far below it.
_MAX_CONNECTIONS = 100


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one try of a request may take.

    Args:
        connect: Seconds to reach the host, TLS included.
        read: Seconds to wait for the answer.
    """

    connect: float = 5.0
    read: float = 30.0


class SyncTransport:
    """Sends requests from a thread, over one pooled session.

    Args:
        timeouts: How long one try may take.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._session = requests.Session()
        # Otherwise requests would look for a login in ~/.netrc and put it in the place of the signature.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def send(self, asked: Asked, request: SignedRequest) -> HttpAnswer:
        """Send a request once.

        Raises:
            TransientError: No answer came.
        """
        try:
            response = self._session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers=dict(request.headers),
                timeout=(self._timeouts.connect, self._timeouts.read),
                allow_redirects=False,
                verify=ca_bundle(),
                proxies=_proxies(asked.endpoint),
            )
        except requests.RequestException as error:
            raise _no_answer(asked, error) from None
        return HttpAnswer(response.status_code, response.headers, response.content)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class AsyncTransport:
    """Sends requests from an event loop, over the session that all users of the endpoint share.

    Args:
        session: The session; see :func:`async_transport`.
        timeouts: How long one try may take.
    """

    def __init__(self, session: aiohttp.ClientSession, timeouts: Timeouts) -> None:
        self._session = session
        self._timeout = aiohttp.ClientTimeout(
            total=timeouts.connect + timeouts.read, sock_connect=timeouts.connect, sock_read=timeouts.read
        )

    async def send(self, asked: Asked, request: SignedRequest) -> HttpAnswer:
        """Send a request once.

        Raises:
            TransientError: No answer came.
        """
        try:
            async with self._session.request(
                request.method,
                # As it was signed: yarl would escape it anew.
                yarl.URL(request.url, encoded=True),
                data=request.body or None,
                headers=request.headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                return HttpAnswer(response.status, response.headers, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _no_answer(asked, error) from None


@dataclass(slots=True)
class _Shared:
    session: asyncio.Task[aiohttp.ClientSession]
    users: int = field(default=0)


_sessions: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Shared]] = WeakKeyDictionary()


@asynccontextmanager
async def async_transport(endpoint: Endpoint, timeouts: Timeouts) -> AsyncIterator[AsyncTransport]:
    """Use the endpoint's session; the last user closes it.

    Args:
        endpoint: Where the requests will go.
        timeouts: How long one try of a request may take.
    """
    sessions = _sessions.setdefault(asyncio.get_running_loop(), {})
    if endpoint.url not in sessions:
        sessions[endpoint.url] = _Shared(asyncio.ensure_future(_open_session(endpoint)))
    shared = sessions[endpoint.url]
    shared.users += 1
    try:
        # Shielded: a waiter that is cancelled must not cancel the session of the others.
        yield AsyncTransport(await asyncio.shield(shared.session), timeouts)
    finally:
        shared.users -= 1
        if not shared.users:
            if sessions.get(endpoint.url) is shared:
                del sessions[endpoint.url]
            await (await shared.session).close()


async def _open_session(endpoint: Endpoint) -> aiohttp.ClientSession:
    # Reading a CA bundle takes 20 ms or more: too long for the event loop of a triggerer.
    tls: Any = True
    if endpoint.url.startswith("https:"):
        tls = await asyncio.to_thread(_tls_context, ca_bundle())
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxies(endpoint).get(endpoint.url.partition(":")[0]),
    )


def ca_bundle() -> str:
    """Find the file of trusted certificates.

    Returns:
        What the environment names (``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` or ``SSL_CERT_FILE``), or certifi's own.
    """
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        if path := os.environ.get(name):
            return path
    return certifi.where()


@lru_cache(maxsize=4)
def _tls_context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _proxies(endpoint: Endpoint) -> dict[str, str]:
    """Read HTTPS_PROXY, HTTP_PROXY and NO_PROXY."""
    proxies = getproxies()
    return {} if proxy_bypass(endpoint.host) else proxies


def _no_answer(asked: Asked, error: Exception) -> TransientError:
    # The library's own text may hold the URL with its query, or the request; its type says enough.
    slow = isinstance(error, TimeoutError | requests.Timeout)
    what = "no answer in time" if slow else "the connection failed"
    return TransientError(
        f"{what} ({type(error).__name__})", code="Timeout" if slow else "ConnectionError", **asked.context()
    )
