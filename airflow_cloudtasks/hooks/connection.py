"""Parses an Airflow connection into an Account, or raises one sentence that says what is wrong with it.

This module imports nothing of Airflow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from airflow_cloudtasks.clouds.client import FEED_INTERVAL, Account
from airflow_cloudtasks.clouds.credentials.shared import shared_credentials
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, CredentialSource, StaticCredentials
from airflow_cloudtasks.clouds.network import Network, Timeouts
from airflow_cloudtasks.clouds.proxies import parse_proxy
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.retries import Retries
from airflow_cloudtasks.clouds.smq_wire import QueueAddress
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location, check_region, is_visible
from airflow_cloudtasks.errors import InvalidConnection
from airflow_cloudtasks.hooks.fields import ALIBABA_FIELDS, TENCENT_FIELDS, ConnectionFields, ConnectionValues
from airflow_cloudtasks.hooks.settings import Settings, chosen_auth_type, find_settings
from airflow_cloudtasks.hooks.unread import unread_fields
from airflow_cloudtasks.values import number

__all__ = [
    "ALIBABA_FIELDS",
    "TENCENT_FIELDS",
    "ConnectionFields",
    "ConnectionValues",
    "read_connection",
    "unread_fields",
]

SITES = ("cn", "intl")
"""The sites of Tencent Cloud, the default first."""

_TIMEOUTS, _RETRIES = Timeouts(), Retries()
# Source: ICE, SetEventCallback, CallbackQueueName.
_ICE_QUEUES = "ice-callback-"
# Source: both clouds' AssumeRole. The role itself limits how long a session may last.
_MIN_SESSION_SECONDS = 900


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
        _check_type(fields, values)
        settings = find_settings(fields, values)
        check_region(settings.text("region"))  # before credentials are fetched from a host with the region in its name
        location = Location(
            region=settings.text("region"),
            # Alibaba's hosts are the same for both of its sites.
            site=settings.one_of("site", SITES) if fields.cloud == "tencent" else SITES[0],
            network=settings.one_of("network", CLOUDS[fields.cloud].NETWORKS),
        )
        sending = _Sending(
            network=_network(settings),
            endpoints=_endpoints(settings),
            retries=Retries(
                tries=settings.whole("max_tries", _RETRIES.tries),
                seconds=settings.seconds("max_retry_seconds", _RETRIES.seconds, or_zero=True),
            ),
            user_agent=user_agent,
        )
        return Account(
            cloud=fields.cloud,
            credentials=_credentials(fields, values, settings, location, sending),
            location=location,
            endpoints=sending.endpoints,
            network=sending.network,
            retries=sending.retries,
            requests_per_second=_rates(settings),
            notify_queue=_notify_queue(settings) if fields.cloud == "alibaba" else None,
            feed_interval=settings.seconds("feed_interval", FEED_INTERVAL, or_zero=True),
            user_agent=user_agent,
        )
    except InvalidConnection as error:
        problems = " ".join(filter(None, (str(error), unread_fields(fields, values))))
        raise InvalidConnection(f"The Airflow connection {values.conn_id!r} cannot be used: {problems}") from None


@dataclass(frozen=True, kw_only=True)
class _Sending:
    """How requests are sent, of APIs and for credentials alike."""

    network: Network
    endpoints: Mapping[str, Endpoint]
    retries: Retries
    user_agent: str


def _check_type(fields: ConnectionFields, values: ConnectionValues) -> None:
    if values.conn_type not in (*fields.conn_types, *fields.official_types):
        # The scheme of a URI has no underscore, and Airflow reads no type from one that has.
        scheme = fields.own_type.replace("_", "-")
        hint = "" if values.conn_type else f" If it is a URI, write it with a hyphen, as in {scheme}://LOGIN:PASSWORD@."
        raise InvalidConnection(f"its type is {values.conn_type!r}; expected {' or '.join(fields.conn_types)}.{hint}")
    if values.extra is None:
        raise InvalidConnection('its Extra is not a JSON object; write it as {"region": "…"}.')


def _credentials(
    fields: ConnectionFields,
    values: ConnectionValues,
    settings: Settings,
    location: Location,
    sending: _Sending,
) -> CredentialSource:
    key_id, secret = settings.text(fields.key_id_extra), settings.text(fields.secret_extra)
    auth_type, _ = chosen_auth_type(fields, settings)
    token = settings.text(fields.token_extra)
    if auth_type == "access_key" and token:
        raise InvalidConnection(
            f"it has a {fields.token_extra!r}, which auth_type access_key does not use; set auth_type to sts, "
            "or remove the token."
        )
    given = {name: settings.text(name) for name in fields.auth_types[auth_type] if name != "key"}
    for name, value in given.items():
        if not value:
            variable = f", or set {fields.variables[name]} in the environment" if name in fields.variables else ""
            raise InvalidConnection(f"auth_type {auth_type} needs {name}; put it into Extra as {name!r}{variable}.")
    if "key" in fields.auth_types[auth_type]:
        _check_key(fields, values, auth_type, key_id, secret)
    if auth_type in ("access_key", "sts"):
        return StaticCredentials(Credentials(key_id or "", secret or "", _token(fields, given.get(fields.token_extra))))
    service, region = CLOUDS[fields.cloud].token_service(location.region)
    own = CLOUDS[fields.cloud].endpoint(service, Location(region, location.site, location.network))
    credential_settings = CredentialSettings(
        cloud=fields.cloud,
        key_id=key_id,
        secret=secret,
        role_arn=given.get("role_arn"),
        role_session_name=settings.text("role_session_name"),
        external_id=settings.text("external_id"),
        policy=_policy(settings),
        duration_seconds=_duration(settings),
        oidc_provider=given.get("oidc_provider_arn") or given.get("provider_id"),
        oidc_token_file=settings.file("oidc_token_file") if "oidc_token_file" in given else None,
        role_name=settings.text("role_name"),
        sts=sending.endpoints.get("sts") or sending.endpoints.get("*") or own,
        region=region,
        # Not the endpoint for all services: that is one of the cloud, and this service is one of the machine.
        metadata=sending.endpoints.get("metadata"),
        network=sending.network,
        retries=sending.retries,
        user_agent=sending.user_agent,
    )
    return shared_credentials(auth_type, credential_settings)


def _token(fields: ConnectionFields, token: str | None) -> str | None:
    if token and not is_visible(token):
        raise InvalidConnection(
            "its temporary token has a blank, a control character or a non-ASCII character, which no token has; "
            f"copy it once more into Extra as {fields.token_extra!r}. In a URI, write each + of it as %2B."
        )
    return token


def _check_key(
    fields: ConnectionFields, values: ConnectionValues, auth_type: str, key_id: str | None, secret: str | None
) -> None:
    is_official = values.conn_type != fields.own_type
    for label, standard, extra, value in (
        (fields.key_id_label, "Login", fields.key_id_extra, key_id),
        (fields.secret_label, "Password", fields.secret_extra, secret),
    ):
        place = f"Extra as {extra!r}" if is_official else f"the field {label} ({standard})"
        if not value:
            raise InvalidConnection(f"it has no {label}, which auth_type {auth_type} needs; put it into {place}.")
        if not is_visible(value):
            raise InvalidConnection(
                f"its {label} has a blank, a control character or a non-ASCII character, which no key has; "
                f"copy it once more into {place}."
            )


def _endpoints(settings: Settings) -> dict[str, Endpoint]:
    given = settings.decoded("endpoints") if "endpoints" in settings.found else {}
    if not isinstance(given, dict) or not all(isinstance(address, str) for address in given.values()):
        raise InvalidConnection(
            'endpoints is not a JSON object of addresses; write it as {"ice": "https://HOST[:PORT]"}, '
            "with the name of each service that has an endpoint of its own."
        )
    endpoints = {str(name): Endpoint.parse(address) for name, address in given.items()}
    if host := settings.text("host"):
        endpoints["*"] = Endpoint.parse(host)
    return endpoints


def _rates(settings: Settings) -> dict[str, float]:
    if (written := settings.written("requests_per_second")) is None:
        return {}
    given = settings.decoded("requests_per_second")
    rates = {str(name): number(rate) for name, rate in (given if isinstance(given, dict) else {"*": given}).items()}
    if not all(rate and rate > 0 for rate in rates.values()):
        raise InvalidConnection(
            f"requests_per_second is {written!r:.200}; expected a number above 0, or a JSON object of them "
            'by the name of the API, e.g. {"wedata.task": 10, "*": 20}.'
        )
    return {name: rate for name, rate in rates.items() if rate}


def _notify_queue(settings: Settings) -> QueueAddress | None:
    address = settings.text("notify_queue")
    if address is None:
        return None
    try:
        queue = QueueAddress.parse(address)
    except InvalidConnection as error:
        raise InvalidConnection(f"notify_queue: {error}") from None
    if not queue.name.startswith(_ICE_QUEUES):
        raise InvalidConnection(
            f"notify_queue is the queue {queue.name!r}; ICE sends only to queues whose names start with {_ICE_QUEUES}."
        )
    return queue


def _network(settings: Settings) -> Network:
    network = Network(
        timeouts=Timeouts(
            connect=settings.seconds("connect_timeout", _TIMEOUTS.connect),
            read=settings.seconds("read_timeout", _TIMEOUTS.read),
        ),
        proxy=settings.text("proxy"),
        ca_bundle=settings.text("ca_bundle"),
    )
    # Refuse a wrong setting before the first request.
    if network.proxy:
        parse_proxy(network.proxy, "proxy")
    if network.ca_bundle:
        network.trusted_certificates().version()
    return network


def _policy(settings: Settings) -> str | None:
    """Return the policy as JSON without blanks, which encoders of forms and of URLs write differently."""
    if "policy" not in settings.found:
        return None
    policy = settings.decoded("policy")
    if not isinstance(policy, dict):
        raise InvalidConnection("policy is not a JSON object; write it in the policy language of the cloud's roles.")
    # Blanks remain only within strings, where JSON can escape them.
    return json.dumps(policy, separators=(",", ":")).replace(" ", "\\u0020")


def _duration(settings: Settings) -> int | None:
    if "duration_seconds" not in settings.found:
        return None
    seconds = settings.whole("duration_seconds", 0)
    if seconds < _MIN_SESSION_SECONDS:
        raise InvalidConnection(f"duration_seconds is {seconds}; expected at least {_MIN_SESSION_SECONDS}.")
    return seconds
