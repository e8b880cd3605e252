"""The two clouds' signature algorithms, implemented from their published descriptions. Pure functions.

Sources:
    Alibaba Cloud, "Request syntax and signature method V3"
    (https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature).
    Alibaba Cloud, "Request syntax and signature method V2 for RPC APIs"
    (https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism).
    Tencent Cloud, "Signature v3" (https://www.tencentcloud.com/document/product/267/37447).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

ACS3 = "ACS3-HMAC-SHA256"
TC3 = "TC3-HMAC-SHA256"

_ACS3_HEADER = re.compile(
    rf"{ACS3}\s+Credential=(?P<key_id>[^,\s]+)\s*,\s*SignedHeaders=(?P<signed>[^,\s]+)\s*,"
    r"\s*Signature=(?P<signature>[0-9A-Za-z]+)"
)
_TC3_HEADER = re.compile(
    rf"{TC3}\s+Credential=(?P<key_id>[^,/\s]+)/(?P<date>[^,/\s]+)/(?P<service>[^,/\s]+)/tc3_request\s*,"
    r"\s*SignedHeaders=(?P<signed>[^,\s]+)\s*,\s*Signature=(?P<signature>[0-9A-Za-z]+)"
)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an Authorization header.

    Attributes:
        key_id: The access key's id.
        signed_headers: The names of the signed headers, as listed.
        signature: The signature, in hexadecimal.
        date: Tencent only: the UTC date of the credential scope.
        service: Tencent only: the service of the credential scope.
    """

    key_id: str
    signed_headers: tuple[str, ...]
    signature: str
    date: str = ""
    service: str = ""


def parse_acs3(header: str) -> Authorization | None:
    """Parse Alibaba Cloud's header ``ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…``, or return None."""
    match = _ACS3_HEADER.fullmatch(header.strip())
    if match is None:
        return None
    return Authorization(match["key_id"], tuple(match["signed"].split(";")), match["signature"])


def parse_tc3(header: str) -> Authorization | None:
    """Parse Tencent Cloud's header ``TC3-HMAC-SHA256 Credential=id/date/service/tc3_request, …``, or return None."""
    match = _TC3_HEADER.fullmatch(header.strip())
    if match is None:
        return None
    return Authorization(
        match["key_id"], tuple(match["signed"].split(";")), match["signature"], match["date"], match["service"]
    )


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of bytes in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def canonical_path(raw_path: str) -> str:
    """Return a path with every segment percent-encoded by RFC 3986; ``/`` for an empty path.

    Each segment is decoded first, so that two spellings of a path have one signature. Segments are handled one by one,
    because a slash inside a task's id is sent as ``%2F`` and must stay so.
    """
    return "/".join(quote(unquote(segment), safe="~") for segment in raw_path.split("/")) or "/"


def canonical_query(raw_query: str) -> str:
    """Return a query's parameters sorted by name and percent-encoded by RFC 3986."""
    pairs = sorted(parse_qsl(raw_query, keep_blank_values=True))
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)


def acs3_canonical_request(
    method: str,
    raw_path: str,
    raw_query: str,
    headers: Mapping[str, str],
    signed_headers: tuple[str, ...],
    body_hash: str,
) -> str:
    """Return the text that an Alibaba Cloud V3 signature is computed over.

    Source: Alibaba Cloud, "Request syntax and signature method V3", step 1.

    Args:
        method: The HTTP method.
        raw_path: The path as sent.
        raw_query: The query as sent.
        headers: Values by lower-case name; must contain every signed header.
        signed_headers: The names of the signed headers.
        body_hash: The body's SHA-256 in hexadecimal.
    """
    names = sorted(signed_headers)
    canonical_headers = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    return "\n".join(
        (
            method,
            canonical_path(raw_path),
            canonical_query(raw_query),
            canonical_headers,
            ";".join(names),
            body_hash,
        )
    )


def acs3_string_to_sign(canonical_request: str) -> str:
    """Return the text that Alibaba Cloud's HMAC is computed over: algorithm and hash of the canonical request."""
    return f"{ACS3}\n{sha256_hex(canonical_request.encode())}"


def acs3_signature(secret: str, canonical_request: str) -> str:
    """Return an Alibaba Cloud V3 signature in lower-case hexadecimal."""
    text = acs3_string_to_sign(canonical_request)
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def rpc_string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """Return the text that Alibaba Cloud's older RPC signature is computed over, in which a space is ``%20``.

    Source: Alibaba Cloud, "Request syntax and signature method V2 for RPC APIs".

    Args:
        method: The HTTP method.
        parameters: All parameters of query and form except ``Signature``.
    """
    canonical = "&".join(f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in sorted(parameters))
    return f"{method}&%2F&{quote(canonical, safe='~')}"


def rpc_signature(secret: str, string_to_sign: str) -> str:
    """Return Alibaba Cloud's older RPC signature, an HMAC-SHA1 in Base64."""
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), string_to_sign.encode(), "sha1")).decode()


def tc3_canonical_request(
    method: str, query: str, headers: Mapping[str, str], signed_headers: tuple[str, ...], body: bytes
) -> str:
    """Return the text that a Tencent Cloud v3 signature is computed over. Its path is always ``/``.

    Source: Tencent Cloud, "Signature v3", step 1.

    Args:
        method: The HTTP method.
        query: The query as sent for GET; empty for POST.
        headers: Values by lower-case name; must contain every signed header. The values are lower-cased, as documented.
        signed_headers: The names of the signed headers.
        body: The body; empty for GET.
    """
    names = sorted(signed_headers)
    canonical_headers = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    return "\n".join((method, "/", query, canonical_headers, ";".join(names), sha256_hex(body)))


def tc3_date(timestamp: int) -> str:
    """Return the UTC date, ``yyyy-MM-dd``, that a credential scope must have for an X-TC-Timestamp."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


@lru_cache(maxsize=256)
def _tc3_signing_key(secret: str, date: str, service: str) -> bytes:
    # Cached, since its arguments change only once a day.
    key = hmac.digest(f"TC3{secret}".encode(), date.encode(), "sha256")
    for part in (service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def tc3_signature(secret: str, canonical_request: str, timestamp: str, date: str, service: str) -> str:
    """Return a Tencent Cloud v3 signature in lower-case hexadecimal.

    Source: Tencent Cloud, "Signature v3", steps 2 and 3.

    Args:
        secret: The SecretKey.
        canonical_request: From :func:`tc3_canonical_request`.
        timestamp: X-TC-Timestamp as sent, in Unix seconds.
        date: The credential scope's UTC date.
        service: The credential scope's service.
    """
    request_hash = sha256_hex(canonical_request.encode())
    text = f"{TC3}\n{timestamp}\n{date}/{service}/tc3_request\n{request_hash}"
    return hmac.digest(_tc3_signing_key(secret, date, service), text.encode(), "sha256").hex()


def same_signature(computed: str, sent: str) -> bool:
    """Compare two hexadecimal signatures in constant time, ignoring case."""
    return hmac.compare_digest(computed, sent.lower())
