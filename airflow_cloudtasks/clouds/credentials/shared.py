"""Share fetched credentials: one object for all users of the same settings."""

from __future__ import annotations

from threading import Lock
from weakref import WeakValueDictionary

from airflow_cloudtasks.clouds.credentials.kinds import KINDS
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, FetchedCredentials

_shared: WeakValueDictionary[tuple[str, CredentialSettings], FetchedCredentials] = WeakValueDictionary()
_lock = Lock()


def shared_credentials(auth_type: str, settings: CredentialSettings) -> FetchedCredentials:
    """Return the credentials for these settings: one object for all users in this process.

    So a thousand waits on one connection need one session at STS. The object is freed with its last user.

    Args:
        auth_type: The kind of credentials: a key of the cloud's :data:`KINDS`.
        settings: What the connection says about its credentials.
    """
    with _lock:
        key = (auth_type, settings)
        if (credentials := _shared.get(key)) is None:
            fetch = KINDS[settings.cloud][auth_type](settings)
            credentials = _shared[key] = FetchedCredentials(fetch, settings)
        return credentials
