"""A vendor's default chain: the first source that has credentials counts.

A source that is not there, or a file that cannot be used, is passed over, as the vendors' own chains do. A service that
refuses, or that does not answer, ends the chain: going on would give the caller another identity by chance.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from airflow_cloudtasks.clouds.credentials.fetching import no_credentials
from airflow_cloudtasks.clouds.credentials.files import Unusable
from airflow_cloudtasks.clouds.credentials.machine import MachineRole, NoMetadataService
from airflow_cloudtasks.clouds.credentials.source import Fetched
from airflow_cloudtasks.errors import CredentialsError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Nothing:
    """A source has no credentials.

    Args:
        why: What is not there.
    """

    why: str


Source = Callable[[], Fetched | Nothing]
"""Returns the credentials of one source of a chain. It raises Unusable for a variable or a file that is there and
cannot be used, and CloudApiError if a service refuses or does not answer."""


def first_of(sources: Iterable[Source]) -> Fetched:
    """Return the credentials of the first source that has any.

    Args:
        sources: The sources in their order.

    Raises:
        CredentialsError: No source has credentials; the text says what was found instead of each.
        CloudApiError: A source was found, and its service refuses or does not answer.
        InvalidConnection: The settings of the network are wrong.
    """
    absent: list[str] = []
    unusable: list[str] = []
    for source in sources:
        try:
            found = source()
        except Unusable as problem:
            unusable.append(str(problem))
            continue
        if isinstance(found, Fetched):
            return _noting(found, unusable)
        absent.append(found.why)
    raise no_credentials(f"the default chain found no credentials: {'; '.join((*unusable, *absent))}")


def machine_role(role: MachineRole) -> Fetched | Nothing:
    """Return the key of this machine's role; Nothing if it has no role.

    Args:
        role: The role.

    Raises:
        CloudApiError: The metadata service refuses or does not answer.
    """
    try:
        return role.fetch()
    except NoMetadataService as absence:
        return Nothing(f"no role of this machine ({absence})")
    except CredentialsError as error:
        if error.code != "NoCredentials":
            raise
        return Nothing(f"no role of this machine ({error.message})")


def _noting(found: Fetched, unusable: list[str]) -> Fetched:
    """Name the files that were passed over, in the log and where a refusal of the key will show it."""
    if not unusable:
        return found
    passed_over = "; ".join(unusable)
    _log.warning("Passed over in the default chain: %s. Used instead: %s.", passed_over, found.credentials.origin)
    origin = f"{found.credentials.origin}, after passing over: {passed_over}"
    return replace(found, credentials=replace(found.credentials, origin=origin))
