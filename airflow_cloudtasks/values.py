"""Read single values of a vendor's answer in any form that vendors use. Pure and total: nothing here raises."""

from __future__ import annotations

import json
import math
import re
import string
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

# A larger number is Unix milliseconds, a smaller one Unix seconds. As seconds, this is the year 5138.
_MILLISECONDS_FROM = 100_000_000_000

# Vendors pad words with these. Other characters that Unicode calls blank are part of a word.
_BLANKS = string.whitespace
_NOTHING = f"{_BLANKS}\x00"
_JSON_BLANKS = " \t\r\n"
# isinstance is faster with these than with unions.
_NUMBERS = (int, float)
_CONTAINERS = (dict, list)
_DATE = re.compile(r"\d{4}-")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

# Levels of JSON inside a string of JSON; the vendors nest twice at most.
_MAX_NESTING = 3

MAX_DEPTH = 100
"""Levels of objects and lists that are kept. The vendors' own answers stay below ten."""

# The range of both signed and unsigned integers of 64 bits.
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_DIGITS_OF_64_BITS = 19

_WHOLE_NUMBER = re.compile(r"\d{1,12}", re.ASCII)

REQUEST_IDS = ("RequestId", "requestId", "RequestID", "request_id")
"""How the vendors' products spell the field with the id of a request."""


def at(data: Any, path: str) -> Any:
    """Return the value at a dotted path.

    Args:
        data: A decoded JSON value.
        path: E.g. ``Workflow.Name``, or ``Data.Items.0`` for the first item of a list; the empty path is ``data``.

    Returns:
        The value, or None if there is none at the path.
    """
    for key in path.split(".") if path else ():
        if isinstance(data, dict):
            data = data.get(key)
        elif isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            return None
    return data


def every_at(data: Any, path: str) -> list[Any]:
    """Return the values at a dotted path in which ``*`` stands for each item of a list, or each value of an object.

    Args:
        data: A decoded JSON value.
        path: E.g. ``Details.*.JobState``.

    Returns:
        The values that are there and are not null, in order.
    """
    found = [data]
    for key in path.split("."):
        if key == "*":
            found = [item for value in found for item in _items(value)]
        else:
            found = [at(value, key) for value in found]
    return [value for value in found if value is not None]


def _items(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def request_id(answer: Any) -> str | None:
    """Return the id that the vendor gave to a request, or None.

    Args:
        answer: The decoded answer.
    """
    return next(filter(None, (text(at(answer, name)) for name in REQUEST_IDS)), None)


def text(value: Any) -> str | None:
    """Return a value as text; vendors send some words as numbers, or with blanks around them.

    Args:
        value: The vendor's value.

    Returns:
        The text without blanks around it, and with replacements for characters that databases cannot store; None for
        a blank text and for a value that is neither text nor a number.
    """
    if isinstance(value, str):
        written = value
    elif isinstance(value, _NUMBERS) and not isinstance(value, bool) and (digits := _written(value)) is not None:
        written = digits
    else:
        return None
    bare = _storable(written).strip(_BLANKS)
    return bare if bare and written.strip(_NOTHING) and not bare.isspace() else None


def fold(status: str) -> str:
    """Return a status for comparison: without blanks around it, without regard to the case of ASCII letters.

    Nothing else is changed: a status with a stray character is another status, and never a success by mistake.

    Args:
        status: The status.
    """
    bare = status.strip(_BLANKS)
    return bare.lower() if bare.isascii() else bare.translate(_LOWER)


def fraction(value: Any, whole: float) -> float | None:
    """Return a progress as a fraction.

    Args:
        value: A number, or a number in a string.
        whole: The number that the vendor counts up to.

    Returns:
        The progress from 0 to 1, or None if ``value`` is not a number.
    """
    part = number(value)
    return None if part is None else min(max(part / whole, 0.0), 1.0)


def number(value: Any) -> float | None:
    """Return a number that a vendor may send in a string.

    Args:
        value: The vendor's value.

    Returns:
        The number; None if the value is no finite number.
    """
    if isinstance(value, str):
        # Python reads 1_00 and digits of other scripts, too. JSON and the vendors know neither. It is slow to reject
        # a date.
        if "_" in value or not value.isascii() or _DATE.match(value):
            return None
    elif isinstance(value, bool) or not isinstance(value, _NUMBERS):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def whole_number(written: str) -> int | None:
    """Return the whole number that a text of up to 12 digits is; None for any other text.

    Args:
        written: The text, without blanks or a sign.
    """
    # Instead of str.isdigit, which accepts ² and any length: int() raises for both.
    return int(written) if _WHOLE_NUMBER.fullmatch(written) else None


def moment(value: Any, zone: tzinfo) -> datetime | None:
    """Return a time that a vendor sends in any of the usual forms.

    The forms are ISO 8601 with a zone, ``yyyy-MM-dd HH:mm:ss`` without one, Unix seconds, Unix milliseconds, and
    either number in a string. Blanks and newlines around a text are ignored.

    Args:
        value: The vendor's value.
        zone: The zone of times without one.

    Returns:
        The time in UTC, or None if the value is no time. Zero and negative numbers are no time: vendors send them for
        an event that has not happened yet.
    """
    unix = number(value)
    try:
        if unix is not None:
            return _from_unix(unix)
        if isinstance(value, str):
            return aware(datetime.fromisoformat(value.strip()), zone).astimezone(UTC)
    except (ValueError, OverflowError, OSError):  # not a date, or a date that Python cannot represent
        pass
    return None


def aware(time: datetime, zone: tzinfo) -> datetime:
    """Return a time with a zone.

    Args:
        time: The time.
        zone: The zone to add if the time has none.
    """
    return time if time.tzinfo else time.replace(tzinfo=zone)


def iso_utc(time: datetime) -> str:
    """Return a time as ISO 8601 in UTC, to the second, as vendors accept it.

    Args:
        time: A time with a zone.
    """
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return a copy of a decoded JSON value that any database can store.

    JSON allows lone surrogates and NUL characters, but PostgreSQL rejects them. U+FFFD replaces a NUL, and a question
    mark a surrogate; nothing is left out, so that no text becomes equal to another one. NaN, the infinities (which are
    not JSON) and everything nested deeper than ``depth`` become None. An integer that 64 bits do not hold becomes text,
    because Airflow passes integers on in 64 bits; None if Python cannot write it.

    Args:
        value: The decoded value.
        depth: The levels of objects and lists to keep.
    """
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, dict):
        return {_storable(str(key)): plain(item, depth - 1) for key, item in value.items()} if depth else None
    if isinstance(value, list | tuple):
        return [plain(item, depth - 1) for item in value] if depth else None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return _written(value)
    return value


def embedded_json(value: Any) -> Any:
    """Decode JSON inside a string, even if the vendor escaped it once too often.

    Args:
        value: The vendor's value.

    Returns:
        The decoded object or list; ``value`` itself if it is not a string with a JSON object or list.
    """
    decoded = value
    for _ in range(_MAX_NESTING):
        if not isinstance(decoded, str):
            break
        decoded = _decode_once(decoded.strip())
    return decoded if isinstance(decoded, _CONTAINERS) else value


def load_json(document: str | bytes) -> Any:
    """Decode a JSON document to values that any database can store, see :func:`plain`.

    Args:
        document: The document, as text or in UTF-8.

    Returns:
        The decoded value; None if the document is not JSON, or is JSON's ``null``.
    """
    try:
        source = document if isinstance(document, str) else document.decode()
    except ValueError:
        return None
    try:
        decoded, end = _decode(source)
    except (ValueError, RecursionError):
        return _load_padded(source)
    if end != len(source):
        return _load_padded(source)
    return plain(decoded) if _may_hold_unstorable(source) else decoded


def _load_padded(document: str) -> Any:
    """Decode a document with blanks around it; None if it is no JSON for another reason."""
    bare = document.strip(_JSON_BLANKS)
    return None if bare == document else load_json(bare)


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _whole(digits: str) -> int | str:
    """Return an integer; one that 64 bits do not hold stays text, because Airflow passes integers on in 64 bits."""
    return int(digits) if len(digits) < _DIGITS_OF_64_BITS else _within_64_bits(digits)


def _within_64_bits(digits: str) -> int | str:
    value = int(digits) if len(digits) <= _DIGITS_OF_64_BITS + 1 else None
    return digits if value is None or not _SMALLEST <= value <= _LARGEST else value


_HOOKS: dict[str, Any] = {"parse_float": _finite, "parse_int": _whole, "parse_constant": lambda _: None}
# Not ``decode``: looking for blanks around a document takes as long as decoding a short one.
_decode = json.JSONDecoder(**_HOOKS).raw_decode

LENIENT_DECODER = json.JSONDecoder(**_HOOKS, strict=False)
"""Decodes texts with raw control characters, too."""


def _may_hold_unstorable(document: str) -> bool:
    """Return whether a decoded document may need :func:`plain`, which takes longer than decoding it.

    A NUL is written as an escape, a lone surrogate as an escape or as itself. A document with few brackets is not
    nested deeply.
    """
    if "\\u" in document:
        return True
    # An object with a hundred levels has at least two hundred brackets.
    if len(document) > 2 * MAX_DEPTH and document.count("{") + document.count("[") > MAX_DEPTH:
        return True
    return not document.isascii() and _SURROGATE.search(document) is not None


_SURROGATE = re.compile("[\ud800-\udfff]")


def _decode_once(candidate: str) -> Any:
    if candidate[:1] not in ("{", "[", '"'):
        return None
    if '\\"' in candidate and '"' not in candidate.replace('\\"', ""):
        # BPStudio's InstanceIds has {\"app\":\"x\"} with literal backslashes: a JSON string without its outer quotes.
        candidate = f'"{candidate}"'
    return load_json(candidate)


def _from_unix(unix: float) -> datetime | None:
    seconds = unix / 1000 if unix >= _MILLISECONDS_FROM else unix
    return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None


def _written(value: str | float) -> str | None:
    try:
        return str(value)
    except ValueError:  # the integer has more digits than Python converts
        return None


def _storable(value: str) -> str:
    if value.isascii() and "\x00" not in value:
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
