"""Describe a connection as it is understood, to show to a person."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.clouds.client import FEED_INTERVAL
from airflow_cloudtasks.clouds.network import Timeouts
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.connection import SITES
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues, known_extras
from airflow_cloudtasks.hooks.settings import Found, chosen_auth_type, find_settings
from airflow_cloudtasks.values import load_json

_HIDDEN = "***"
_ADDRESSES = ("host", "endpoints", "proxy", "notify_queue")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is understood; it holds no secret.

    Args:
        name: The setting, as Extra has it; ``host`` for an endpoint of all services.
        value: The value as text; ``***`` in place of a secret; None if it is not set and has no default.
        source: Where the value comes from: ``Login``, ``Password``, ``Host``, ``Extra``, ``environment variable NAME``,
            ``default``, or the reason for a value that was not written.
    """

    name: str
    value: str | None
    source: str


def describe(fields: ConnectionFields, values: ConnectionValues) -> list[Setting]:
    """Return each setting of a connection with the place where it was found; also of one that cannot be used.

    It reads no file and sends nothing. It lists what is set, what has a default, and the region in any case.

    Args:
        fields: The fields of the cloud's connections.
        values: The values in the connection.
    """
    settings = find_settings(fields, values)
    try:
        auth_type, reason = chosen_auth_type(fields, settings)
    except InvalidConnection:
        auth_type, reason = "", None
    defaults = dict(_defaults(fields))
    if reason:
        defaults["auth_type"] = Setting("auth_type", auth_type, reason)
    described = []
    for name in ("host", *known_extras(fields)):
        found = settings.found.get(name)
        if found and found.source.startswith("environment") and name not in fields.auth_types.get(auth_type, ()):
            # Only this auth_type's variables are read.
            found = None
        if found:
            described.append(Setting(name, _shown(fields, name, found), found.source))
        elif name in defaults:
            described.append(defaults[name])
    return described


def _shown(fields: ConnectionFields, name: str, found: Found) -> str:
    # An external id works like a password to the role.
    if name in (fields.secret_extra, fields.token_extra, "external_id"):
        return _HIDDEN
    return _text(_without_logins(found.value) if name in _ADDRESSES else found.value)


def _without_logins(address: Any) -> Any:
    """Return an address, or a JSON object of several, without the logins before an ``@``; it need not be valid."""
    addresses = load_json(address) if isinstance(address, str) else address
    if isinstance(addresses, dict):
        return {name: _without_logins(each) for name, each in addresses.items()}
    before, at, after = _text(address).rpartition("@")
    scheme = re.match(r"\w+://", before)
    return f"{scheme[0] if scheme else ''}{_HIDDEN}@{after}" if at else after


def _text(value: Any) -> str:
    """Return a value as a person would write it."""
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _defaults(fields: ConnectionFields) -> Iterator[tuple[str, Setting]]:
    """Yield the settings that apply if nothing is written."""
    timeouts, retries = Timeouts(), Retries()
    values = {
        "region": None,
        "site": SITES[0],
        "network": CLOUDS[fields.cloud].NETWORKS[0],
        "connect_timeout": f"{timeouts.connect:g}",
        "read_timeout": f"{timeouts.read:g}",
        "max_tries": f"{retries.tries:g}",
        "max_retry_seconds": f"{retries.seconds:g}",
        "feed_interval": f"{FEED_INTERVAL:g}",
    }
    for name, value in values.items():
        yield name, Setting(name, value, "default" if value else "not set")
