"""Hold a connection's credentials: the key of the Airflow connection, or credentials that are fetched and renewed."""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Protocol

from airflow_cloudtasks.clouds.event_loop import take_turn
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import CloudApiError, CloudTasksError
from airflow_cloudtasks.model import Cloud

_log = logging.getLogger(__name__)

# Fetched credentials are replaced this many seconds before they expire, or in the last quarter of their lifetime if
# that is shorter. Alibaba's own client uses 15 minutes.
_RENEWAL_SECONDS = 900.0
_RENEWAL_SHARE = 0.25
# The shortest time between two fetches as long as credentials are held.
_FETCH_INTERVAL_SECONDS = 30.0
# After a failed fetch without held credentials, callers get its error for this long, or for as long as the service
# requests, instead of fetching again: hundreds of waits may ask at the same time.
_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 300.0

_THREADS = "cloudtasks-credentials"
# urllib3 logs whole URLs, and the URL that ALIBABA_CLOUD_CREDENTIALS_URI names may hold a secret.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: not (record.threadName or "").startswith(_THREADS))


@cache
def _executor(process: int) -> ThreadPoolExecutor:
    """Return the threads of a process that fetch credentials: fetching blocks, so it never runs in an event loop."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix=_THREADS)


class CredentialSource(Protocol):
    """Returns the credentials to sign the next request with."""

    @property
    def lasting_key_id(self) -> str:
        """The id of the key that signs all requests; empty if the keys change."""

    def get(self) -> Credentials:
        """Return the credentials; may block."""

    async def aget(self) -> Credentials:
        """Return the credentials without blocking the event loop."""

    def renew(self, refused: Credentials) -> bool:
        """Discard credentials that a cloud refused, and return whether the next ones may differ."""


@dataclass(frozen=True)
class StaticCredentials:
    """A permanent or temporary key that the Airflow connection holds.

    Args:
        credentials: The key.
    """

    credentials: Credentials

    @property
    def lasting_key_id(self) -> str:
        """The id of the key."""
        return self.credentials.key_id

    def get(self) -> Credentials:
        """Return the key."""
        return self.credentials

    async def aget(self) -> Credentials:
        """Return the key."""
        return self.credentials

    def renew(self, refused: Credentials) -> bool:
        """Return False: the connection holds no other key."""
        return False


@dataclass(frozen=True, kw_only=True)
class CredentialSettings:
    """What an Airflow connection says about fetching credentials; each kind of credentials uses some of the fields.

    Args:
        cloud: The cloud.
        key_id: The key's id.
        secret: The key's secret.
        role_arn: The role to assume.
        role_session_name: The name of the session, as it appears in the cloud's audit log.
        external_id: The external id that the role's trust policy requires.
        policy: A policy, as JSON, that restricts the session further.
        duration_seconds: The session's lifetime.
        oidc_provider: Alibaba's ARN, or Tencent's name, of the identity provider.
        oidc_token_file: The path of the file with the identity provider's token.
        role_name: The machine's role at its metadata service; None to ask the service for it.
        sts: The endpoint of STS.
        region: The region of the calls of STS.
        metadata: The endpoint of the metadata service; None for the vendor's.
        network: How requests reach STS. Metadata services are never asked through a proxy.
        retries: How often a request to STS or a metadata service is tried.
        user_agent: The name of the caller.
    """

    cloud: Cloud
    key_id: str | None = None
    secret: str | None = field(default=None, repr=False)
    role_arn: str | None = None
    role_session_name: str | None = None
    external_id: str | None = field(default=None, repr=False)
    policy: str | None = None
    duration_seconds: int | None = None
    oidc_provider: str | None = None
    oidc_token_file: str | None = None
    role_name: str | None = None
    sts: Endpoint
    region: str | None = None
    metadata: Endpoint | None = None
    network: Network = field(default_factory=Network)
    retries: Retries = field(default_factory=Retries)
    user_agent: str = "airflow_cloudtasks"


@dataclass(frozen=True, slots=True)
class Fetched:
    """Credentials as they were fetched.

    Args:
        credentials: The key, with its origin.
        expires_at: Its expiry in Unix seconds, as the service states it; None for a key that does not expire.
    """

    credentials: Credentials
    expires_at: float | None = None

    def seconds_until_renewal(self, now: float) -> float:
        """Return in how many seconds to fetch the next credentials; infinity for a key that does not expire.

        Args:
            now: The time in Unix seconds.
        """
        if self.expires_at is None:
            return math.inf
        lifetime = self.expires_at - now
        return lifetime - min(_RENEWAL_SECONDS, lifetime * _RENEWAL_SHARE)


Fetch = Callable[[], Fetched]
"""Fetches credentials; may block. It retries transient errors itself."""


class FetchedCredentials:
    """Credentials that are fetched when they are needed and renewed before they expire, shared by all users.

    Args:
        fetch: Fetches the credentials.
        settings: The settings that it uses.
    """

    lasting_key_id = ""

    def __init__(self, fetch: Fetch, settings: CredentialSettings) -> None:
        self._fetch = fetch
        self._settings = settings
        self._lock = Lock()
        # The lock guards all of these. They change when a fetch begins or ends, and when a cloud refuses a key.
        self._held: Credentials | None = None
        self._running: Future[Credentials] | None = None
        # The process that it runs in. A forked process has none of the threads of its parent.
        self._process = 0
        # The last failure, which is the result of every fetch until _next_fetch_at.
        self._failed: CloudTasksError | None = None
        self._next_fetch_at = 0.0
        # Increased when a cloud refuses the held credentials: a fetch that began earlier may return them again.
        self._generation = 0

    def get(self) -> Credentials:
        """Return the credentials, and fetch them first if none are held.

        Raises:
            CloudTasksError: They cannot be fetched; the text says why. A TransientError was retried already.
        """
        return self._current() or self._start().result()

    async def aget(self) -> Credentials:
        """Return the credentials as :meth:`get` does, without blocking the event loop."""
        if (held := self._current()) is not None:
            return held
        try:
            # Shield the fetch: the cancellation of one caller must not cancel it for the others.
            return await asyncio.shield(asyncio.wrap_future(self._start()))
        finally:
            await take_turn()

    def renew(self, refused: Credentials) -> bool:
        """Discard credentials that a cloud refused, so that the next call fetches others.

        Args:
            refused: The refused credentials. If they are no longer held, another caller has discarded them already.
        """
        with self._lock:
            if self._held == refused:
                self._held = self._running = self._failed = None
                self._generation += 1
        return True

    def _current(self) -> Credentials | None:
        held = self._held
        if held is not None and time.monotonic() >= self._next_fetch_at:
            # In the background: the held credentials stay valid for minutes.
            self._start()
        return held

    def _start(self) -> Future[Credentials]:
        """Start a fetch in another thread, unless one is running or has just ended."""
        with self._lock:
            process = os.getpid()
            if self._running is None or self._process != process:
                if time.monotonic() < self._next_fetch_at and (self._held or self._failed) is not None:
                    return self._last_result()
                self._running = _executor(process).submit(self._run, self._generation)
                self._process = process
            return self._running

    def _last_result(self) -> Future[Credentials]:
        result: Future[Credentials] = Future()
        if self._held is not None:
            result.set_result(self._held)
        else:
            # A copy: an exception that is raised again and again would keep the frames of every caller.
            result.set_exception(copy.copy(self._failed))
        return result

    def _run(self, generation: int) -> Credentials:
        fetched: Fetched | None = None
        failed: CloudTasksError | None = None
        try:
            fetched = self._fetch()
            return fetched.credentials
        except CloudTasksError as error:
            failed = error
            if self._held is not None:
                _log.warning("Keeping the credentials held so far: %s", error)
            raise
        finally:
            self._finish(generation, fetched, failed)

    def _finish(self, generation: int, fetched: Fetched | None, failed: CloudTasksError | None) -> None:
        """Keep the fetched credentials. After a failed fetch, keep the credentials held before."""
        with self._lock:
            if generation != self._generation:
                return
            self._running = self._failed = None
            if fetched is not None:
                self._held = fetched.credentials
                pause = max(fetched.seconds_until_renewal(time.time()), _FETCH_INTERVAL_SECONDS)
            elif self._held is not None:
                pause = _FETCH_INTERVAL_SECONDS
            else:
                self._failed, pause = failed, _pause(failed)
            self._next_fetch_at = time.monotonic() + pause


def _pause(failed: CloudTasksError | None) -> float:
    """Return how long to wait after a failed fetch: only after one that may succeed later, and as long as requested."""
    if not isinstance(failed, CloudApiError) or not failed.retryable:
        return 0.0
    return min(max(failed.retry_after or 0.0, _PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
