"""Parses an Airflow connection into an Account, or raises one sentence that says what is wrong with it.

This module imports nothing of Airflow.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from airflow_cloudtasks.clouds.client import Account, Retries
from airflow_cloudtasks.clouds.credentials.shared import shared_credentials
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, CredentialSource, StaticCredentials
from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.get_provider_info import connection_type
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.values import load_json

_SITES = ("cn", "intl")

# The characters that a key may have: a header allows no others. Check here, so that a bad key fails before the first
# request.
_VISIBLE = re.compile(r"[!-~]+")
_JSON_TYPES: dict[type, str] = {list: "array", dict: "object"}
_TIMEOUTS, _RETRIES = Timeouts(), Retries()
# Source: both clouds' AssumeRole. The role itself limits how long a session may last.
_MIN_SESSION_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class ConnectionValues:
    """The parts of an Airflow connection that this package reads.

    Args:
        conn_id: Id of the connection.
        conn_type: Type of the connection.
        login: The field Login.
        password: The field Password.
        host: The field Host.
        port: The field Port.
        extra: The field Extra, decoded; None if it is not a JSON object.
    """

    conn_id: str
    conn_type: str
    login: str | None
    password: str | None
    host: str | None
    port: int | None
    extra: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class ConnectionFields:
    """The fields of one cloud's connections, by the names that the vendor gives them.

    Args:
        cloud: The cloud.
        conn_types: Connection types that can be read, the package's own type first.
        key_id_label: The vendor's name for the id of a key pair.
        secret_label: The vendor's name for the secret of a key pair.
        token_extra: Field of Extra with a temporary token.
        key_id_extra: Field of Extra with the key's id, read if Login is empty.
        secret_extra: Field of Extra with the key's secret, read if Password is empty.
        auth_types: Each value of ``auth_type`` with the fields of Extra that it requires; ``key`` stands for the pair.
        variables: Fields of Extra that the vendor's own tools also read from the environment, with their variables.
    """

    cloud: Cloud
    conn_types: tuple[str, ...]
    key_id_label: str
    secret_label: str
    token_extra: str
    key_id_extra: str
    secret_extra: str
    auth_types: Mapping[str, tuple[str, ...]]
    variables: Mapping[str, str]


ALIBABA_FIELDS = ConnectionFields(
    cloud="alibaba",
    # alibaba_cloud is the official provider's type; it keeps the AccessKey pair in Extra.
    conn_types=("cloudtasks_alibaba", "alibaba_cloud"),
    key_id_label="AccessKey ID",
    secret_label="AccessKey secret",  # noqa: S106 - a label, not a secret
    token_extra="security_token",  # noqa: S106 - a field's name
    key_id_extra="access_key_id",
    secret_extra="access_key_secret",  # noqa: S106 - a field's name
    auth_types={
        "access_key": ("key",),
        "sts": ("key", "security_token"),
        "ram_role_arn": ("key", "role_arn"),
        "ecs_ram_role": (),
        "oidc_role_arn": ("role_arn", "oidc_provider_arn", "oidc_token_file"),
        "default": (),
    },
    # Source: Alibaba Cloud, RRSA. ACK sets these variables in its pods.
    variables={
        "role_arn": "ALIBABA_CLOUD_ROLE_ARN",
        "oidc_provider_arn": "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "oidc_token_file": "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    },
)
TENCENT_FIELDS = ConnectionFields(
    cloud="tencent",
    conn_types=("cloudtasks_tencent",),
    key_id_label="SecretId",
    secret_label="SecretKey",  # noqa: S106 - a label, not a secret
    token_extra="token",  # noqa: S106 - a field's name
    key_id_extra="secret_id",
    secret_extra="secret_key",  # noqa: S106 - a field's name
    auth_types={
        "access_key": ("key",),
        "sts": ("key", "token"),
        "role_arn": ("key", "role_arn"),
        "cvm_role": (),
        "oidc_role_arn": ("role_arn", "provider_id", "oidc_token_file"),
        "default": (),
    },
    # Source: Tencent Cloud, TKE. It sets these variables in its pods.
    variables={
        "role_arn": "TKE_ROLE_ARN",
        "provider_id": "TKE_PROVIDER_ID",
        "oidc_token_file": "TKE_WEB_IDENTITY_TOKEN_FILE",
    },
)


def read_connection(fields: ConnectionFields, values: ConnectionValues, user_agent: str) -> Account:
    """Return the account that a connection describes.

    Args:
        fields: The fields of the cloud's connections.
        values: The values in the connection.
        user_agent: The User-Agent header of all requests.

    Raises:
        InvalidConnection: The connection cannot be used; the text says what is wrong and how to mend it.
    """
    try:
        if values.conn_type not in fields.conn_types:
            expected = f"its type is {values.conn_type!r}; expected {' or '.join(fields.conn_types)}."
            # The scheme of a URI has no underscore, and Airflow reads no type from one that has.
            scheme = fields.conn_types[0].replace("_", "-")
            hint = (
                ""
                if values.conn_type
                else f" If it is a URI, write it with a hyphen, as in {scheme}://LOGIN:PASSWORD@."
            )
            raise InvalidConnection(expected + hint)
        if (extra := values.extra) is None:
            raise InvalidConnection('its Extra is not a JSON object; write it as {"region": "…"}.')
        location = Location(
            region=_text(extra, "region"),
            # Alibaba's hosts are the same for both of its sites.
            site=_one_of(extra, "site", _SITES) if fields.cloud == "tencent" else _SITES[0],
            network=_one_of(extra, "network", CLOUDS[fields.cloud].NETWORKS),
        )
        network = Network(
            timeouts=Timeouts(
                connect=_seconds(extra, "connect_timeout", _TIMEOUTS.connect),
                read=_seconds(extra, "read_timeout", _TIMEOUTS.read),
            ),
            proxy=_proxy(extra),
            ca_bundle=_file(extra, "ca_bundle"),
        )
        endpoints = _endpoints(values, extra)
        return Account(
            cloud=fields.cloud,
            credentials=_credentials(fields, values, extra, location, network, endpoints),
            location=location,
            endpoints=endpoints,
            network=network,
            retries=Retries(
                tries=_whole(extra, "max_tries", _RETRIES.tries),
                seconds=_seconds(extra, "max_retry_seconds", _RETRIES.seconds, or_zero=True),
            ),
            requests_per_second=_rates(extra),
            user_agent=user_agent,
        )
    except InvalidConnection as error:
        problems = " ".join(filter(None, (str(error), unread_fields(fields, values))))
        raise InvalidConnection(f"The Airflow connection {values.conn_id!r} cannot be used: {problems}") from None


def unread_fields(fields: ConnectionFields, values: ConnectionValues) -> str | None:
    """Return a sentence with the fields of Extra that have no meaning here; None if all have one.

    Args:
        fields: The fields of the cloud's connections.
        values: The values in the connection. Of another provider's connection, only fields that resemble one of this
            provider are named.
    """
    own_type = fields.conn_types[0]
    known = {*connection_type(own_type)["conn-fields"], fields.key_id_extra, fields.secret_extra}
    unread = []
    for name in values.extra or {}:
        if name in known:
            continue
        nearest = get_close_matches(re.sub(r"^extra__\w+?__", "", name), sorted(known), 1)
        if nearest:
            unread.append(f"{name!r:.100} (did you mean {nearest[0]!r}?)")
        elif values.conn_type == own_type:
            unread.append(f"{name!r:.100}")
    return f"Its Extra has fields that are not used: {', '.join(unread)}." if unread else None


def _credentials(
    fields: ConnectionFields,
    values: ConnectionValues,
    extra: Mapping[str, Any],
    location: Location,
    network: Network,
    endpoints: Mapping[str, Endpoint],
) -> CredentialSource:
    key_id, secret = _key_parts(fields, values, extra)
    auth_type = _auth_type(fields, extra, has_key=bool(key_id or secret))
    given: dict[str, str | None] = {
        name: _text(extra, name) or os.environ.get(fields.variables.get(name, ""))
        for name in fields.auth_types[auth_type]
        if name != "key"
    }
    for name, value in given.items():
        if not value:
            variable = f", or set {fields.variables[name]} in the environment" if name in fields.variables else ""
            raise InvalidConnection(f"auth_type {auth_type} needs {name}; put it into Extra as {name!r}{variable}.")
    if "key" in fields.auth_types[auth_type]:
        _check_key(fields, auth_type, key_id, secret)
    if auth_type in ("access_key", "sts"):
        return StaticCredentials(Credentials(key_id or "", secret or "", _token(fields, given.get(fields.token_extra))))
    if token_file := given.get("oidc_token_file"):
        _existing(token_file, "oidc_token_file")
    service, region = CLOUDS[fields.cloud].token_service(location.region)
    own = CLOUDS[fields.cloud].endpoint(service, Location(region, location.site, location.network))
    settings = CredentialSettings(
        key_id=key_id,
        secret=secret,
        role_arn=given.get("role_arn"),
        role_session_name=_text(extra, "role_session_name"),
        external_id=_text(extra, "external_id"),
        policy=_policy(extra),
        duration_seconds=_duration(extra),
        oidc_provider=given.get("oidc_provider_arn") or given.get("provider_id"),
        oidc_token_file=token_file,
        role_name=_text(extra, "role_name"),
        sts=endpoints.get("sts") or endpoints.get("*") or own,
        region=region,
        network=network,
    )
    if fields.cloud == "alibaba" and given and settings.sts.url.startswith("http:"):
        raise InvalidConnection(
            "Alibaba's library for roles calls STS over https only; "
            'give it an https address in Extra as {"endpoints": {"sts": "https://HOST:PORT"}}.'
        )
    return shared_credentials(fields.cloud, auth_type, settings)


def _auth_type(fields: ConnectionFields, extra: Mapping[str, Any], *, has_key: bool) -> str:
    """Return the connection's ``auth_type``; if it has none, the one that fits its other fields."""
    auth_type = _text(extra, "auth_type")
    token = _text(extra, fields.token_extra)
    if auth_type is None:
        return "sts" if token else "access_key" if has_key else "default"
    if auth_type not in fields.auth_types:
        raise InvalidConnection(f"auth_type is {auth_type!r}; expected one of {', '.join(fields.auth_types)}.")
    if auth_type == "access_key" and token:
        raise InvalidConnection(
            f"it has a {fields.token_extra!r}, which auth_type access_key does not use; set auth_type to sts, "
            "or remove the token."
        )
    return auth_type


def _token(fields: ConnectionFields, token: str | None) -> str | None:
    if token and not _VISIBLE.fullmatch(token):
        raise InvalidConnection(
            "its temporary token has a blank, a control character or a non-ASCII character, which no token has; "
            f"copy it once more into Extra as {fields.token_extra!r}. In a URI, write each + of it as %2B."
        )
    return token


def _key_parts(
    fields: ConnectionFields, values: ConnectionValues, extra: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    return (
        (values.login or "").strip() or _text(extra, fields.key_id_extra),
        (values.password or "").strip() or _text(extra, fields.secret_extra),
    )


def _check_key(fields: ConnectionFields, auth_type: str, key_id: str | None, secret: str | None) -> None:
    for label, field, value in ((fields.key_id_label, "Login", key_id), (fields.secret_label, "Password", secret)):
        if not value:
            raise InvalidConnection(
                f"it has no {label}, which auth_type {auth_type} needs; put it into the field {label} ({field})."
            )
        if not _VISIBLE.fullmatch(value):
            raise InvalidConnection(
                f"its {label} has a blank, a control character or a non-ASCII character, which no key has; "
                f"copy it once more into the field {label} ({field})."
            )


def _endpoints(values: ConnectionValues, extra: Mapping[str, Any]) -> dict[str, Endpoint]:
    given = extra["endpoints"] if _written(extra, "endpoints") else {}
    if isinstance(given, str):
        given = load_json(given)
    if not isinstance(given, dict) or not all(isinstance(address, str) for address in given.values()):
        raise InvalidConnection(
            'endpoints is not a JSON object of addresses; write it as {"ice": "https://HOST[:PORT]"}, '
            "with the name of each service that has an endpoint of its own."
        )
    endpoints = {str(name): Endpoint.parse(address) for name, address in given.items()}
    if host := (values.host or "").strip():
        endpoints["*"] = Endpoint.parse(f"{host}:{values.port}" if values.port else host)
    return endpoints


def _rates(extra: Mapping[str, Any]) -> dict[str, float]:
    if (written := _written(extra, "requests_per_second")) is None:
        return {}
    given = extra["requests_per_second"]
    given = load_json(given) if isinstance(given, str) else given
    rates = given if isinstance(given, dict) else {"*": given}
    for rate in rates.values():
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < float("inf"):
            raise InvalidConnection(
                f"requests_per_second is {written!r}; expected a number above 0, or a JSON object of them "
                'by the name of the API, e.g. {"wedata.task": 10, "*": 20}.'
            )
    return {str(name): float(rate) for name, rate in rates.items()}


def _proxy(extra: Mapping[str, Any]) -> str | None:
    proxy = _text(extra, "proxy")
    if proxy and not re.fullmatch(r"https?://[^\s/]+/?", proxy):
        # Do not repeat the value: it may contain a login.
        raise InvalidConnection("proxy is not the address of a proxy; write it as http://[USER:PASSWORD@]HOST:PORT.")
    return proxy


def _policy(extra: Mapping[str, Any]) -> str | None:
    """Return the policy without blanks: Alibaba's library signs blanks differently than its gateway reads them."""
    if _written(extra, "policy") is None:
        return None
    given = extra["policy"]
    policy = load_json(given) if isinstance(given, str) else given
    if not isinstance(policy, dict):
        raise InvalidConnection("policy is not a JSON object; write it in the policy language of the cloud's roles.")
    # Blanks remain only within strings, where JSON can escape them.
    return json.dumps(policy, separators=(",", ":")).replace(" ", "\\u0020")


def _duration(extra: Mapping[str, Any]) -> int | None:
    if _written(extra, "duration_seconds") is None:
        return None
    seconds = _whole(extra, "duration_seconds", 0)
    if seconds < _MIN_SESSION_SECONDS:
        raise InvalidConnection(f"duration_seconds is {seconds}; expected at least {_MIN_SESSION_SECONDS}.")
    return seconds


def _file(extra: Mapping[str, Any], name: str) -> str | None:
    path = _text(extra, name)
    return path and _existing(path, name)


def _existing(path: str, name: str) -> str:
    if not os.path.isfile(path):
        raise InvalidConnection(f"{name} names {path!r}, and there is no such file on this machine.")
    return path


def _written(extra: Mapping[str, Any], name: str) -> str | None:
    """Return a number or JSON as text; None if there is none."""
    value = extra.get(name)
    return None if value is None else str(value).strip() or None


def _text(extra: Mapping[str, Any], name: str) -> str | None:
    """Return a text; None if it is blank.

    Some Airflow releases decode JSON in the query of a URI, so that ``true`` arrives as True. A float may have lost
    digits by then: 1.10 is read as 1.1.
    """
    value = extra.get(name)
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | None):
        # Do not repeat the value: it may be a secret.
        raise InvalidConnection(
            f"{name} is of JSON's type {_JSON_TYPES.get(type(value), 'number')}; expected text: write Extra as JSON, "
            "with the value in quotes."
        )
    return _written(extra, name)


def _one_of(extra: Mapping[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = _text(extra, name) or choices[0]
    if value not in choices:
        raise InvalidConnection(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
    return value


def _seconds(extra: Mapping[str, Any], name: str, default: float, *, or_zero: bool = False) -> float:
    written = _written(extra, name)
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
    written = _written(extra, name)
    if written is None:
        return default
    if not written.isdecimal() or int(written) < 1:
        raise InvalidConnection(f"{name} is {written!r}; expected a whole number of at least 1.")
    return int(written)
