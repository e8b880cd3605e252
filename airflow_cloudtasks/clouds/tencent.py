"""Sign requests to Tencent Cloud and read its answers.

Source: "Signature v3" (TC3-HMAC-SHA256) of Tencent Cloud's API documentation.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from airflow_cloudtasks.clouds.answers import (
    code_and_message,
    error_code,
    error_message,
    holds_data,
    is_filled,
    is_refused,
    json_object,
)
from airflow_cloudtasks.clouds.error_codes import kind_of_status, tencent_kind
from airflow_cloudtasks.clouds.wire import (
    UNSIGNED,
    ApiCall,
    Credentials,
    Endpoint,
    HttpAnswer,
    Location,
    SignedRequest,
    missing_region,
)
from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.spec import Service
from airflow_cloudtasks.values import request_id

_ALGORITHM = "TC3-HMAC-SHA256"
_CONTENT_TYPE = "application/json; charset=utf-8"
_SIGNED_HEADERS = "content-type;host;x-tc-action"
_SCOPE_END = "tc3_request"
# Source: tencentcloud-sdk-python-common, option SkipSign.
_NO_SIGNATURE = "SKIP"

# Source: Tencent Cloud API 3.0, "Request structure": a host that is resolved to the nearest region, and hosts named
# after regions. The "internal" hosts are for callers in the cloud's own network; the vendor's SDKs for Java and Node
# know them with and without a region (EndpointFailover: cvm.internal.ap-guangzhou.tencentcloudapi.com).
NETWORKS: tuple[str, ...] = ("public", "regional", "internal", "internal_regional")
# Source: Tencent Cloud API 3.0, in the description of each action that supports finance regions: "If the common
# parameter Region is a Finance region, a domain name with the Finance region needs to be specified, for example:
# cbs.ap-shanghai-fsi.tencentcloudapi.com". Their ids end so: ap-shanghai-fsi, ap-shenzhen-fsi, ap-beijing-fsi.
_FINANCE = "-fsi"


def token_service(region: str | None) -> tuple[Service, str | None]:
    """Return STS, and the region to call it in. It answers alike in all regions, so that any will do.

    Source: Tencent Cloud, STS 2018-08-13; the vendor's own credential classes call it in ap-guangzhou.

    Args:
        region: The region's id; None for ap-guangzhou.
    """
    return Service(cloud="tencent", name="sts", version="2018-08-13", title="STS"), region or "ap-guangzhou"


def endpoint(service: Service, location: Location) -> Endpoint:
    """Return a service's endpoint: the region's own host, the service's own host, or the host by the general rule.

    Args:
        service: The product.
        location: The region, which every request sends in a header; the site, ``cn`` for the mainland's and ``intl``
            for the international one; the network. The host of a finance region always has the region in its name:
            these regions are isolated from all others.

    Raises:
        InvalidConnection: ``location`` has no region.
    """
    region = location.region
    if not region:
        raise missing_region(service, "ap-guangzhou")
    own = service.region_hosts.get(region) or service.network_hosts.get(location.network) or service.host
    return Endpoint(f"https://{own.replace('{region}', region) or _host(service, region, location)}")


def _host(service: Service, region: str, location: Location) -> str:
    """Return the host by the general rule."""
    labels = [service.name]
    if location.network.startswith("internal"):
        labels.append("internal")
    if location.network.endswith("regional") or region.endswith(_FINANCE):
        labels.append(region)
    if len(labels) == 1 and location.site == "intl":
        labels.append("intl")
    return ".".join((*labels, "tencentcloudapi.com"))


def sign(
    call: ApiCall,
    params: Mapping[str, Any],
    *,
    region: str | None,
    credentials: Credentials,
    user_agent: str,
    now: datetime,
) -> SignedRequest:
    """Return the signed request of a call.

    Args:
        call: The service, the action and the endpoint.
        params: The action's parameters: anything that JSON can hold.
        region: The region's id.
        credentials: The key that signs, or UNSIGNED.
        user_agent: The name of the caller.
        now: The time, in UTC; the gateway accepts requests of the last 5 minutes.
    """
    body = json.dumps(params).encode()
    headers = _headers(call, region, credentials, user_agent, now)
    is_signed = credentials is not UNSIGNED
    headers["Authorization"] = _authorization(call, body, credentials, now) if is_signed else _NO_SIGNATURE
    return SignedRequest("POST", f"{call.endpoint.url}/", headers, body)


def _headers(
    call: ApiCall, region: str | None, credentials: Credentials, user_agent: str, now: datetime
) -> dict[str, str]:
    headers = {
        "Content-Type": _CONTENT_TYPE,
        "Host": call.endpoint.host,
        "X-TC-Action": call.action.name,
        "X-TC-Version": call.service.version,
        "X-TC-Timestamp": _timestamp(now),
        "X-TC-RequestClient": user_agent,
        "User-Agent": user_agent,
    }
    if region:
        headers["X-TC-Region"] = region
    if credentials.token:
        headers["X-TC-Token"] = credentials.token
    return headers


def _authorization(call: ApiCall, body: bytes, credentials: Credentials, now: datetime) -> str:
    """Return the header with the signature."""
    date = now.astimezone(UTC).date().isoformat()
    canonical_request = "\n".join(
        (
            "POST",
            "/",
            "",  # no query
            f"content-type:{_CONTENT_TYPE}",
            f"host:{call.endpoint.host}",
            f"x-tc-action:{call.action.name.lower()}",
            "",
            _SIGNED_HEADERS,
            hashlib.sha256(body).hexdigest(),
        )
    )
    scope = f"{date}/{call.service.name}/{_SCOPE_END}"
    request_hash = hashlib.sha256(canonical_request.encode()).hexdigest()
    text_to_sign = "\n".join((_ALGORITHM, _timestamp(now), scope, request_hash))
    key = _signing_key(credentials.secret, date, call.service.name)
    signature = hmac.digest(key, text_to_sign.encode(), "sha256").hex()
    return (
        f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={_SIGNED_HEADERS}, Signature={signature}"
    )


@lru_cache(maxsize=64)  # the key is the same for a day
def _signing_key(secret: str, date: str, service: str) -> bytes:
    key = f"TC3{secret}".encode()
    for part in (date, service, _SCOPE_END):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _timestamp(now: datetime) -> str:
    return str(int(now.timestamp()))


def read(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    """Return the content of an answer: the value of ``Response``.

    Args:
        call: The call.
        answer: The answer to it.

    Raises:
        CloudApiError: The answer reports an error; Tencent Cloud does so with HTTP 200.
        MalformedAnswer: The answer has no ``Response``.
    """
    content = _response(call, answer)
    error = content.get("Error")
    is_of_task = call.action.error_beside is not None and is_filled(content.get(call.action.error_beside))
    is_error = error is not None and not is_of_task and (is_filled(error) or not holds_data(content))
    success = call.action.success
    if answer.has_succeeded and not is_error and not is_refused(content, success):
        return content
    if is_error or success is None:
        code, message = _code_and_message(error, answer.status)
    else:
        found, message = code_and_message(content, success)
        code = found or f"HTTP{answer.status}"
    kind = tencent_kind(code, answer.status)
    raise kind(call.scrub(message), code=code, **call.context(answer, request_id(content)))


def _response(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    body = json_object(call, answer)
    content = body.get("Response")
    if isinstance(content, dict):
        return content
    if is_filled(body.get("Error")):  # an error without its envelope
        return body
    kind = kind_of_status(answer.status)
    if kind is not None:
        raise kind("no Response in the answer", code=f"HTTP{answer.status}", **call.context(answer))
    raise MalformedAnswer(
        f"{call.service.name} {call.action.name}: Response holds no object",
        field="Response",
        **call.context(answer),
    )


def _code_and_message(error: Any, http_status: int) -> tuple[str, str]:
    if error is None:
        return f"HTTP{http_status}", ""
    if isinstance(error, dict):
        return error_code(error) or "UnknownError", error_message(error)
    return "UnknownError", str(error)
