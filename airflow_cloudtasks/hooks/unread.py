"""Name the fields of a connection's Extra that nothing reads, each with the field that was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from airflow_cloudtasks.get_provider_info import connection_type
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues

# Fields of a connection itself, which Extra does not replace.
_STANDARD_FIELDS = {"login": "Login", "password": "Password", "host": "Host", "port": "Port"}
_LONGEST_NAME = 100
_MOST_NAMES = 20


def known_extras(fields: ConnectionFields) -> tuple[str, ...]:
    """Return the names of all fields of Extra that this package reads.

    Args:
        fields: The fields of the cloud's connections.
    """
    return (fields.key_id_extra, fields.secret_extra, *connection_type(fields.own_type)["conn-fields"])


def unread_fields(fields: ConnectionFields, values: ConnectionValues) -> str | None:
    """Return a sentence with the fields of Extra that have no meaning here; None if all have one.

    Args:
        fields: The fields of the cloud's connections.
        values: The values in the connection. Of another provider's connection, only fields that resemble one of this
            provider are named.
    """
    known = known_extras(fields)
    is_own = values.conn_type == fields.own_type
    unread = []
    for name, value in (values.extra or {}).items():
        if name in known or (not is_own and name in fields.official_extras):
            continue
        hint = _hint(name, value, known)
        if hint or is_own:
            unread.append(f"{name!r:.{_LONGEST_NAME}}{hint}")
    if not unread:
        return None
    more = f" and {len(unread) - _MOST_NAMES} more" if len(unread) > _MOST_NAMES else ""
    return f"Its Extra has fields that are not used: {', '.join(unread[:_MOST_NAMES])}{more}."


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
