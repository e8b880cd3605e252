"""Requests and answers of SMQ (Simple Message Queue, formerly MNS) as data. No I/O.

Sources: Alibaba Cloud, Simple Message Queue, API reference: "Common parameters", "Sign requests", "Error codes", and
the pages ReceiveMessage, BatchReceiveMessage, BatchDeleteMessage and ChangeMessageVisibility. The vendor's package
aliyun-mns-sdk 1.3.0, with which tests compare, for what is not documented: how the digest of a body is encoded.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from airflow_cloudtasks.clouds.error_codes import alibaba_kind, kind_of_status
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint, HttpAnswer, SignedRequest
from airflow_cloudtasks.errors import InvalidConnection, UnreadableAnswer
from airflow_cloudtasks.spec import Action, Service
from airflow_cloudtasks.values import number, whole_number

SMQ = Service(cloud="alibaba", name="mns", version="2015-06-06", title="SMQ")
RECEIVE = Action(name="BatchReceiveMessage", method="GET")
DELETE = Action(name="BatchDeleteMessage", method="DELETE")
GIVE_BACK = Action(name="ChangeMessageVisibility", method="PUT")

MOST_MESSAGES = 16
"""The messages of one request. Source: BatchReceiveMessage and BatchDeleteMessage."""

LONGEST_WAIT = 30
"""Seconds that a long poll waits at most. Source: ReceiveMessage, waitseconds."""

_NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
_EMPTY = "MessageNotExist"

# Source: CreateQueue. Letters, digits and hyphens.
_QUEUE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,119}")
_QUEUE_PATH = re.compile(rf"/queues/({_QUEUE_NAME.pattern})/?")

# The vendor's client sends receipt handles, which are Base64, unchanged.
_UNQUOTED = "-._~+/="


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """Which queue to call.

    Args:
        name: The queue's name.
        endpoint: The endpoint of its account and region; None to find it by the account and the region.
    """

    name: str
    endpoint: Endpoint | None = None

    @classmethod
    def parse(cls, address: str) -> QueueAddress:
        """Return the queue at an address that a user has written.

        Args:
            address: The queue's name, or its URL ``https://ACCOUNT.mns.REGION.aliyuncs.com/queues/NAME``.

        Raises:
            InvalidConnection: The address has another form, or is of plain http and not on this machine.
        """
        if _QUEUE_NAME.fullmatch(address):
            return cls(address)
        endpoint, slash, path = address.partition("/queues/")
        if slash and (found := _QUEUE_PATH.fullmatch(f"{slash}{path}")):
            return cls(found[1], Endpoint.parse(endpoint))
        raise InvalidConnection(
            f"{_shown(address)!r} is no queue of SMQ; expected its name, of up to 120 letters, digits and hyphens, or "
            "its URL, https://ACCOUNT_ID.mns.REGION.aliyuncs.com/queues/NAME."
        )


def _shown(address: str) -> str:
    """Return an address without a login, for an error text."""
    return address.rpartition("@")[2][:100]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received.

    Args:
        text: Its body.
        receipt: The handle by which it is deleted or given back, as long as it is hidden.
        id: Its id; empty if the answer has none.
        times_received: How often it has been received, this time included.
        sent_at: When it was sent, in Unix seconds; None if the answer does not say.
        hidden_until: Until when no other receiver gets it, in Unix seconds; None if the answer does not say.
    """

    text: str
    receipt: str = field(repr=False)
    id: str = ""
    times_received: int = 1
    sent_at: float | None = None
    hidden_until: float | None = None


def endpoint_of_account(account_id: str, region: str, network: str) -> Endpoint:
    """Return the endpoint of an account's queues. Source: SMQ, "Endpoints".

    Args:
        account_id: The number of the Alibaba Cloud account.
        region: The region's id.
        network: ``public``, or ``vpc`` for the endpoint inside the cloud.
    """
    inside = "-internal" if network == "vpc" else ""
    return Endpoint(f"https://{account_id}.mns.{region}{inside}.aliyuncs.com")


def receive_resource(queue: str, most: int, wait_seconds: int) -> str:
    """Return path and query of the request that receives messages.

    Args:
        queue: The queue's name.
        most: The largest number of messages, 1 to 16.
        wait_seconds: Seconds to wait for a message, 0 to 30.
    """
    return f"{messages_resource(queue)}?numOfMessages={most}&waitseconds={wait_seconds}"


def give_back_resource(queue: str, receipt: str, seconds: int) -> str:
    """Return path and query of the request that lets others receive a message.

    Args:
        queue: The queue's name.
        receipt: The message's receipt handle.
        seconds: Seconds until others can receive it, at least 1.
    """
    handle = quote(receipt, safe=_UNQUOTED)
    return f"{messages_resource(queue)}?ReceiptHandle={handle}&VisibilityTimeout={seconds}"


def messages_resource(queue: str) -> str:
    """Return the path of a queue's messages, where messages are deleted.

    Args:
        queue: The queue's name.
    """
    return f"/queues/{queue}/messages"


def receipts_body(receipts: Iterable[str]) -> bytes:
    """Return the body of the request that deletes messages.

    Args:
        receipts: The receipt handles of the messages, up to 16.
    """
    handles = "".join(f"<ReceiptHandle>{escape(receipt)}</ReceiptHandle>" for receipt in receipts)
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return f'{head}<ReceiptHandles xmlns="{_NAMESPACE}">{handles}</ReceiptHandles>'.encode()


def sign(
    call: ApiCall, resource: str, body: bytes, *, credentials: Credentials, user_agent: str, now: datetime
) -> SignedRequest:
    """Return the signed request of a call.

    Args:
        call: The action and the endpoint.
        resource: Path and query, as they are sent.
        body: The body; empty for none.
        credentials: The key that signs.
        user_agent: The name of the caller.
        now: The time, in UTC; the service accepts requests of the last 15 minutes.
    """
    headers = {
        # Of every request: aiohttp adds one of its own to some of them otherwise, which would not be signed.
        "content-type": "text/xml;charset=UTF-8",
        "date": format_datetime(now, usegmt=True),
        "x-mns-version": call.service.version,
    }
    if body:
        digest = hashlib.md5(body, usedforsecurity=False).hexdigest()
        headers["content-md5"] = base64.b64encode(digest.encode()).decode()
    signature = _signature(call.action.method, resource, headers, credentials.secret)
    headers["authorization"] = f"MNS {credentials.key_id}:{signature}"
    headers["user-agent"] = user_agent
    if credentials.token:
        headers["security-token"] = credentials.token
    return SignedRequest(call.action.method, f"{call.endpoint.url}{resource}", headers, body)


def _signature(method: str, resource: str, headers: Mapping[str, str], secret: str) -> str:
    own = sorted(name for name in headers if name.startswith("x-mns-"))
    lines = [
        method,
        *(headers.get(name, "") for name in ("content-md5", "content-type", "date")),
        *(f"{name}:{headers[name]}" for name in own),
        resource,
    ]
    return base64.b64encode(hmac.digest(secret.encode(), "\n".join(lines).encode(), "sha1")).decode()


def read_messages(call: ApiCall, answer: HttpAnswer) -> list[Message]:
    """Return the messages in an answer; none if the queue is empty.

    Args:
        call: The call that receives messages.
        answer: The answer to it.

    Raises:
        CloudApiError: The answer reports an error, or cannot be read.
    """
    if not answer.has_succeeded:
        error = _fields(_parse(call, answer))
        if error.get("Code") == _EMPTY:
            return []
        raise _refusal(call, answer, error)
    entries = [_fields(each) for each in _parse(call, answer) if _local(each) == "Message"]
    if any("ReceiptHandle" not in entry for entry in entries):
        raise UnreadableAnswer("a message has no ReceiptHandle", field="ReceiptHandle", **call.context(answer))
    return [
        Message(
            entry.get("MessageBody", ""),
            entry["ReceiptHandle"],
            id=entry.get("MessageId", ""),
            times_received=whole_number(entry.get("DequeueCount", "")) or 1,
            sent_at=_seconds(entry.get("EnqueueTime")),
            hidden_until=_seconds(entry.get("NextVisibleTime")),
        )
        for entry in entries
    ]


def check_done(call: ApiCall, answer: HttpAnswer) -> bool:
    """Return whether a request was carried out; False if messages of it could be received by others already.

    Args:
        call: The call that deletes messages or gives one back.
        answer: The answer to it.

    Raises:
        CloudApiError: The answer reports another error, or cannot be read.
    """
    if answer.has_succeeded:
        return True
    root = _parse(call, answer)
    error = _fields(next(iter(root), root) if _local(root) == "Errors" else root)
    # A receipt handle is of no use any more once the message is visible again.
    if (error.get("ErrorCode") or error.get("Code")) in (_EMPTY, "ReceiptHandleError"):
        return False
    raise _refusal(call, answer, error)


def _refusal(call: ApiCall, answer: HttpAnswer, error: Mapping[str, str]) -> Exception:
    code = error.get("Code") or error.get("ErrorCode") or ""
    message = error.get("Message") or error.get("ErrorMessage") or ""
    return alibaba_kind(code, answer.status)(
        call.scrub(message), code=code or f"HTTP{answer.status}", **call.context(answer, error.get("RequestId"))
    )


class _NoDoctype(ET.TreeBuilder):
    """Refuses document types: without one, a document has no entities that could expand or be fetched."""

    def doctype(self, *_: Any) -> None:
        raise ValueError("a document type")


def _parse(call: ApiCall, answer: HttpAnswer) -> ET.Element:
    try:
        return ET.fromstring(answer.body, ET.XMLParser(target=_NoDoctype()))  # noqa: S314 - without document types
    except (ET.ParseError, ValueError, LookupError):  # LookupError: an unknown encoding
        kind = kind_of_status(answer.status)
        if kind is not None:
            raise kind("the answer is no XML", code=f"HTTP{answer.status}", **call.context(answer)) from None
        raise UnreadableAnswer("the answer is no XML", field="", **call.context(answer)) from None


def _fields(element: ET.Element) -> dict[str, str]:
    return {_local(each): (each.text or "").strip() for each in element}


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _seconds(milliseconds: str | None) -> float | None:
    found = number(milliseconds)
    return None if found is None else found / 1000
