"""Sign requests to Alibaba Cloud and read its answers.

Sources: "Request syntax and signature method V3" (ACS3-HMAC-SHA256) of Alibaba Cloud's documentation, and the vendor's
package alibabacloud-tea-openapi, with which tests compare. It is not called: signing takes a third of the CPU here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from airflow_cloudtasks.clouds.alibaba_regions import CENTRAL_STS_REGIONS
from airflow_cloudtasks.clouds.answers import code_and_message, is_refused, json_object, reports_error
from airflow_cloudtasks.clouds.error_codes import alibaba_kind
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
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.spec.action import NO_REGION, Place
from airflow_cloudtasks.values import request_id

_ALGORITHM = "ACS3-HMAC-SHA256"
_HASH_OF_NOTHING = hashlib.sha256().hexdigest()

# Source: RFC 9110, section 5.5; a blank at either end would not arrive, and the signature would not fit.
_HEADER = re.compile(r"[!-~]([ -~]*[!-~])?")

_HTTP_ERROR = 400
_HTTP_STATUS = re.compile(r"[45]\d\d", re.ASCII)

# The gateway's message about a wrong signature repeats the text that it signed.
_SIGNED_TEXT = re.compile(r"server string\s*to\s*sign is", re.IGNORECASE)

# Source: the vendor's package alibabacloud-tea-openapi, Utils.get_endpoint_rules.
NETWORKS: tuple[str, ...] = ("public", "vpc")
_CENTRAL_STS = "sts.aliyuncs.com"


def token_service(region: str | None) -> tuple[Service, str | None]:
    """Return STS, and the region to call it in. It has a host in each region, and a central one.

    Source: the vendor's packages alibabacloud-sts20150401, for the regions, and alibabacloud-credentials, which calls
    the central host if no region is set, even inside a VPC.

    Args:
        region: The region's id; None for the central host.
    """
    central = dict.fromkeys(CENTRAL_STS_REGIONS, _CENTRAL_STS) if region else {NO_REGION: _CENTRAL_STS}
    return Service(cloud="alibaba", name="sts", version="2015-04-01", title="STS", region_hosts=central), region


def endpoint(service: Service, location: Location) -> Endpoint:
    """Return a service's endpoint by the rule of the vendor's clients: the region's own host, or the general rule.

    A region's own host counts in a VPC as well, as in the vendor's clients. The finance and government clouds are
    regions like all others: ``cn-shanghai-finance-1``, ``cn-north-2-gov-1``.

    Args:
        service: The product.
        location: The region, and the network: ``public``, or ``vpc`` for hosts inside the cloud. The site is not used:
            Alibaba Cloud's Chinese and international sites have the same hosts.

    Raises:
        InvalidConnection: The product's host depends on the region, and ``location`` has none.
    """
    region = location.region
    if own := service.region_hosts.get(region or NO_REGION):
        return Endpoint(f"https://{own}")
    host = service.host or f"{service.name}.{{region}}.aliyuncs.com"
    if own := service.network_hosts.get(location.network):
        host = own
    elif location.network == "vpc":
        host = host.replace(service.name, f"{service.name}-vpc", 1)
    if "{region}" in host:
        if not region:
            raise missing_region(service)
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
    """Return the signed request of a call.

    Args:
        call: The service, the action and the endpoint.
        params: The action's parameters: plain values, or lists and dicts of them.
        region: Not used: the endpoint's host contains it.
        credentials: The key that signs, or UNSIGNED.
        user_agent: The name of the caller.
        now: The time, in UTC; the gateway accepts requests of the last 15 minutes.

    Raises:
        ValueError: A parameter that is part of the path is blank, or would change the path.
    """
    content = _content(call.action, params)
    headers = _headers(call, content, credentials, now)
    if credentials is not UNSIGNED:
        headers["Authorization"] = _authorization(call.action, content, headers, credentials)
    # Not signed, because a proxy may change them.
    headers["user-agent"] = user_agent
    headers["accept"] = "application/json"
    query = f"?{content.query}" if content.query else ""
    return SignedRequest(call.action.method, f"{call.endpoint.url}{content.path}{query}", headers, content.body)


@dataclass(frozen=True, slots=True)
class _Content:
    """The parameters of a request, encoded for the places where its action takes them."""

    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str | None = None


def _content(action: Action, params: Mapping[str, Any]) -> _Content:
    placed: dict[Place, dict[str, Any]] = {}
    for name, value in params.items():
        if name not in action.path_params:
            placed.setdefault(action.place(name), {})[name] = value
    body, content_type = _body(placed)
    return _Content(
        _path(action, params),
        _query(placed.get("query", {})),
        {name.lower(): _header(name, value) for name, value in placed.get("header", {}).items() if value is not None},
        body,
        content_type,
    )


def _path(action: Action, params: Mapping[str, Any]) -> str:
    if not action.path_params:
        return action.path
    return action.path.format_map({name: _path_segment(name, params[name]) for name in action.path_params})


def _query(params: Mapping[str, Any]) -> str:
    quoted = sorted((_quoted(name), _quoted(value)) for name, value in _pairs(params))
    return "&".join(f"{name}={value}" for name, value in quoted)


def _body(placed: Mapping[Place, Mapping[str, Any]]) -> tuple[bytes, str | None]:
    """Return the body and its type. A spec that has two bodies is refused when it is made."""
    if form := placed.get("form"):
        return urlencode(_pairs(form)).encode(), "application/x-www-form-urlencoded"
    if members := placed.get("json"):
        return json.dumps(members).encode(), "application/json; charset=utf-8"
    for raw in placed.get("body", {}).values():
        if raw is not None:
            return _raw(raw), "application/octet-stream"
    return b"", None


def _raw(value: Any) -> bytes:
    """Return a raw body: bytes and text unchanged, any other value as JSON."""
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def _header(name: str, value: Any) -> str:
    header = str(value)
    if not _HEADER.fullmatch(header):
        raise InvalidArguments(f"{name} is {header!r:.100}; expected printable ASCII text, because it is a header.")
    return header


def _pairs(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [pair for name, value in params.items() for pair in _flat(name, value)]


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield a parameter as pairs of texts; the items of lists and dicts have names like ``Tag.1.Key``."""
    match value:
        case None:
            pass
        case dict():
            for key, item in value.items():
                yield from _flat(f"{name}.{key}", item)
        case list() | tuple():
            for number, item in enumerate(value, 1):
                yield from _flat(f"{name}.{number}", item)
        case _:
            yield name, str(value)


def _path_segment(name: str, value: Any) -> str:
    segment = str(value)
    if segment in ("", ".", ".."):
        raise ValueError(f"{name} {segment!r} cannot stand in the path of a request.")
    return _quoted(segment)


@lru_cache(maxsize=4096)  # every poll of a task sends the same few texts
def _quoted(part: str) -> str:
    return quote(part, safe="~")


def _headers(call: ApiCall, content: _Content, credentials: Credentials, now: datetime) -> dict[str, str]:
    """Return the headers that are signed."""
    headers = {
        **content.headers,
        "host": call.endpoint.host,
        "x-acs-action": call.action.name,
        "x-acs-version": call.service.version,
        "x-acs-date": f"{now.replace(tzinfo=None).isoformat(timespec='seconds')}Z",
        "x-acs-signature-nonce": secrets.token_hex(16),
        "x-acs-content-sha256": hashlib.sha256(content.body).hexdigest() if content.body else _HASH_OF_NOTHING,
    }
    if content.content_type:
        headers["content-type"] = content.content_type
    if credentials.token:
        headers["x-acs-accesskey-id"] = credentials.key_id
        headers["x-acs-security-token"] = credentials.token
    return headers


def _authorization(action: Action, content: _Content, headers: Mapping[str, str], credentials: Credentials) -> str:
    """Return the header with the signature."""
    names = sorted(headers)
    signed_headers = ";".join(names)
    canonical_request = "\n".join(
        (
            action.method,
            content.path,
            content.query,
            *[f"{name}:{headers[name].strip()}" for name in names],
            "",
            signed_headers,
            headers["x-acs-content-sha256"],
        )
    )
    text_to_sign = f"{_ALGORITHM}\n{hashlib.sha256(canonical_request.encode()).hexdigest()}"
    signature = hmac.digest(credentials.secret.encode(), text_to_sign.encode(), "sha256").hex()
    return f"{_ALGORITHM} Credential={credentials.key_id},SignedHeaders={signed_headers},Signature={signature}"


def read(call: ApiCall, answer: HttpAnswer) -> dict[str, Any]:
    """Return the content of an answer; Alibaba Cloud has no envelope around it.

    Args:
        call: The call.
        answer: The answer to it.

    Raises:
        CloudApiError: The answer reports an error; some products do so with HTTP 200.
    """
    content = json_object(call, answer)
    action = call.action
    is_error = reports_error(content, action.success_code) or is_refused(content, action.success)
    if answer.has_succeeded and not is_error:
        return content
    found, message = code_and_message(content, action.success)
    code = found or ""
    kind = alibaba_kind(code, _http_status(content, code, answer.status))
    raise kind(
        call.scrub(without_signed_text(message)),
        code=code or f"HTTP{answer.status}",
        **call.context(answer, request_id(content)),
    )


def without_signed_text(message: str) -> str:
    """Return a gateway's message without the text that it signed, which may hold an external id.

    Args:
        message: The message.
    """
    return message[: found.start()].rstrip() if (found := _SIGNED_TEXT.search(message)) else message


def _http_status(content: Mapping[str, Any], code: str, http_status: int) -> int:
    """Return the HTTP status of an error. Some products send HTTP 200 and the status in a field, e.g. 403 or 500.

    BPStudio sends it as Code, DataWorks as HttpStatusCode.
    """
    if http_status < _HTTP_ERROR:
        for each in (code, str(content.get("HttpStatusCode"))):
            if _HTTP_STATUS.fullmatch(each):
                return int(each)
    return http_status
