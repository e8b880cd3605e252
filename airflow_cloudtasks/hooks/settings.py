"""The settings of an Airflow connection: where each value was found, and how it is parsed.

This module imports nothing of Airflow.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.fields import ConnectionFields, ConnectionValues, known_extras
from airflow_cloudtasks.values import load_json, whole_number

EXTRA = "Extra"
"""The source of a setting that is a field of Extra."""

# More than a week. A socket accepts no timeout of centuries.
_MOST_SECONDS = 1_000_000

_JSON_TYPES: dict[type, str] = {list: "array", dict: "object"}


@dataclass(frozen=True, slots=True)
class Found:
    """A value as it was written, with the place where it was found.

    Args:
        value: A text, a number or a decoded JSON value; never blank.
        source: ``Extra``, another field of the connection such as ``Login``, or an environment variable.
    """

    value: Any
    source: str


class Settings:
    """Parse the settings of a connection.

    Each method takes the setting's name, and what to return if it is not set. Each raises InvalidConnection with one
    sentence that names the wrong setting.

    Args:
        found: The value of each setting that has one, by the setting's name.
    """

    def __init__(self, found: Mapping[str, Found]) -> None:
        self.found = found

    def written(self, name: str) -> str | None:
        """Return a number or JSON as text; None if it is not set."""
        found = self.found.get(name)
        return str(found.value).strip() if found else None

    def text(self, name: str) -> str | None:
        """Return a text; None if it is not set.

        Some Airflow releases decode JSON in the query of a URI, so that ``true`` arrives as True. A float may have lost
        digits by then: 1.10 is read as 1.1.

        Raises:
            InvalidConnection: The value is a number with a fraction, an array or an object.
        """
        found = self.found.get(name)
        if found is None:
            return None
        if isinstance(found.value, bool):
            return str(found.value).lower()
        if not isinstance(found.value, str | int):
            # Do not repeat the value: it may be a secret.
            raise InvalidConnection(
                f"{name} is of JSON's type {_JSON_TYPES.get(type(found.value), 'number')}; expected text: write Extra "
                "as JSON, with the value in quotes."
            )
        return self.written(name)

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of several words, in any case; the first of them if it is not set."""
        written = self.text(name) or choices[0]
        if (value := written.lower()) not in choices:
            raise InvalidConnection(f"{name} is {written!r:.100}; expected one of {', '.join(choices)}.")
        return value

    def seconds(self, name: str, default: float, *, or_zero: bool = False) -> float:
        """Return a number of seconds from above 0, or from 0, to a million; ``default`` if it is not set."""
        written = self.written(name)
        if written is None:
            return default
        try:
            seconds = float(written)
        except ValueError:
            seconds = -1.0
        if not (0 < seconds <= _MOST_SECONDS or (or_zero and seconds == 0)):
            least = "of at least 0" if or_zero else "above 0"
            most = f" and of at most {_MOST_SECONDS:,}" if seconds > _MOST_SECONDS else ""
            raise InvalidConnection(f"{name} is {written!r:.100}; expected a number of seconds {least}{most}.")
        return seconds

    def whole(self, name: str, default: int) -> int:
        """Return a whole number of at least 1, also one that is written as 3.0; ``default`` if it is not set."""
        written = self.written(name)
        if written is None:
            return default
        if not (whole := whole_number(written.removesuffix(".0"))):
            raise InvalidConnection(f"{name} is {written!r:.100}; expected a whole number of at least 1.")
        return whole

    def decoded(self, name: str) -> Any:
        """Return a decoded JSON value, which may have been written as text; None if it is not set or not JSON."""
        found = self.found.get(name)
        value = found.value if found else None
        return load_json(value) if isinstance(value, str) else value

    def file(self, name: str) -> str | None:
        """Return the path of a file that exists; None if it is not set."""
        path = self.text(name)
        if path and not os.path.isfile(path):
            raise InvalidConnection(f"{name} names {path!r}, and there is no such file on this machine.")
        return path


def find_settings(fields: ConnectionFields, values: ConnectionValues) -> Settings:
    """Return the settings that a connection has.

    Login and Password take precedence over the key pair in Extra, and Extra over the environment's variables.

    Args:
        fields: The fields of the cloud's connections.
        values: The values in the connection.
    """
    extra = values.extra or {}
    uses_host = values.conn_type not in fields.official_types
    host = (values.host or "").strip() if uses_host else ""
    places = [
        *(
            (name, os.environ.get(variable), f"environment variable {variable}")
            for name, variable in fields.variables.items()
        ),
        *((name, extra.get(name), EXTRA) for name in known_extras(fields)),
        (fields.key_id_extra, values.login, "Login"),
        (fields.secret_extra, values.password, "Password"),
        ("host", f"{host}:{values.port}" if host and values.port else host, "Host"),
    ]
    # The last place wins.
    return Settings({name: Found(value, source) for name, value, source in places if not _is_blank(value)})


def chosen_auth_type(fields: ConnectionFields, settings: Settings) -> tuple[str, str | None]:
    """Return how a connection authenticates, and the reason if it has no ``auth_type``.

    Args:
        fields: The fields of the cloud's connections.
        settings: The connection's settings.

    Raises:
        InvalidConnection: It names an unknown ``auth_type``.
    """
    written = settings.text("auth_type")
    if written is None:
        if settings.text(fields.token_extra):
            return "sts", "it has a token"
        if {fields.key_id_extra, fields.secret_extra} & settings.found.keys():
            return "access_key", "it has a key and no token"
        return "default", "it has no key"
    auth_type = fields.auth_type_aliases.get(written.lower(), written.lower())
    if auth_type not in fields.auth_types:
        raise InvalidConnection(f"auth_type is {written!r:.100}; expected one of {', '.join(fields.auth_types)}.")
    return auth_type, None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
