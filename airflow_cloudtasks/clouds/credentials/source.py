"""Where credentials come from: the Airflow connection itself, or somebody who is asked (STS, a metadata service)."""

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
from airflow_cloudtasks.clouds.transport import Network
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, InvalidConnection, NotFound, error_from_dict

_log = logging.getLogger(__name__)

# The vendors' credential classes decide themselves when to fetch anew, minutes before what they hold expires; they are
# asked this often whether they have something new.
_ASK_AGAIN_SECONDS = 30.0

# What the cloud's audit log calls sessions whose connection says no name.
SESSION_NAME = "airflow"

# Asking somebody blocks, so it is done here and never in an event loop.
_THREADS = "cloudtasks-credentials"
_EXECUTOR = ThreadPoolExecutor(max_workers=4, thread_name_prefix=_THREADS)
# urllib3 logs whole URLs, and Alibaba's classes send STS everything in the URL, an external id and the signature too.
logging.getLogger("urllib3.connectionpool").addFilter(lambda record: not (record.threadName or "").startswith(_THREADS))


class CredentialSource(Protocol):
    """Gives the credentials to sign the next request with."""

    def get(self) -> Credentials:
        """Give them to a thread."""

    async def aget(self) -> Credentials:
        """Give them to an event loop, without blocking it."""

    def renew(self, refused: Credentials) -> bool:
        """Forget credentials that a cloud refused; tells whether there may be something else to give."""


@dataclass(frozen=True)
class StaticCredentials:
    """A key, or a temporary token, that stands in the Airflow connection.

    Args:
        credentials: The key.
    """

    credentials: Credentials

    def get(self) -> Credentials:
        """Give the key."""
        return self.credentials

    async def aget(self) -> Credentials:
        """Give the key."""
        return self.credentials

    def renew(self, refused: Credentials) -> bool:
        """Tell that there is nothing else to give."""
        return False


@dataclass(frozen=True, kw_only=True)
class CredentialSettings:
    """What an Airflow connection says of how to get credentials; each kind needs some of it.

    Args:
        key_id: The key's id.
        secret: The key's secret.
        role_arn: The role to assume.
        role_session_name: The name of the session, as the cloud's audit log will tell it.
        external_id: The external id that the role's trust policy demands.
        policy: A policy, as JSON, that restricts the session further.
        duration_seconds: How long the session lasts.
        oidc_provider: Alibaba's ARN, or Tencent's name, of the identity provider.
        oidc_token_file: The file that holds the identity provider's token.
        role_name: The role of the machine, for its metadata service; empty to ask it.
        sts: Where STS is asked.
        region: The region that STS is asked for.
        network: How STS and the metadata service are reached.
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


# Makes one of a vendor's credential objects, and gives what asks it.
VendorClass = Callable[[CredentialSettings], Callable[[], Credentials]]


class VendorCredentials:
    """Credentials that a vendor's own class fetches, shared by all who use the same connection settings.

    Args:
        make: Makes the vendor's object.
        settings: What it is made of.
        explain: Turns what the vendor's class raises into this package's errors.
    """

    def __init__(
        self, make: VendorClass, settings: CredentialSettings, explain: Callable[[Exception, str], CloudTasksError]
    ) -> None:
        self._make = make
        self._settings = settings
        self._explain = explain
        self._ask: Callable[[], Credentials] | None = None
        self._held: Credentials | None = None
        self._asked_at = 0.0
        self._asking: Future[Credentials] | None = None
        self._round = 0
        self._lock = Lock()

    def get(self) -> Credentials:
        """Give the credentials; waits for them where none are held.

        Raises:
            CloudTasksError: There are none to be had; the text says why.
        """
        return self._current() or self._start().result()

    async def aget(self) -> Credentials:
        """Give the credentials, as :meth:`get`, without blocking the event loop."""
        # Shielded: a waiter that is cancelled must not cancel the fetch of the others.
        if (held := self._current()) is not None:
            return held
        try:
            return await asyncio.shield(asyncio.wrap_future(self._start()))
        finally:
            await take_turn()

    def renew(self, refused: Credentials) -> bool:
        """Forget what was refused, so that it is fetched anew; once for all whom the same was refused."""
        with self._lock:
            if self._held == refused:
                self._held = self._ask = self._asking = None
                # A fetch under way may come back with what was refused; nobody is to hold that.
                self._round += 1
        return True

    def _current(self) -> Credentials | None:
        held = self._held
        if held is not None and time.monotonic() - self._asked_at > _ASK_AGAIN_SECONDS:
            # In the background: what is held is good for minutes still.
            self._start()
        return held

    def _start(self) -> Future[Credentials]:
        with self._lock:
            if self._asking is None:
                self._asking = _EXECUTOR.submit(self._fetch, self._round, self._ask)
            return self._asking

    def _fetch(self, this_round: int, ask: Callable[[], Credentials] | None) -> Credentials:
        fetched: Credentials | None = None
        try:
            ask = ask or self._make(self._settings)
            fetched = ask()
            return fetched
        except Exception as error:  # whatever a vendor's class raises is told in this package's words
            explained = self._explained(error)
            if self._held is not None:
                # In the background: nobody waits for it who would tell.
                _log.warning("Going on with the credentials of before: %s", explained)
            raise explained from None
        finally:
            with self._lock:
                if this_round == self._round:
                    self._ask, self._held = ask, fetched or self._held
                    self._asked_at, self._asking = time.monotonic(), None

    def _explained(self, error: Exception) -> CloudTasksError:
        if isinstance(error, CloudTasksError):
            return error
        if isinstance(error, FileNotFoundError | PermissionError):
            return InvalidConnection(f"The file {error.filename!r} with the identity provider's token cannot be read.")
        explained = self._explain(error, self._settings.sts.url)
        if isinstance(explained, NotFound):
            # It is the role that is missing: whoever waits for a task to appear must not wait for that.
            return error_from_dict(explained.as_dict() | {"kind": CredentialsError.__name__})
        return explained
