"""What travels: a request as it came in, a reply as it goes out, and a refusal in a vendor's words. Pure data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

JsonObject = dict[str, Any]
Cloud = Literal["alibaba", "tencent"]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, kept as the client sent it, since that is what the client signed.

    Attributes:
        method: The HTTP method, upper case.
        raw_path: The path as sent, still percent-encoded.
        raw_query: The query string as sent, without the question mark.
        headers: Header values by lower-case name; a repeated header's values are joined by a comma.
        body: The whole body.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes = b""


def headers_from(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Read header pairs, as ASGI gives them, into one mapping.

    Args:
        pairs: Names in lower case, with their values.

    Returns:
        Values by name; a repeated header's values are joined by a comma, as RFC 9110 allows.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer.

    Attributes:
        status: The HTTP status.
        body: The whole body.
        content_type: The value of Content-Type, spelled as the vendor spells it (Tencent's SDK compares it exactly).
    """

    status: int
    body: bytes
    content_type: str


class VendorError(Exception):
    """A refusal in a vendor's own words.

    Attributes:
        code: The vendor's error code, e.g. ``SignatureDoesNotMatch``.
        message: The text beside it.
        status: The HTTP status Alibaba Cloud sends with it. Tencent Cloud always sends 200.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(slots=True)
class Exchange:
    """What is known of one request while it is being answered; the journal's raw material.

    It holds no secret, token or signature, so that all of it may be shown.

    Attributes:
        cloud: Whose gateway was asked.
        api: The emulator's name of the action, or None for one that it does not serve.
        service: The product asked, where the request tells.
        action: The action asked for, as sent.
        version: The API version asked for, as sent.
        region: The region asked for, where the request tells.
        key_id: The access key's id (never its secret).
        parameters: The action's own parameters.
    """

    cloud: Cloud
    api: str | None = None
    service: str | None = None
    action: str | None = None
    version: str | None = None
    region: str | None = None
    key_id: str | None = None
    parameters: JsonObject = field(default_factory=dict)


def to_json(value: Any) -> bytes:
    """Encode as the vendors do: compact JSON in UTF-8.

    Args:
        value: Anything JSON can hold.

    Returns:
        The encoded bytes.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def is_json_object(text: str) -> bool:
    """Tell whether a text is a JSON object.

    Args:
        text: The text.

    Returns:
        Whether it is.
    """
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def iso_utc(moment: float) -> str:
    """Write a time as Alibaba Cloud's newer products and both token services do.

    Args:
        moment: Unix seconds.

    Returns:
        ISO 8601 in UTC, ``yyyy-MM-ddTHH:mm:ssZ``.
    """
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
