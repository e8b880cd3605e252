"""How the vendors write times. Pure functions of Unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
_ZONE = re.compile(r"UTC(?P<sign>[+-])(?P<hours>\d{1,2})(?::(?P<minutes>\d\d))?")


def unix_seconds(moment: float) -> int:
    """Return whole Unix seconds, as BDRC writes a time."""
    return int(moment)


def milliseconds(moment: float) -> int:
    """Return whole Unix milliseconds."""
    return int(moment * 1000)


def unix_milliseconds(moment: float) -> str:
    """Return whole Unix milliseconds in a string, as WeData's workflow runs and task runs write a time."""
    return str(int(moment * 1000))


def iso_utc(moment: float) -> str:
    """Return ``yyyy-MM-ddTHH:mm:ssZ``, as Alibaba Cloud's newer products and both token services write a time."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_time(moment: float, zone: timezone) -> str:
    """Return ``yyyy-MM-dd HH:mm:ss`` in a zone, without the zone."""
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def beijing_time(moment: float) -> str:
    """Return ``yyyy-MM-dd HH:mm:ss`` in UTC+8, as BPStudio writes a time, and WeData unless a request names a zone."""
    return clock_time(moment, BEIJING)


def beijing_time_with_t(moment: float) -> str:
    """Return ``yyyy-MM-ddTHH:mm:ss`` in UTC+8, as WeData's own example of GetOpsAsyncJob writes a time."""
    return beijing_time(moment).replace(" ", "T")


def clock_length(milliseconds: int) -> str:
    """Return ``HH:mm:ss.SSS``, as WeData's backfill instances write how long they took."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def parse_zone(text: str) -> timezone | None:
    """Return the zone that WeData's parameter TimeZone names, e.g. ``UTC+8``, or None if it names none."""
    match = _ZONE.fullmatch(text)
    if match is None:
        return None
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return timezone(-offset if match["sign"] == "-" else offset) if offset < timedelta(hours=24) else None
