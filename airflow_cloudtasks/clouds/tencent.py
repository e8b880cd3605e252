"""Tencent Cloud on the wire.

Sources: "Signature v3" (TC3-HMAC-SHA256) of Tencent Cloud's API documentation, and the package
tencentcloud-sdk-python-common, whose own code signs here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tencentcloud.common.sign import Sign

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
    MalformedAnswer,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.spec import Service
from airflow_cloudtasks.values import text

_ALGORITHM = "TC3-HMAC-SHA256"
_CONTENT_TYPE = "application/json; charset=utf-8"
_HTTP_REDIRECT = 300

# Source: Tencent Cloud API 3.0, common error codes.
_ERRORS: ErrorTable = (
    (Throttled, ("RequestLimitExceeded", "RequestLimitExceeded.*")),
    (TransientError, ("InternalError*", "ResourceUnavailable*", "ServiceUnavailable*")),
    (CredentialsExpired, ("AuthFailure.TokenFailure",)),
    (PermissionDenied, ("UnauthorizedOperation*", "AuthFailure.UnauthorizedOperation")),
    (CredentialsError, ("AuthFailure*",)),
    (NotFound, ("ResourceNotFound*",)),
)


# Source: Tencent Cloud API 3.0, "Request structure": a host resolved to the nearest region, hosts named after regions;
# and "internal" hosts for callers in the cloud's own network.
NETWORKS: tuple[str, ...] = ("public", "regional", "internal")


def token_service(region: str | None) -> tuple[Service, str | None]:
    """Give STS, and the region to ask: it answers alike in all of them, so any will do.

    Source: Tencent Cloud, STS 2018-08-13; the vendor's own credential classes ask ap-guangzhou.

    Args:
        region: The region's id.
    """
    return Service(cloud="tencent", name="sts", version="2018-08-13", title="STS"), region or "ap-guangzhou"


def endpoint(service: Service, location: Location) -> Endpoint:
    """Give a service's endpoint.

    Args:
        service: The product.
        location: The region, which travels in a header and is needed for every host; the site, ``cn`` for the
            mainland's and ``intl`` for the international one; the network.

    Raises:
        InvalidConnection: No region was given.
    """
    region = location.region
    if not region:
        known = f" It runs in {', '.join(service.regions)}." if service.regions else ""
        raise InvalidConnection(
            f"{service.product} needs a region, e.g. ap-guangzhou: set it in the Airflow connection's "
            f"field Region, or as region= on the task.{known}"
        )
    part = {"regional": region, "internal": "internal"}.get(location.network) or (
        "intl" if location.site == "intl" else ""
    )
    own_rule = ".".join(filter(None, (service.name, part, "tencentcloudapi.com")))
    return Endpoint(f"https://{service.region_hosts.get(region) or service.host or own_rule}")


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
        params: The action's parameters, as JSON.
        region: The region's id.
        credentials: What signs.
        user_agent: Who asks.
        now: The time, in UTC; the gateway takes requests of the last 5 minutes.
    """
    action, host = call.action, call.endpoint.host
    body = json.dumps(params).encode()
    timestamp, date = str(int(now.timestamp())), now.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{date}/{call.service.name}/tc3_request"
    signed_headers = "content-type;host;x-tc-action"
    canonical_request = "\n".join(
        (
            "POST",
            "/",
            "",
            f"content-type:{_CONTENT_TYPE}",
            f"host:{host}",
            f"x-tc-action:{action.name.lower()}",
            "",
            signed_headers,
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = "\n".join((_ALGORITHM, timestamp, scope, hashlib.sha256(canonical_request.encode()).hexdigest()))
    signature = Sign.sign_tc3(credentials.secret, date, call.service.name, to_sign)
    headers = {
        "Authorization": (
            f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, "
            f"SignedHeaders={signed_headers}, Signature={signature}"
        ),
        "Content-Type": _CONTENT_TYPE,
        "Host": host,
        "X-TC-Action": action.name,
        "X-TC-Version": call.service.version,
        "X-TC-Timestamp": timestamp,
        "X-TC-RequestClient": user_agent,
        "User-Agent": user_agent,
    }
    if region:
        headers["X-TC-Region"] = region
    if credentials.token:
        headers["X-TC-Token"] = credentials.token
    return SignedRequest("POST", f"{call.endpoint.url}/", headers, body)


def read(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    """Read an answer.

    Args:
        call: The call.
        answer: What came back.

    Returns:
        What stands under ``Response``.

    Raises:
        CloudApiError: Of the kind that the answer tells; Tencent tells errors under HTTP 200.
        MalformedAnswer: There is no ``Response``.
    """
    content = json_object(call, answer).get("Response")
    if not isinstance(content, dict):
        kind = classify((), "", answer.status)
        if kind is not None:
            raise kind("no Response in the answer", code=f"HTTP{answer.status}", **call.context(answer))
        raise MalformedAnswer(
            f"{call.service.name} {call.action.name}: Response holds no object",
            field="Response",
            **call.context(answer),
        )
    error = content.get("Error")
    if error is None and answer.status < _HTTP_REDIRECT:
        return content
    told = error if isinstance(error, dict) else {}
    code = text(told.get("Code")) or (f"HTTP{answer.status}" if error is None else "UnknownError")
    kind = error_kind(code, answer.status)
    raise kind(
        call.scrub(str(told.get("Message") or "")),
        code=code,
        **call.context(answer, content.get("RequestId")),
    )


def error_kind(code: str, http_status: int = 200) -> type[CloudApiError]:
    """Find the kind of an error by the vendor's code, and where that does not tell, by the HTTP status."""
    return classify(_ERRORS, code, http_status) or BadRequest
