"""Get a key from an HTTP service other than STS: a credentials URI, CloudSSO and OAuth of Alibaba Cloud.

Source: alibabacloud-credentials, URLCredentialsProvider, CloudSSOCredentialsProvider and OAuthCredentialsProvider.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow_cloudtasks.clouds.credentials.fetching import fetch_error, temporary_key
from airflow_cloudtasks.clouds.credentials.files import Unusable
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.transport import SyncTransport
from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, SignedRequest, classify, is_loopback, json_object
from airflow_cloudtasks.errors import CloudApiError, CredentialsError
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.values import at, text

_OAUTH_HOSTS = {"CN": "oauth.aliyun.com", "INTL": "oauth.alibabacloud.com"}


def key_of_uri(settings: CredentialSettings, uri: str, named_by: str) -> Fetched:
    """Return the key that a credentials URI answers with.

    Args:
        settings: How to reach it; a service on this machine is never asked through a proxy.
        uri: The address.
        named_by: The variable or profile that names the address.

    Raises:
        Unusable: The address is no http URL.
        CloudApiError: The service refuses or does not answer.
    """
    answer = _ask(settings, "GET", uri, f"credentials URI of {named_by}", named_by)
    code = text(answer.get("Code"))
    if code not in (None, "Success"):
        raise CredentialsError(
            "the credentials URI returned no key",
            code=code or "",
            action=f"Fetching credentials (credentials URI of {named_by})",
            unsent=True,
            retried=True,
        )
    return _key(answer, f"the credentials URI of {named_by}")


def key_of_cloud_sso(
    settings: CredentialSettings, url: str, account: str, access: str, token: str, origin: str
) -> Fetched:
    """Return the key of a sign-in to CloudSSO.

    Args:
        settings: How to reach CloudSSO.
        url: The sign-in URL.
        account: The account's id.
        access: The id of the access configuration.
        token: The token of the sign-in.
        origin: The profile.

    Raises:
        Unusable: The sign-in URL is none.
        CloudApiError: CloudSSO refuses or does not answer.
    """
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}/cloud-credentials"
    body = {"AccountId": account, "AccessConfigurationId": access}
    answer = _ask(settings, "POST", address, "CloudSSO", origin, token=token, body=body)
    return _key(at(answer, "CloudCredential"), f"CloudSSO of {origin}")


def key_of_oauth(settings: CredentialSettings, site: str, token: str, origin: str) -> Fetched:
    """Return the key of a sign-in by OAuth.

    Args:
        settings: How to reach the service.
        site: ``CN`` or ``INTL``.
        token: The access token of the sign-in.
        origin: The profile.

    Raises:
        Unusable: There is no such site.
        CloudApiError: The service refuses or does not answer.
    """
    if site not in _OAUTH_HOSTS:
        raise Unusable(origin, f"has the oauth_site_type {site!r}; expected CN or INTL")
    answer = _ask(settings, "POST", f"https://{_OAUTH_HOSTS[site]}/v1/exchange", "OAuth", origin, token=token)
    return _key(answer, f"OAuth of {origin}")


def _key(holder: Any, origin: str) -> Fetched:
    try:
        return temporary_key("alibaba", holder, at(holder, "Expiration"), origin)
    except CloudApiError as error:
        raise fetch_error(error, origin) from None


def _ask(
    settings: CredentialSettings,
    method: str,
    url: str,
    what: str,
    named_by: str,
    *,
    token: str = "",
    body: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the JSON object that a service answers."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unusable(named_by, "names no URL of the form http://HOST/PATH")
    call = ApiCall(
        Service(cloud="alibaba", name="credentials", version="", title=what),
        Action(name=method),
        Endpoint(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"),
    )
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = SignedRequest(method, url, headers, json.dumps(body).encode() if body is not None else b"")
    network = settings.network.direct() if is_loopback(parts.hostname) else settings.network
    transport = SyncTransport(network)

    def send() -> dict[str, Any]:
        answer = transport.send(call, request)
        if not answer.has_succeeded:
            kind = classify((), "", answer.status) or CredentialsError
            raise kind("the service refuses", code=f"HTTP{answer.status}", **call.context(answer))
        return json_object(call, answer)

    try:
        return settings.retries.run(send)
    except CloudApiError as error:
        raise fetch_error(error, f"{what} of {named_by}" if what not in named_by else what, (token,)) from None
    finally:
        transport.close()
