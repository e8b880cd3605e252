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

import aiohttp
import certifi
import requests
import urllib3
import yarl
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import InvalidConnection, TransientError

# Requests in flight at once to one endpoint from one event loop. The request budget of the APIs is far below it.
_MAX_CONNECTIONS = 100

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long one try of a request may take.

    Args:
        connect: Seconds to reach the host, TLS included.
        read: Seconds to wait for the answer.
    """

    connect: float = 5.0
    read: float = 30.0


@dataclass(frozen=True, slots=True)
class Network:
    """How requests reach a cloud.

    Args:
        timeouts: How long one try may take.
        proxy: The URL of a proxy, against ``HTTPS_PROXY`` and its kin; it may hold a login, so it is never shown.
        ca_bundle: The file of trusted certificates, against what the environment names.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    proxy: str | None = field(default=None, repr=False)
    ca_bundle: str | None = None

    def proxy_for(self, endpoint: Endpoint) -> str | None:
        """Find the proxy to an endpoint: the connection's own, or the environment's, which ``NO_PROXY`` restricts."""
        scheme = endpoint.url.partition(":")[0]
        from_environment = None if proxy_bypass(endpoint.host) else getproxies().get(scheme)
        return self.proxy or from_environment

    def certificates(self) -> str:
        """Find the trusted certificates.

        Returns:
            A PEM file: the connection's own, or the one that ``REQUESTS_CA_BUNDLE``, ``CURL_CA_BUNDLE`` or
            ``SSL_CERT_FILE`` names, or certifi's.

        Raises:
            InvalidConnection: There is no such file.
        """
        named = [("ca_bundle", self.ca_bundle), *((name, os.environ.get(name)) for name in _CA_VARIABLES)]
        for name, path in named:
            if path:
                if not os.path.isfile(path):
                    raise InvalidConnection(f"{name} names {path!r}, and there is no such file of certificates.")
                return path
        return certifi.where()


class SyncTransport:
    """Sends requests from a thread, over one pooled session.

    Args:
        network: How requests reach the cloud.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._session = requests.Session()
        # Otherwise requests would look for a login in ~/.netrc and put it in the place of the signature.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def send(self, call: ApiCall, request: SignedRequest) -> HttpAnswer:
        """Send a request once.

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

    async def send(self, call: ApiCall, request: SignedRequest) -> HttpAnswer:
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
            raise _no_answer(call, error) from None


@dataclass(slots=True)
class _Shared:
    session: asyncio.Task[aiohttp.ClientSession]
    users: int = field(default=0)


_Key = tuple[Endpoint, str | None, str | None]
_sessions: PerEventLoop[dict[_Key, _Shared]] = PerEventLoop(dict)


@asynccontextmanager
async def async_transport(endpoint: Endpoint, network: Network) -> AsyncIterator[AsyncTransport]:
    """Use the endpoint's session; the last user closes it.

    Args:
        endpoint: Where the requests will go.
        network: How requests reach it.
    """
    sessions = _sessions.get()
    key = (endpoint, network.proxy, network.ca_bundle)
    if key not in sessions:
        sessions[key] = _Shared(asyncio.ensure_future(_open_session(endpoint, network)))
    shared = sessions[key]
    shared.users += 1
    try:
        # Shielded: a waiter that is cancelled must not cancel the session of the others.
        yield AsyncTransport(await asyncio.shield(shared.session), network.timeouts)
    finally:
        shared.users -= 1
        if not shared.users:
            if sessions.get(key) is shared:
                del sessions[key]
            await (await shared.session).close()


async def _open_session(endpoint: Endpoint, network: Network) -> aiohttp.ClientSession:
    # Reading a CA bundle takes 20 ms or more: too long for the event loop of a triggerer.
    tls: Any = True
    if endpoint.url.startswith("https:"):
        tls = await asyncio.to_thread(_tls_context, network.certificates())
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS, ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=network.proxy_for(endpoint),
    )


@lru_cache(maxsize=4)
def _tls_context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _no_answer(call: ApiCall, error: Exception) -> TransientError:
    # The library's own text may hold the URL with its query, or the request; its type says enough.
    slow = isinstance(error, TimeoutError | requests.Timeout)
    what = "no answer in time" if slow else "the connection failed"
    return TransientError(
        f"{what} ({type(error).__name__})",
        code="Timeout" if slow else "ConnectionError",
        unsent=_is_unsent(error),
        **call.context(),
    )


def _is_unsent(error: Exception) -> bool:
    """Whether no connection came about; of one that broke nobody knows what went over it."""
    # aiohttp's error of a proxy or of TLS is one of connecting as well.
    if isinstance(error, requests.ConnectTimeout | aiohttp.ClientConnectorError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.ProxyError):
        # Also what breaks while the answer is read: http.client closes the connection first, and urllib3 then takes it
        # for one that never reached the proxy. A tunnel that the proxy refuses has no type of its own.
        reason = reason.original_error
        if str(reason).startswith("Tunnel connection failed"):
            return True
    # So that of TLS: it may break at any time. Certificates are looked at before anything is sent.
    is_untrusted = isinstance(reason, urllib3.exceptions.SSLError) and any(
        isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args
    )
    return is_untrusted or isinstance(reason, NewConnectionError | ConnectTimeoutError)
