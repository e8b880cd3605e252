"""Fill the parameters of a request into a template of its content. Pure data: no Airflow, no I/O.

A text that is exactly ``{Name}`` is replaced by the value of the parameter ``Name``. A kind after a colon converts the
value: ``{Name:integer}``, ``{Name:integers}``, ``{Name:list}``, ``{Name:comma}``, ``{Name:day}``. ``{region}`` is
replaced by the region of the request. All other values are constants. ``{{Name}}`` is the constant text ``{Name}``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec.literals import check_literal

REGION = "region"
"""The name by which a template takes the region of the request."""

Kind = Literal["integer", "integers", "list", "comma", "day"]
"""How a template converts a value.

``integer``: a whole number. ``integers``: a list of them. ``list``: a list; one value is a list of one. ``comma``: one
text of all values, separated by commas. ``day``: the first moment of a day in UTC+8, in Unix milliseconds.
"""

_PLACEHOLDER = re.compile(r"{([\w-]+)(?::(\w+))?}")
_ESCAPED = re.compile(r"{{.*}}", re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)

# Eight digits are a day, such as 20260131.
_MILLISECONDS = re.compile(r"\d{1,7}|\d{9,14}", re.ASCII)
_VENDORS_ZONE = timezone(timedelta(hours=8))

_MISSING = object()


def fill(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a request.

    A part of the template is left out if it takes parameters and none of them has a value. So a filter by an optional
    parameter is sent only with that parameter.

    Args:
        template: The template, which :func:`check` accepts.
        values: The values of the parameters by name; None for no value.

    Raises:
        InvalidArguments: A value is no whole number, although the template needs one.
    """
    return _members(template, values)


def _members(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    filled = ((name, _filled(part, values)) for name, part in template.items())
    return {name: value for name, value in filled if value is not _MISSING}


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    match part:
        case str():
            return _text(part, values)
        case Mapping() | list():
            taken = {name for name, _ in placeholders(part)}
            if taken and all(values.get(name) is None for name in taken):
                return _MISSING
            if isinstance(part, Mapping):
                return _members(part, values)
            return [value for value in (_filled(item, values) for item in part) if value is not _MISSING]
        case _:
            return part


def _text(part: str, values: Mapping[str, Any]) -> Any:
    if (found := _PLACEHOLDER.fullmatch(part)) is None:
        return part[1:-1] if _ESCAPED.fullmatch(part) else part
    name, kind = found.groups()
    value = values.get(name)
    return _MISSING if value is None else _converted(name, value, kind)


def _converted(name: str, value: Any, kind: str | None) -> Any:
    items = list(value) if isinstance(value, list | tuple) else [value]
    match kind:
        case "integer":
            return integer(name, value)
        case "integers":
            return [integer(name, item) for item in items]
        case "list":
            return items
        case "comma":
            return ",".join(map(str, items))
        case "day":
            return day(name, value)
        case _:
            return value


def integer(name: str, value: Any) -> int:
    """Return a value as the integer that the vendor takes.

    Args:
        name: The name of the parameter, for the error text.
        value: An integer, or its digits as text.

    Raises:
        InvalidArguments: The value is no whole number.
    """
    if not isinstance(value, bool) and _INTEGER.fullmatch(digits := str(value).strip()):
        return int(digits)
    raise InvalidArguments(f"{name} is {value!r:.100}; expected a whole number, because the vendor takes no other.")


def day(name: str, value: Any) -> int:
    """Return the first moment of a day in UTC+8, the vendors' time zone, in Unix milliseconds.

    Args:
        name: The name of the parameter, for the error text.
        value: A date, a datetime or ISO 8601; a time with a zone is converted to UTC+8. Unix milliseconds stay as
            they are.

    Raises:
        InvalidArguments: The value is no day.
    """
    given = str(value).strip()
    if not isinstance(value, bool) and _MILLISECONDS.fullmatch(given):
        return int(given)
    try:
        time = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidArguments(f"{name} is {value!r:.100}; expected a day, such as 2026-01-31.") from None
    local = time.astimezone(_VENDORS_ZONE) if time.tzinfo else time
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=_VENDORS_ZONE).timestamp()) * 1000


def literal(value: Any) -> Any:
    """Return the template that is filled to a constant value, also if a text in it looks like a placeholder.

    Args:
        value: A value of plain JSON types.
    """
    match value:
        case str():
            return f"{{{value}}}" if _PLACEHOLDER.fullmatch(value) or _ESCAPED.fullmatch(value) else value
        case Mapping():
            return {name: literal(item) for name, item in value.items()}
        case list() | tuple():
            return [literal(item) for item in value]
        case _:
            return value


def placeholders(part: Any) -> Iterator[tuple[str, str | None]]:
    """Yield the name and the kind of each placeholder.

    Args:
        part: A template, or a part of one.
    """
    match part:
        case str():
            if found := _PLACEHOLDER.fullmatch(part):
                yield found[1], found[2]
        case Mapping():
            for item in part.values():
                yield from placeholders(item)
        case list():
            for item in part:
                yield from placeholders(item)


def check(owner: str, template: Any, accepted: tuple[str, ...]) -> None:
    """Refuse a template that cannot be filled.

    Args:
        owner: What has the template, for the error text.
        template: The template.
        accepted: The parameters of the request.

    Raises:
        ValueError: The template names an unknown parameter or kind, or holds a value that JSON has not.
    """
    if not isinstance(template, Mapping):
        raise ValueError(f"{owner}: template is {template!r:.100}; expected a dict.")
    _check_json(owner, template)
    for name, kind in placeholders(template):
        if name == REGION and name in accepted:
            raise ValueError(f"{owner}: {{{REGION}}} in its template means the region, so it can be no parameter.")
        if name != REGION and name not in accepted:
            raise ValueError(f"{owner}: its template has {{{name}}}, which is none of its parameters {accepted}.")
        if kind is not None:
            check_literal(f"{owner}: its template has {{{name}}} of kind", kind, Kind)


def _check_json(owner: str, part: Any) -> None:
    match part:
        case None | bool() | int() | str():
            return
        case float() if math.isfinite(part):
            return
        case Mapping():
            for name, item in part.items():
                if not isinstance(name, str):
                    raise ValueError(f"{owner}: its template has the key {name!r}; expected text.")
                _check_json(owner, item)
        case list():
            for item in part:
                _check_json(owner, item)
        case _:
            raise ValueError(
                f"{owner}: its template has {part!r:.100}, of type {type(part).__name__}; expected text, a number, a "
                "boolean, None, a list or a dict."
            )
