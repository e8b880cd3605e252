"""Reads single values of a vendor's answer, whatever shape they come in. Pure, and total: nothing here raises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

# Above this a number is Unix milliseconds, below it seconds: as seconds it is the year 5138.
_MILLISECONDS_FROM = 100_000_000_000

# JSON inside JSON inside JSON: the vendors nest twice at most.
_MAX_NESTING = 3

# Levels of objects and lists; the vendors' own stay below ten. Python decodes deeper ones than it can then walk.
_MAX_DEPTH = 100


def at(data: Any, path: str) -> Any:
    """Look a value up by its dotted path.

    Args:
        data: What to look in.
        path: E.g. ``Workflow.Name`` or, for the first of a list, ``Data.Items.0``; the empty path is ``data`` itself.

    Returns:
        The value, or None where the path leads nowhere.
    """
    for key in path.split(".") if path else ():
        if isinstance(data, Mapping) and key in data:
            data = data[key]
        elif isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            return None
    return data


def text(value: Any) -> str | None:
    """Read a word that a vendor may send as a string or a number, with blanks around it.

    Returns:
        The stripped text, or None for a blank, a null, or something that is neither text nor number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return _storable(str(value)).strip() or None
    except ValueError:  # an integer of more digits than Python writes out
        return None


def fold(status: str) -> str:
    """Give a status without blanks around it and without regard to case, to compare it by."""
    return status.strip().casefold()


def fraction(value: Any, whole: float) -> float | None:
    """Read progress.

    Args:
        value: A number, or a number in a string.
        whole: What the vendor counts up to.

    Returns:
        The progress from 0 to 1, or None where there is no number to read.
    """
    number = _number(value)
    return None if number is None else min(max(number / whole, 0.0), 1.0)


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Read a time in any of the shapes that the vendors use.

    They are: ISO 8601 with a zone, ``yyyy-MM-dd HH:mm:ss`` without one, Unix seconds, Unix milliseconds, and
    either number in a string; with blanks or a newline around it.

    Args:
        value: The vendor's value.
        zone: The zone of times that name none.

    Returns:
        The time in UTC, or None where the value holds none. Zero and negative numbers are the vendors' "not yet".
    """
    number = _number(value)
    try:
        if number is not None:
            seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
            return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
        if not isinstance(value, str):
            return None
        return aware(datetime.fromisoformat(value.strip()), zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def aware(time: datetime, zone: tzinfo) -> datetime:
    """Give a time that names a zone.

    Args:
        time: The time.
        zone: The zone that it is in, if it names none.
    """
    return time if time.tzinfo else time.replace(tzinfo=zone)


def iso_utc(time: datetime) -> str:
    """Write a time as ISO 8601 in UTC, to the second, as vendors take it.

    Args:
        time: A time that names a zone.
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value: Any, depth: int = _MAX_DEPTH) -> Any:
    """Copy a decoded JSON value so that any database can store it.

    Lone surrogates and NUL characters, both legal in JSON and both refused by PostgreSQL, are replaced or dropped;
    NaN and the infinities, which are no JSON, become None, and so does what is nested deeper than ``depth``.
    """
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return {_storable(str(key)): plain(item, depth - 1) for key, item in value.items()} if depth else None
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value] if depth else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def embedded_json(value: Any) -> Any:
    """Decode JSON that a vendor put inside a string, also where it was escaped once too often.

    Args:
        value: The vendor's value.

    Returns:
        The decoded object or list; ``value`` itself where it is no string, or holds no JSON object or list.
    """
    decoded = value
    for _ in range(_MAX_NESTING):
        if not isinstance(decoded, str):
            break
        decoded = _decode_once(decoded.strip())
    return plain(decoded) if isinstance(decoded, dict | list) else value


def load_json(body: str | bytes) -> Any:
    """Decode a JSON document.

    Returns:
        The decoded value; None where the document is no JSON (or is JSON's ``null``).
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _decode_once(candidate: str) -> Any:
    if candidate[:1] not in ("{", "[", '"'):
        return None
    decoded = load_json(candidate)
    if decoded is None and '\\"' in candidate:
        # {\"app\":\"x\"} with literal backslashes, as BPStudio's InstanceIds has it: JSON that lost its outer quotes.
        decoded = load_json(f'"{candidate}"')
    return decoded


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _storable(value: str) -> str:
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
