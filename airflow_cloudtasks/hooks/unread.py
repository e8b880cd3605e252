"""Name the fields of a connection's Extra that nothing reads, each with the field that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues, known_extras
from airflow_cloudtasks.hooks.settings import EXTRA, chosen_auth_type, find_settings

# Fields of a connection itself, which Extra does not replace.
_STANDARD_FIELDS = {"login": "Login", "password": "Password", "host": "Host", "port": "Port"}
# A URI with a ? in its secret makes a name of the secret's end. Such a name is not repeated.
_PLAIN_NAME = re.compile(r"[\w.-]{1,100}")
_MOST_NAMES = 20


def unread_fields(fields: ConnectionFields, values: ConnectionValues) -> str | None:
    """Return a sentence with the fields of Extra that have no meaning here; None if all have one.

    Args:
        fields: The fields of the cloud's connections.
        values: The values in the connection. Of another provider's connection, only fields that resemble one of this
            provider are named.
    """
    unread = [*_unknown(fields, values), *_unused(fields, values)]
    if not unread:
        return None
    more = f" and {len(unread) - _MOST_NAMES} more" if len(unread) > _MOST_NAMES else ""
    return f"Its Extra has fields that are not used: {', '.join(unread[:_MOST_NAMES])}{more}."


def _unknown(fields: ConnectionFields, values: ConnectionValues) -> Iterator[str]:
    """Yield the fields that no connection of this cloud has."""
    known = known_extras(fields)
    is_own = values.conn_type == fields.own_type
    for name, value in (values.extra or {}).items():
        if name in known or (not is_own and name in fields.official_extras):
            continue
        hint = _hint(name, value, known)
        if hint or is_own:
            shown = repr(name) if _PLAIN_NAME.fullmatch(name) else "one whose name has other characters than a field's"
            yield f"{shown}{hint}"


def _unused(fields: ConnectionFields, values: ConnectionValues) -> Iterator[str]:
    """Yield the fields that only another ``auth_type`` reads."""
    settings = find_settings(fields, values)
    try:
        auth_type, _ = chosen_auth_type(fields, settings)
    except InvalidConnection:
        return
    readers: dict[str, list[str]] = {}
    for other, required in fields.auth_types.items():
        for name in required:
            readers.setdefault(name, []).append(other)
    for name, others in readers.items():
        found = settings.found.get(name)
        # A token beside auth_type access_key is an error of its own.
        is_error = auth_type == "access_key" and name == fields.token_extra
        if found and found.source == EXTRA and auth_type not in others and not is_error:
            yield f"{name!r} (auth_type is {auth_type}; {' and '.join(others)} would use it)"


def _hint(name: str, value: Any, known: Iterable[str]) -> str:
    """Return, in parentheses, how to mend an unread field; empty if that cannot be told."""
    if isinstance(value, Mapping) and (nested := next((field for field in value if field in known), None)):
        return f" (write {nested!r} and its other fields directly into Extra)"
    if field := _STANDARD_FIELDS.get(name.lower()):
        return f" (did you mean the field {field} of the connection?)"
    by_letters = {_letters(field): field for field in known}
    # Forms of Airflow 2 wrote extra__CONNECTION_TYPE__FIELD.
    nearest = get_close_matches(_letters(re.sub(r"^extra__\w+?__", "", name)), by_letters, 1)
    return f" (did you mean {by_letters[nearest[0]]!r}?)" if nearest else ""


def _letters(name: str) -> str:
    """Return a name without regard to case, hyphens and underscores: AccessKeyId is access_key_id."""
    return re.sub(r"[\W_]", "", name).lower()
