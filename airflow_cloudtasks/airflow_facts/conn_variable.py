"""Say why Airflow cannot read a connection from an environment variable. Pure; it repeats no value, only names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

# Source: airflow.models.connection.Connection, the arguments of its constructor.
_TEXTS = ("conn_type", "description", "host", "login", "password", "schema")
_FIELDS = (*_TEXTS, "port", "extra", "uri")
_ESCAPES = "/ as %2F, + as %2B, = as %3D, @ as %40, : as %3A, ? as %3F, # as %23, [ as %5B"


def variable_name(conn_id: str) -> str:
    """Return the name of the environment variable that may hold a connection.

    Args:
        conn_id: The connection's id.
    """
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def unreadable_because(value: str) -> str:
    """Return what is wrong with a connection that Airflow could not read from an environment variable.

    Args:
        value: The variable's value.
    """
    text = value.strip()
    return _json_problem(text) if text.startswith("{") else _uri_problem(text)


def _json_problem(text: str) -> str:
    try:
        fields: Mapping[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        return f"it is not valid JSON{place}"
    unknown = [f"{name!r:.60}" for name in fields if name not in _FIELDS]
    if unknown:
        return f"its JSON has {', '.join(unknown[:5])}, which no connection has; fields of a provider belong into extra"
    if "uri" in fields:
        return "its JSON has 'uri' beside other fields; write one or the other"
    for name in _TEXTS:
        if not isinstance(fields.get(name), str | None):
            return f"its {name} is not a text; write it in quotes"
    return "its port is not a whole number"


def _uri_problem(text: str) -> str:
    escapes = f"percent-encode the key id, the secret and each value: {_ESCAPES}"
    try:
        _ = urlsplit(text).port
    except ValueError:
        return f"a character of its key id or secret ends the address; {escapes}"
    return f"it is not a URI that Airflow reads; write TYPE://LOGIN:PASSWORD@/?FIELD=VALUE, and {escapes}"
