"""Read the times that users give as arguments. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.values import aware, moment


def unix_seconds(given: Any) -> float | None:
    """Read a time that an argument gives, once it is no template any more.

    Args:
        given: A datetime, ISO 8601, or Unix seconds; None, or nothing, for no time. Without a zone it is in UTC.

    Raises:
        InvalidArguments: It is none of these.
    """
    if given is None or given == "":
        return None
    read = given if isinstance(given, datetime) else moment(given, UTC)
    if read is None:
        raise InvalidArguments(f"created_since is {given!r:.100}; expected a time as in 2026-01-31T08:00:00+00:00.")
    return aware(read, UTC).timestamp()
