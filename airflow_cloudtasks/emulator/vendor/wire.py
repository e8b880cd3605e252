"""A request as it came in, a reply as it goes out, and a refusal in a vendor's words. Pure data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_cloudtasks.emulator.engine.queues import Queue


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
    """Return ASGI's header pairs as values by lower-case name; repeated headers are joined by a comma (RFC 9110)."""
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
        headers: Further headers, by lower-case name.
    """

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class VendorError(Exception):
    """A refusal in a vendor's own words.

    Attributes:
        code: The vendor's error code, e.g. ``SignatureDoesNotMatch``.
        message: The error's text.
        status: The HTTP status that Alibaba Cloud sends with it. Tencent Cloud always sends 200.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class EmptyQueue(VendorError):
    """No message is visible. A long poll waits for one.

    Attributes:
        queue: The queue.
        wait: Seconds for which the request may wait for one; 0 for none.
    """

    def __init__(self, queue: Queue, wait: float) -> None:
        super().__init__("MessageNotExist", "Message not exist.", 404)
        self.queue = queue
        self.wait = wait


def to_json(value: Any) -> bytes:
    """Encode a JSON value as the vendors do: compact, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def is_json_object(text: str) -> bool:
    """Return whether a text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
