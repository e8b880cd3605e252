"""Reads an Airflow connection. Pure: a few plain values in, an Account out, or one sentence that says what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.client import Account, Retries
from airflow_cloudtasks.clouds.credentials import CredentialSource, StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.transport import Timeouts

_SITES = ("cn", "intl")

# Anything else cannot stand in a header, and would only be told when a request is sent.
_VISIBLE = re.compile(r"[!-~]+")
_TIMEOUTS, _RETRIES = Timeouts(), Retries()


@dataclass(frozen=True, kw_only=True)
class ConnectionValues:
    """What this package reads of an Airflow connection.

    Args:
        conn_id: The connection's id.
        conn_type: Its type.
        login: The field Login.
        password: The field Password.
        host: The field Host.
        port: The field Port.
        extra: The field Extra, decoded.
    """

    conn_id: str
    conn_type: str
    login: str | None
    password: str | None
    host: str | None
    port: int | None
    extra: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Words:
    """What one cloud calls the parts of a credential.

    Args:
        cloud: The cloud.
        conn_types: The connection types that can be read, the package's own first.
        key_id: What the vendor calls the key's id.
        secret: What it calls the key's secret.
        token_extra: The field of Extra that holds a temporary token.
        key_id_extra: The field of Extra that holds the key's id where Login is empty.
        secret_extra: The same for the secret.
    """

    cloud: Cloud
    conn_types: tuple[str, ...]
    key_id: str
    secret: str
    token_extra: str
    key_id_extra: str
    secret_extra: str


ALIBABA = Words(
    cloud="alibaba",
    # alibaba_cloud is the official provider's type; it keeps the AccessKey pair in Extra.
    conn_types=("cloudtasks_alibaba", "alibaba_cloud"),
    key_id="AccessKey ID",
    secret="AccessKey secret",  # noqa: S106 - a label, no secret
    token_extra="security_token",  # noqa: S106 - a field's name
    key_id_extra="access_key_id",
    secret_extra="access_key_secret",  # noqa: S106 - a field's name
)
TENCENT = Words(
    cloud="tencent",
    conn_types=("cloudtasks_tencent",),
    key_id="SecretId",
    secret="SecretKey",  # noqa: S106 - a label, no secret
    token_extra="token",  # noqa: S106 - a field's name
    key_id_extra="secret_id",
    secret_extra="secret_key",  # noqa: S106 - a field's name
)


def read_connection(words: Words, values: ConnectionValues, user_agent: str) -> Account:
    """Make an account of a connection.

    Args:
        words: The cloud.
        values: The connection.
        user_agent: Who asks.

    Raises:
        InvalidConnection: The connection cannot be used; the text says what is wrong and how to mend it.
    """
    try:
        if values.conn_type not in words.conn_types:
            raise InvalidConnection(f"its type is {values.conn_type!r}; expected {' or '.join(words.conn_types)}.")
        return Account(
            cloud=words.cloud,
            credentials=_credentials(words, values),
            region=_text(values.extra, "region"),
            site=_one_of(values.extra, "site", _SITES),
            endpoint=_endpoint(values),
            timeouts=Timeouts(
                connect=_seconds(values.extra, "connect_timeout", _TIMEOUTS.connect),
                read=_seconds(values.extra, "read_timeout", _TIMEOUTS.read),
            ),
            retries=Retries(
                tries=_whole(values.extra, "max_tries", _RETRIES.tries),
                seconds=_seconds(values.extra, "max_retry_seconds", _RETRIES.seconds, or_zero=True),
            ),
            user_agent=user_agent,
        )
    except InvalidConnection as error:
        raise InvalidConnection(f"The Airflow connection {values.conn_id!r} cannot be used: {error}") from None


def _access_key(words: Words, values: ConnectionValues) -> CredentialSource:
    return StaticCredentials(Credentials(*_key_pair(words, values)))


def _sts(words: Words, values: ConnectionValues) -> CredentialSource:
    token = _text(values.extra, words.token_extra)
    if token is None:
        raise InvalidConnection(
            f"auth_type sts needs the temporary token; put it into Extra as {words.token_extra!r}, "
            "or set auth_type to access_key."
        )
    if not _VISIBLE.fullmatch(token):
        raise InvalidConnection(
            "its temporary token holds a blank, a control character or one beyond ASCII, as no token does; "
            f"copy it once more into Extra as {words.token_extra!r}."
        )
    return StaticCredentials(Credentials(*_key_pair(words, values), token))


# A kind of credential is a function here; the form in provider.yaml offers the same names.
AUTH_TYPES: dict[str, Callable[[Words, ConnectionValues], CredentialSource]] = {
    "access_key": _access_key,
    "sts": _sts,
}


def _credentials(words: Words, values: ConnectionValues) -> CredentialSource:
    told = _text(values.extra, "auth_type")
    # A token is of no use without sts, so it says as much as the word itself.
    auth_type = told or ("sts" if _text(values.extra, words.token_extra) else "access_key")
    if auth_type not in AUTH_TYPES:
        raise InvalidConnection(f"auth_type is {auth_type!r}; expected one of {', '.join(AUTH_TYPES)}.")
    return AUTH_TYPES[auth_type](words, values)


def _key_pair(words: Words, values: ConnectionValues) -> tuple[str, str]:
    key_id = (values.login or "").strip() or _text(values.extra, words.key_id_extra)
    secret = (values.password or "").strip() or _text(values.extra, words.secret_extra)
    for label, field, value in ((words.key_id, "Login", key_id), (words.secret, "Password", secret)):
        if not value:
            raise InvalidConnection(f"it has no {label}; put it into the field {label} ({field}).")
        if not _VISIBLE.fullmatch(value):
            raise InvalidConnection(
                f"its {label} holds a blank, a control character or one beyond ASCII, as no key does; "
                f"copy it once more into the field {label} ({field})."
            )
    return key_id or "", secret or ""


def _endpoint(values: ConnectionValues) -> Endpoint | None:
    host = (values.host or "").strip()
    if not host:
        return None
    return Endpoint.parse(f"{host}:{values.port}" if values.port else host)


def _text(extra: Mapping[str, Any], name: str) -> str | None:
    value = extra.get(name)
    return None if value is None else str(value).strip() or None


def _one_of(extra: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = _text(extra, name) or choices[0]
    if value not in choices:
        raise InvalidConnection(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
    return value


def _seconds(extra: Mapping[str, Any], name: str, default: float, *, or_zero: bool = False) -> float:
    written = _text(extra, name)
    if written is None:
        return default
    try:
        seconds = float(written)
    except ValueError:
        seconds = -1.0
    if not (0 < seconds < float("inf") or (or_zero and seconds == 0)):
        least = "of at least 0" if or_zero else "above 0"
        raise InvalidConnection(f"{name} is {written!r}; expected a number of seconds {least}.")
    return seconds


def _whole(extra: Mapping[str, Any], name: str, default: int) -> int:
    written = _text(extra, name)
    if written is None:
        return default
    if not written.isdecimal() or int(written) < 1:
        raise InvalidConnection(f"{name} is {written!r}; expected a whole number of at least 1.")
    return int(written)
