"""Hold a connection's credentials: the key of the Airflow connection, or credentials that a vendor's class fetches."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from airflow_cloudtasks.clouds.event_loop import take_turn
from airflow_cloudtasks.clouds.network import Network
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, InvalidConnection, NotFound, error_from_dict

_log = logging.getLogger(__name__)

# The vendors' classes replace credentials minutes before they expire. Call them at this interval, so that requests are
# signed with the replacement in time.
_FETCH_INTERVAL_SECONDS = 30.0

# The session's name in the cloud's audit log, if the connection has none.
SESSION_NAME = "airflow"

# Fetching blocks, so it runs in these threads and never in an event loop.
_THREADS = "cloudtasks-credentials"
_EXECUTOR = ThreadPoolExecutor(max_workers=4, thread_name_prefix=_THREADS)
# urllib3 logs whole URLs. Alibaba's classes send everything to STS in the URL, even an external id and the signature.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: not (record.threadName or "").startswith(_THREADS))


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
        network: How requests reach STS and the metadata service.
    """

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
    network: Network = field(default_factory=Network)


Fetch = Callable[[], Credentials]
"""Returns the credentials that a vendor's object holds, or fetches them; may block."""

VendorClass = Callable[[CredentialSettings], Fetch]
"""Creates a vendor's object and returns the function that gets credentials from it."""


class VendorCredentials:
    """Credentials that a vendor's own class fetches, shared by all users of the same connection settings.

    Args:
        make: Creates the vendor's object.
        settings: Its settings.
        translate_error: Returns this package's error for an error of the vendor's class and the URL of STS.
    """

    lasting_key_id = ""

    def __init__(
        self,
        make: VendorClass,
        settings: CredentialSettings,
        translate_error: Callable[[Exception, str], CloudTasksError],
    ) -> None:
        self._make = make
        self._settings = settings
        self._translate_error = translate_error
        self._lock = Lock()
        # The lock guards all of these. They change when a fetch begins or ends, and when a cloud refuses a key.
        self._fetch: Fetch | None = None
        self._held: Credentials | None = None
        self._fetched_at = 0.0
        self._running: Future[Credentials] | None = None
        # Increased when a cloud refuses the held credentials: a fetch of an earlier generation may return them again.
        self._generation = 0

    def get(self) -> Credentials:
        """Return the credentials, and fetch them first if none are held.

        Raises:
            CloudTasksError: They cannot be fetched; the text says why.
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
                self._held = self._fetch = self._running = None
                self._generation += 1
        return True

    def _current(self) -> Credentials | None:
        held = self._held
        if held is not None and time.monotonic() - self._fetched_at > _FETCH_INTERVAL_SECONDS:
            # In the background: the held credentials stay valid for minutes.
            self._start()
        return held

    def _start(self) -> Future[Credentials]:
        """Start a fetch in another thread, unless one is running."""
        with self._lock:
            if self._running is None:
                self._running = _EXECUTOR.submit(self._run, self._generation, self._fetch)
            return self._running

    def _run(self, generation: int, fetch: Fetch | None) -> Credentials:
        fetched: Credentials | None = None
        try:
            fetch = fetch or self._make(self._settings)
            fetched = fetch()
            return fetched
        except Exception as error:  # the vendors' classes raise many types
            raise self._failure(error) from None
        finally:
            self._finish(generation, fetch, fetched)

    def _finish(self, generation: int, fetch: Fetch | None, fetched: Credentials | None) -> None:
        """Keep the fetched credentials. After a failed fetch, keep the credentials held before."""
        with self._lock:
            if generation == self._generation:
                self._fetch = fetch
                self._held = fetched or self._held
                self._fetched_at = time.monotonic()
                self._running = None

    def _failure(self, error: Exception) -> CloudTasksError:
        """Return the error of this package for an error of a fetch; log it if the fetch ran in the background."""
        failure = self._translated(error)
        if self._held is not None:
            _log.warning("Keeping the credentials held so far: %s", failure)
        return failure

    def _translated(self, error: Exception) -> CloudTasksError:
        if isinstance(error, CloudTasksError):
            return error
        if isinstance(error, FileNotFoundError | PermissionError):
            return InvalidConnection(f"The file {error.filename!r} with the identity provider's token cannot be read.")
        translated = self._translate_error(error, self._settings.sts.url)
        if isinstance(translated, NotFound):
            # The role does not exist. A wait for a task that may not exist yet ignores NotFound and would never end.
            return error_from_dict(translated.as_dict() | {"kind": CredentialsError.__name__})
        return translated
