"""Alibaba Cloud on the wire.

Sources: "Request syntax and signature method V3" (ACS3-HMAC-SHA256) of Alibaba Cloud's documentation, and the package
alibabacloud-tea-openapi, whose own code signs here.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from alibabacloud_tea_openapi.utils import Utils, get_canonical_query_string

from airflow_cloudtasks.clouds.wire import (
    ApiCall,
    Credentials,
    Endpoint,
    ErrorTable,
    HttpAnswer,
    Location,
    SignedRequest,
    classify,
    json_object,
)
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CredentialsError,
    CredentialsExpired,
    InvalidConnection,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.spec import Service
from airflow_cloudtasks.values import text

_ALGORITHM = "ACS3-HMAC-SHA256"
_HTTP_REDIRECT = 300
_HTTP_BAD = 400
_HTTP_UNAUTHORIZED = 401
_HTTP_FORBIDDEN = 403
_HTTP_NOT_FOUND = 404

# Source: Alibaba Cloud's list of common error codes, and API-specific codes of the products' own pages.
_ERRORS: ErrorTable = (
    (Throttled, ("Throttling", "Throttling.*", "*.Throttling")),
    # A nonce that was seen before is one that the network delivered twice; the next try carries a new one.
    (TransientError, ("ServiceUnavailable*", "InternalError*", "SignatureNonceUsed", "RequestTimeout*")),
    (CredentialsExpired, ("ExpiredToken*", "InvalidSecurityToken.Expired")),
    (
        CredentialsError,
        (
            "InvalidAccessKey*",
            "InvalidSecurityToken*",
            "SignatureDoesNotMatch*",
            "IncompleteSignature*",
            "MissingAccessKeyId*",
            "MissingSecurityToken*",
            "IllegalTimestamp*",
            "InvalidTimeStamp*",
        ),
    ),
    (PermissionDenied, ("NoPermission*", "Forbidden*", "Unauthorized*", "*.NoPermission*")),
    (BadRequest, ("InvalidAction*", "InvalidVersion*", "UnsupportedHTTPMethod*")),
    (NotFound, ("*NotFound*", "*NotExist*")),
)

# The gateway's text for a wrong signature repeats what it signed.
_SERVER_STRING = re.compile(r"\s*server string\s*to\s*sign is.*", re.IGNORECASE | re.DOTALL)


# Source: the vendor's package alibabacloud-tea-openapi, Utils.get_endpoint_rules.
NETWORKS: tuple[str, ...] = ("public", "vpc")


def token_service(region: str | None) -> tuple[Service, str | None]:
    """Give STS, and the region to ask: it has a host in each region, and one for callers who know none.

    Source: Alibaba Cloud, Security Token Service, endpoints.

    Args:
        region: The region's id.
    """
    host = "" if region else "sts.aliyuncs.com"
    return Service(cloud="alibaba", name="sts", version="2015-04-01", title="STS", host=host), region


def endpoint(service: Service, location: Location) -> Endpoint:
    """Give a service's endpoint, by the rule of the vendor's clients: a region with a host of its own, then the rule.

    Args:
        service: The product.
        location: The region, and the network: ``public``, or ``vpc`` for hosts inside the cloud. Alibaba's hosts are
            the same for the Chinese and the international site.

    Raises:
        InvalidConnection: The product's host depends on the region, and none was given.
    """
    region = location.region
    if region and region in service.region_hosts:
        return Endpoint(f"https://{service.region_hosts[region]}")
    host = service.host or f"{service.name}.{{region}}.aliyuncs.com"
    if location.network == "vpc":
        host = host.replace(service.name, f"{service.name}-vpc", 1)
    if "{region}" in host:
        if not region:
            known = f" It runs in {', '.join(service.regions)}." if service.regions else ""
            raise InvalidConnection(
                f"{service.product} needs a region: set it in the Airflow connection's field Region, "
                f"or as region= on the task.{known}"
            )
        host = host.replace("{region}", region)
    return Endpoint(f"https://{host}")


def sign(
    call: ApiCall,
    params: Mapping[str, Any],
    *,
    region: str | None,
    credentials: Credentials,
    user_agent: str,
    now: datetime,
) -> SignedRequest:
    """Build a request and sign it.

    Args:
        call: The service, the action and the endpoint.
        params: The action's parameters: plain values, or lists and dicts of them.
        region: Not used: the host says it.
        credentials: What signs.
        user_agent: Who asks.
        now: The time, in UTC; the gateway takes requests of the last 15 minutes.

    Raises:
        ValueError: A parameter that belongs into the path cannot stand there.
    """
    action = call.action
    path = action.path.format_map({name: _path_part(name, params[name]) for name in action.path_params})
    others = {name: value for name, value in params.items() if name not in action.path_params}
    query: dict[str, str] = Utils.query(others) if action.params_in == "query" else {}
    body, content_type = b"", None
    if action.params_in == "form" and others:
        body, content_type = Utils.to_form(others).encode(), "application/x-www-form-urlencoded"
    elif action.params_in == "json" and others:
        body, content_type = json.dumps(others).encode(), "application/json; charset=utf-8"

    payload_hash = hashlib.sha256(body).hexdigest()
    headers = {
        "host": call.endpoint.host,
        "x-acs-action": action.name,
        "x-acs-version": call.service.version,
        "x-acs-date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-content-sha256": payload_hash,
    }
    if content_type:
        headers["content-type"] = content_type
    if credentials.token:
        headers["x-acs-accesskey-id"] = credentials.key_id
        headers["x-acs-security-token"] = credentials.token
    headers["Authorization"] = Utils.get_authorization(
        SimpleNamespace(method=action.method, pathname=path, query=query, headers=headers),
        _ALGORITHM,
        payload_hash,
        credentials.key_id,
        credentials.secret,
    )
    # Not signed, because a proxy may change them.
    headers["user-agent"] = user_agent
    headers["accept"] = "application/json"
    search = f"?{get_canonical_query_string(query)}" if query else ""
    return SignedRequest(action.method, f"{call.endpoint.url}{path}{search}", headers, body)


def read(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    """Read an answer.

    Args:
        call: The call.
        answer: What came back.

    Returns:
        The answer; Alibaba puts none around it.

    Raises:
        CloudApiError: Of the kind that the answer tells, also where HTTP 200 carries a failure.
    """
    content = json_object(call, answer)
    code = text(content.get("Code")) or text(content.get("code")) or ""
    expected = call.action.success_code
    if answer.status < _HTTP_REDIRECT and (expected is None or code == expected):
        return content
    kind = error_kind(code, _status_told(code, answer.status))
    message = str(content.get("Message") or content.get("message") or "")
    raise kind(
        call.scrub(for_a_person(message)),
        code=code or f"HTTP{answer.status}",
        **call.context(answer, content.get("RequestId") or content.get("requestId")),
    )


def for_a_person(message: str) -> str:
    """Cut what the gateway signed off its text: it is of no use to a person, and may hold an external id."""
    return _SERVER_STRING.sub("", message)


def error_kind(code: str, http_status: int) -> type[CloudApiError]:
    """Find the kind of an error by the vendor's code, and where that does not tell, by the HTTP status."""
    return classify(_ERRORS, code, http_status) or _BY_STATUS.get(http_status, BadRequest)


_HTTP_STATUS = re.compile(r"[1-5]\d\d", re.ASCII)
_BY_STATUS = {_HTTP_UNAUTHORIZED: CredentialsError, _HTTP_FORBIDDEN: PermissionDenied, _HTTP_NOT_FOUND: NotFound}


def _status_told(code: str, http_status: int) -> int:
    """BPStudio answers HTTP 200 with a Code that is a status of its own, e.g. 403 or 500."""
    return int(code) if http_status < _HTTP_BAD and _HTTP_STATUS.fullmatch(code) else http_status


def _path_part(name: str, value: Any) -> str:
    written = str(value)
    if written in ("", ".", ".."):
        raise ValueError(f"{name} {written!r} cannot stand in the path of a request.")
    return quote(written, safe="~")
