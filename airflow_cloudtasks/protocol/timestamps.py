"""Read the times of arguments by one rule: with a zone they are converted, without one they are in the API's. Pure."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any

import pendulum

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import aware, iso_utc, moment

_EXPECTED = "expected a time as in 2026-01-31T08:00:00+08:00, or a day as in 2026-01-31"

# A whole date, perhaps with a time. pendulum also reads "now", durations, intervals, years and times of day.
_TIME = re.compile(r"\d{4}([-/]?)\d{2}\1\d{2}([T ].+)?", re.ASCII)

# Unix seconds.
_NUMBER = re.compile(r"\d+(\.\d*)?", re.ASCII)

# Numbers of so many digits are dates or times without separators, e.g. 20260131 or 2026. They are no Unix seconds.
_AMBIGUOUS_DIGITS = frozenset({4, 6, 8, 12, 14})

_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?", re.ASCII)


def read_time(given: Any, zone: tzinfo) -> datetime | None:
    """Return the time that an argument means.

    Args:
        given: A datetime, a date for its first moment, or either as text in ISO 8601, as templates render them.
        zone: The API's zone. A time without a zone is in it.

    Returns:
        The time in ``zone``; None if the argument is no time.
    """
    if isinstance(given, datetime):
        with suppress(OverflowError):  # at the ends of the calendar
            return aware(given, zone).astimezone(zone)
    elif isinstance(given, date):
        return datetime(given.year, given.month, given.day, tzinfo=zone)
    elif isinstance(given, str) and _TIME.fullmatch(text := given.strip()):
        return _parsed(text, zone)
    return None


@lru_cache(maxsize=1024)
def _parsed(text: str, zone: tzinfo) -> datetime | None:
    with suppress(ValueError, OverflowError):
        parsed = pendulum.parse(text, exact=True, tz=None)
        return read_time(parsed, zone) if isinstance(parsed, date) else None
    return None


def written(time: datetime, api: TaskApi, zone: tzinfo) -> str:
    """Return a time in the format of an API's requests.

    Args:
        time: A time with a zone.
        api: The API.
        zone: The zone that the request's times are in.
    """
    if api.service.time_format is None:
        return iso_utc(time)
    return time.astimezone(zone).strftime(api.service.time_format)


def unix_seconds(given: Any, api: TaskApi) -> float | None:
    """Return the argument ``created_since`` in Unix seconds.

    Args:
        given: A time, as for :func:`read_time`, or Unix seconds. None or an empty text for no time.
        api: The API of the tasks.

    Raises:
        InvalidArguments: The argument is no time, may be read in two ways, or the API's answers tell no creation time.
    """
    if given is None:
        return None
    check_shows_creation(api)
    if given == "":
        return None
    if len(digits := str(given).strip()) in _AMBIGUOUS_DIGITS and digits.isdecimal():
        raise InvalidArguments(
            f"created_since is {given!r:.100}, which may be a date or Unix seconds; write a date as in 2026-01-31."
        )
    time = moment(given, api.zone) if _NUMBER.fullmatch(digits) else read_time(given, api.zone)
    if time is None:
        raise InvalidArguments(f"created_since is {given!r:.100}; {_EXPECTED}.")
    return time.timestamp()


def check_shows_creation(api: TaskApi) -> None:
    """Refuse ``created_since`` for an API whose answers tell no creation time: no task could ever be new enough.

    Args:
        api: The API.

    Raises:
        InvalidArguments: The API has no ``created_at``.
    """
    if api.created_at is None:
        raise InvalidArguments(
            f"{api.name} does not support created_since: {api.service.product} does not tell when such a task was "
            "created, so that the wait would never end."
        )


def checked_time(name: str, given: Any, zone: tzinfo) -> datetime:
    """Return the time that an argument means; refuse an argument that is no time.

    Args:
        name: The argument's name.
        given: The argument, as for :func:`read_time`.
        zone: The API's zone.

    Raises:
        InvalidArguments: The argument is no time; the text has its name.
    """
    if (time := read_time(given, zone)) is None:
        raise InvalidArguments(f"{name} is {given!r:.100}; {_EXPECTED}.")
    return time


def read_zone(given: Any) -> tzinfo | None:
    """Return the zone of a parameter that names one.

    Args:
        given: An offset as in ``UTC+8`` or ``+08:00``, or a name as in ``Asia/Shanghai``.

    Returns:
        The zone; None if there is no such zone.
    """
    text = str(given).strip()
    if text in ("UTC", "GMT", "Z"):
        return pendulum.UTC
    if (offset := _OFFSET.fullmatch(text)) is not None:
        sign, hours, minutes = offset.groups(default="0")
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(ahead if sign == "+" else -ahead) if ahead < timedelta(days=1) else None
    try:
        return pendulum.timezone(text)
    except (ValueError, OSError):
        return None
