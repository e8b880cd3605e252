"""Where credentials come from.

A source may go and ask somebody (a metadata service, STS); those that only know what the Airflow connection holds are
the simplest kind.
"""

from __future__ import annotations

from typing import Protocol

from airflow_cloudtasks.clouds.wire import Credentials


class CredentialSource(Protocol):
    """Gives the credentials to sign the next request with."""

    def get(self) -> Credentials:
        """Give them to a thread."""

    async def aget(self) -> Credentials:
        """Give them to an event loop, without blocking it."""


class StaticCredentials:
    """A key, or a temporary token, that stands in the Airflow connection.

    Args:
        credentials: The key.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get(self) -> Credentials:
        """Give the key."""
        return self._credentials

    async def aget(self) -> Credentials:
        """Give the key."""
        return self._credentials
