"""The two clouds' signature algorithms, written from their published descriptions. Pure functions over plain data.

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
    """An Authorization header, taken apart.

    Attributes:
        key_id: The access key's id.
        signed_headers: The names of the headers under the signature, as listed.
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
    """Take apart an Alibaba Cloud V3 Authorization header.

    Args:
        header: ``ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…``.

    Returns:
        Its parts, or None when it does not have that form.
    """
    match = _ACS3_HEADER.fullmatch(header.strip())
    if match is None:
        return None
    return Authorization(match["key_id"], tuple(match["signed"].split(";")), match["signature"])


def parse_tc3(header: str) -> Authorization | None:
    """Take apart a Tencent Cloud v3 Authorization header.

    Args:
        header: ``TC3-HMAC-SHA256 Credential=id/date/service/tc3_request, SignedHeaders=…, Signature=…``.

    Returns:
        Its parts, or None when it does not have that form.
    """
    match = _TC3_HEADER.fullmatch(header.strip())
    if match is None:
        return None
    return Authorization(
        match["key_id"], tuple(match["signed"].split(";")), match["signature"], match["date"], match["service"]
    )


def sha256_hex(data: bytes) -> str:
    """Hash bytes as both clouds want a body hashed.

    Args:
        data: The bytes.

    Returns:
        SHA-256 in lower-case hexadecimal.
    """
    return hashlib.sha256(data).hexdigest()


def canonical_path(raw_path: str) -> str:
    """Encode a path once more, so that two spellings of one path give one signature.

    Args:
        raw_path: The path as sent. Each segment is decoded and encoded by itself: a slash inside a task's id arrives
            as ``%2F`` and has to stay one.

    Returns:
        The path with every segment percent-encoded by RFC 3986; ``/`` for an empty one.
    """
    return "/".join(quote(unquote(segment), safe="~") for segment in raw_path.split("/")) or "/"


def canonical_query(raw_query: str) -> str:
    """Sort and encode a query.

    Args:
        raw_query: The query as sent.

    Returns:
        The parameters sorted by name and percent-encoded by RFC 3986.
    """
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
    """Build the text an Alibaba Cloud V3 signature is computed over.

    Args:
        method: The HTTP method.
        raw_path: The path as sent.
        raw_query: The query as sent.
        headers: Values by lower-case name; must hold every signed header.
        signed_headers: The names of the signed headers.
        body_hash: The body's SHA-256 in hexadecimal.

    Returns:
        The canonical request. Source: Alibaba Cloud, "Request syntax and signature method V3", step 1.
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
    """Build what Alibaba Cloud's HMAC is taken of.

    Args:
        canonical_request: From :func:`acs3_canonical_request`.

    Returns:
        The algorithm's name and the request's hash, one a line.
    """
    return f"{ACS3}\n{sha256_hex(canonical_request.encode())}"


def acs3_signature(secret: str, canonical_request: str) -> str:
    """Compute an Alibaba Cloud V3 signature.

    Args:
        secret: The AccessKey secret.
        canonical_request: From :func:`acs3_canonical_request`.

    Returns:
        The signature in lower-case hexadecimal.
    """
    text = acs3_string_to_sign(canonical_request)
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def rpc_string_to_sign(method: str, parameters: Mapping[str, str]) -> str:
    """Build what the HMAC of Alibaba Cloud's older RPC signature is taken of.

    Args:
        method: The HTTP method.
        parameters: Every parameter of query and form, but for ``Signature``.

    Returns:
        The text, in which a space is ``%20`` however the request itself spells one. Source: Alibaba Cloud, "Request
        syntax and signature method V2 for RPC APIs".
    """
    canonical = "&".join(f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in sorted(parameters))
    return f"{method}&%2F&{quote(canonical, safe='~')}"


def rpc_signature(secret: str, string_to_sign: str) -> str:
    """Compute Alibaba Cloud's older RPC signature.

    Args:
        secret: The AccessKey secret.
        string_to_sign: From :func:`rpc_string_to_sign`.

    Returns:
        The HMAC-SHA1 in Base64.
    """
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), string_to_sign.encode(), "sha1")).decode()


def tc3_canonical_request(
    method: str, query: str, headers: Mapping[str, str], signed_headers: tuple[str, ...], body: bytes
) -> str:
    """Build the text a Tencent Cloud v3 signature is computed over.

    Args:
        method: The HTTP method.
        query: The query as sent for GET; empty for POST.
        headers: Values by lower-case name; must hold every signed header. The values are put in lower case, as the
            description says.
        signed_headers: The names of the signed headers.
        body: The body; empty for GET.

    Returns:
        The canonical request, whose path is always ``/``. Source: Tencent Cloud, "Signature v3", step 1.
    """
    names = sorted(signed_headers)
    canonical_headers = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    return "\n".join((method, "/", query, canonical_headers, ";".join(names), sha256_hex(body)))


def tc3_date(timestamp: int) -> str:
    """Tell the date a Tencent Cloud credential scope must carry.

    Args:
        timestamp: X-TC-Timestamp, in Unix seconds.

    Returns:
        The UTC date of that moment, ``yyyy-MM-dd``.
    """
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


@lru_cache(maxsize=256)
def _tc3_signing_key(secret: str, date: str, service: str) -> bytes:
    # Cached: the three rounds depend on nothing that changes from one request to the next within a day.
    key = hmac.digest(f"TC3{secret}".encode(), date.encode(), "sha256")
    for part in (service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def tc3_signature(secret: str, canonical_request: str, timestamp: str, date: str, service: str) -> str:
    """Compute a Tencent Cloud v3 signature.

    Args:
        secret: The SecretKey.
        canonical_request: From :func:`tc3_canonical_request`.
        timestamp: X-TC-Timestamp as sent, in Unix seconds.
        date: The credential scope's UTC date.
        service: The credential scope's service.

    Returns:
        The signature in lower-case hexadecimal. Source: Tencent Cloud, "Signature v3", steps 2 and 3.
    """
    request_hash = sha256_hex(canonical_request.encode())
    text = f"{TC3}\n{timestamp}\n{date}/{service}/tc3_request\n{request_hash}"
    return hmac.digest(_tc3_signing_key(secret, date, service), text.encode(), "sha256").hex()


def same_signature(computed: str, sent: str) -> bool:
    """Compare two signatures in constant time, whatever the case of their letters.

    Args:
        computed: The one computed here.
        sent: The one that came with the request.

    Returns:
        Whether they are the same.
    """
    return hmac.compare_digest(computed, sent.lower())
