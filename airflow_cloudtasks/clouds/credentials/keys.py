"""Read keys from the environment and from profiles."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.clouds.credentials.chain import Nothing
from airflow_cloudtasks.clouds.credentials.files import Unusable
from airflow_cloudtasks.clouds.credentials.source import Fetched
from airflow_cloudtasks.clouds.wire import Credentials, is_visible
from airflow_cloudtasks.values import whole_number


class Profile:
    """The fields of one profile of a file.

    Args:
        path: The file's path.
        name: The profile, as people look it up in the file, e.g. ``section [default]``.
        fields: Its fields.
    """

    def __init__(self, path: str, name: str, fields: Mapping[str, Any]) -> None:
        self.path = path
        self.name = name
        self.fields = fields

    @property
    def origin(self) -> str:
        """The profile and its file, for error texts."""
        return f"{self.name} of {self.path}"

    def unusable(self, why: str) -> Unusable:
        """Return the error for a profile that cannot be used.

        Args:
            why: What is wrong with it.
        """
        return Unusable(self.origin, why)

    def text(self, field: str) -> str | None:
        """Return the text in a field; None if it is missing or blank.

        Args:
            field: The field's name.

        Raises:
            Unusable: It holds no text.
        """
        value = self.fields.get(field)
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise self.unusable(f"has no text in {field}")
        return None if value is None else str(value).strip() or None

    def needed(self, field: str) -> str:
        """Return the text in a field.

        Args:
            field: The field's name.

        Raises:
            Unusable: It is missing.
        """
        if (value := self.text(field)) is None:
            raise self.unusable(f"has no {field}")
        return value

    def seconds(self, field: str) -> int | None:
        """Return the number of seconds in a field; None if it is missing or 0.

        Args:
            field: The field's name.

        Raises:
            Unusable: It holds no whole number.
        """
        if (value := self.text(field)) is None:
            return None
        if (seconds := whole_number(value)) is None:
            raise self.unusable(f"has no whole number in {field}")
        return seconds or None

    def key(self, key_id: str, secret: str, token: str | None = None) -> Credentials:
        """Return the key that the profile holds.

        Args:
            key_id: The field of the key's id.
            secret: The field of its secret.
            token: The field of its security token; None for a key without one.

        Raises:
            Unusable: A part is missing, or holds a character that no key has.
        """
        fields = (key_id, secret) if token is None else (key_id, secret, token)
        parts = [self.needed(field) for field in fields]
        for field, part in zip(fields, parts, strict=True):
            if not is_visible(part):
                raise self.unusable(f"has a blank or another character that no key has in {field}")
        return Credentials(parts[0], parts[1], parts[2] if token is not None else None, self.origin)


def key_of_environment(key_id: str, secret: str, token: str) -> Fetched | Nothing:
    """Return the key in environment variables; Nothing if the id or the secret is not set.

    Args:
        key_id: The variable of the key's id.
        secret: The variable of its secret.
        token: The variable of its security token, which a permanent key has not.

    Raises:
        Unusable: A variable holds a character that no key has.
    """
    values = {name: os.environ.get(name, "").strip() for name in (key_id, secret, token)}
    if not (values[key_id] and values[secret]):
        return Nothing(f"no {key_id} and {secret} in the environment")
    for name, value in values.items():
        if value and not is_visible(value):
            raise Unusable(name, "of the environment has a blank or another character that no key has")
    origin = f"{key_id} and {secret} of the environment"
    return Fetched(Credentials(values[key_id], values[secret], values[token] or None, origin))
