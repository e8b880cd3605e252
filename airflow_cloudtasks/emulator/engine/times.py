"""How the vendors write times. Pure functions of Unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))
_ZONE = re.compile(r"UTC(?P<sign>[+-])(?P<hours>\d{1,2})(?::(?P<minutes>\d\d))?")


def unix_seconds(moment: float) -> int:
    """Write a time as BDRC does.

    Args:
        moment: Unix seconds.

    Returns:
        Whole Unix seconds.
    """
    return int(moment)


def unix_milliseconds(moment: float) -> str:
    """Write a time as WeData's workflow runs and task runs do.

    Args:
        moment: Unix seconds.

    Returns:
        Whole Unix milliseconds in a string.
    """
    return str(int(moment * 1000))


def iso_utc(moment: float) -> str:
    """Write a time as Alibaba Cloud's newer products and both token services do.

    Args:
        moment: Unix seconds.

    Returns:
        ISO 8601 in UTC, ``yyyy-MM-ddTHH:mm:ssZ``.
    """
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock_time(moment: float, zone: timezone) -> str:
    """Write a time as a clock shows it.

    Args:
        moment: Unix seconds.
        zone: Where the clock is.

    Returns:
        ``yyyy-MM-dd HH:mm:ss``, without the zone.
    """
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def beijing_time(moment: float) -> str:
    """Write a time as WeData and BPStudio do unless they are told a zone.

    Args:
        moment: Unix seconds.

    Returns:
        ``yyyy-MM-dd HH:mm:ss`` in UTC+8, without a zone.
    """
    return clock_time(moment, BEIJING)


def beijing_time_with_t(moment: float) -> str:
    """Write a time as WeData's operations jobs do, in its own example of GetOpsAsyncJob.

    Args:
        moment: Unix seconds.

    Returns:
        ``yyyy-MM-ddTHH:mm:ss`` in UTC+8, without a zone.
    """
    return beijing_time(moment).replace(" ", "T")


def clock_length(milliseconds: int) -> str:
    """Write how long something took as WeData's instances of a backfill do.

    Args:
        milliseconds: How long.

    Returns:
        ``HH:mm:ss.SSS``.
    """
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def parse_zone(text: str) -> timezone | None:
    """Read a zone as WeData's parameter TimeZone has it.

    Args:
        text: For example ``UTC+8``.

    Returns:
        The zone; None for a text that is none.
    """
    match = _ZONE.fullmatch(text)
    if match is None:
        return None
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return timezone(-offset if match["sign"] == "-" else offset) if offset < timedelta(hours=24) else None
