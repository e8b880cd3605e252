"""Read times from arguments. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.values import aware, moment


def unix_seconds(given: Any) -> float | None:
    """Return the time of an argument whose templates were rendered, in Unix seconds.

    Args:
        given: A datetime, a text in ISO 8601, or Unix seconds; a time without a zone is in UTC. None or an empty text
            for no time.

    Raises:
        InvalidArguments: The argument is none of these.
    """
    if given is None or given == "":
        return None
    time = given if isinstance(given, datetime) else moment(given, UTC)
    if time is None:
        raise InvalidArguments(f"created_since is {given!r:.100}; expected a time as in 2026-01-31T08:00:00+00:00.")
    return aware(time, UTC).timestamp()
