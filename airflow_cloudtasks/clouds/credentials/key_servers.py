"""Get a key from an HTTP service other than STS: a credentials URI, CloudSSO and OAuth of Alibaba Cloud.

Source: alibabacloud-credentials, URLCredentialsProvider, CloudSSOCredentialsProvider and OAuthCredentialsProvider.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from airflow_cloudtasks.clouds.answers import json_object
from airflow_cloudtasks.clouds.credentials.fetching import fetch_error, refusal, temporary_key
from airflow_cloudtasks.clouds.credentials.files import Unusable
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.transport import SyncTransport
from airflow_cloudtasks.clouds.wire import HOST_AND_PORT, ApiCall, Endpoint, SignedRequest, is_loopback, is_visible
from airflow_cloudtasks.errors import CloudApiError
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.values import at

_OAUTH_URLS = {"CN": "https://oauth.aliyun.com", "INTL": "https://oauth.alibabacloud.com"}


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
    return _ask(settings, "GET", uri, "credentials URI", named_by)


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
    address = f"{_endpoint(url, origin).url}/cloud-credentials"
    body = {"AccountId": account, "AccessConfigurationId": access}
    return _ask(settings, "POST", address, "CloudSSO", origin, "CloudCredential", token=token, body=body)


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
    if site not in _OAUTH_URLS:
        raise Unusable(origin, f"has the oauth_site_type {site!r}; expected CN or INTL")
    return _ask(settings, "POST", f"{_OAUTH_URLS[site]}/v1/exchange", "OAuth", origin, token=token)


def _endpoint(url: str, named_by: str) -> Endpoint:
    """Return where a URL points to, without the login in it."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        is_address = parts.scheme in ("http", "https") and HOST_AND_PORT.fullmatch(host) and parts.port != 0
    except ValueError:  # raised by urlsplit, and by port for a port that is not a number from 0 to 65535
        is_address = False
    if not is_address:
        raise Unusable(named_by, "names no URL of the form http://HOST/PATH")
    return Endpoint(f"{parts.scheme}://{host}")


def _ask(
    settings: CredentialSettings,
    method: str,
    url: str,
    what: str,
    named_by: str,
    holder: str = "",
    *,
    token: str = "",
    body: Mapping[str, Any] | None = None,
) -> Fetched:
    """Return the key that a service answers with, at the path ``holder``."""
    endpoint = _endpoint(url, named_by)
    on_this_machine = is_loopback(urlsplit(endpoint.url).hostname or "")
    if token and endpoint.url.startswith("http:") and not on_this_machine:
        raise Unusable(named_by, f"names a URL of {what} with plain http, where anyone could read the sign-in")
    if token and not is_visible(token):
        raise Unusable(named_by, "has a blank or another character that no token has in the token of its sign-in")
    # The address of a credentials URI may hold a secret, which its service may repeat.
    parts = urlsplit(url)
    hidden = tuple(filter(None, (token, parts.path.strip("/"), *(value for _, value in parse_qsl(parts.query)))))
    call = ApiCall(
        Service(cloud="alibaba", name="credentials", version="", title=what), Action(name=method), endpoint, hidden
    )
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = SignedRequest(method, url, headers, json.dumps(body).encode() if body is not None else b"")
    network = settings.network.direct() if on_this_machine else settings.network
    transport = SyncTransport(network)

    def send() -> Fetched:
        answer = transport.send(call, request)
        if (error := refusal("alibaba", call, answer)) is not None:
            raise error
        key = at(json_object(call, answer), holder)
        return temporary_key("alibaba", key, at(key, "Expiration"), f"the {what} of {named_by}", call.context(answer))

    try:
        return settings.retries.run(send)
    except CloudApiError as error:
        raise fetch_error(error, f"{what} of {named_by}") from None
    finally:
        transport.close()
