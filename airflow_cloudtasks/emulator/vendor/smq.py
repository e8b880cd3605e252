"""The data plane of SMQ (formerly MNS): send, receive, delete and hide messages of a queue, in XML.

Sources: Alibaba Cloud, Simple Message Queue, API reference: "Common parameters", "Sign requests", "Error codes", and
the pages of its actions; the package ``aliyun-mns-sdk`` for what its client sends and reads.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import xml.etree.ElementTree as ET
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from airflow_cloudtasks.emulator.engine.journal import Exchange
from airflow_cloudtasks.emulator.engine.queues import Message
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.vendor.contract import Action
from airflow_cloudtasks.emulator.vendor.gateway import Identified, random_request_id
from airflow_cloudtasks.emulator.vendor.wire import EmptyQueue, Reply, VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.keys import Key
    from airflow_cloudtasks.emulator.engine.queues import Queue
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.values import Cloud, JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call
    from airflow_cloudtasks.emulator.vendor.registry import Registry
    from airflow_cloudtasks.emulator.vendor.wire import Request

_NAMESPACE = "http://mns.aliyuncs.com/doc/v1/"
_CONTENT_TYPE = "text/xml;charset=utf-8"
_WINDOW_SECONDS = 15 * 60
_VERSION = "2015-06-06"
_MOST_MESSAGES = 16
_LONGEST_WAIT = 30
_VISIBILITY = (1, 43_200)
_LARGEST_MESSAGE = 65_536


class _SomeFailed(VendorError):
    """Some messages of a batch could not be deleted."""

    def __init__(self, receipts: list[str]) -> None:
        super().__init__("MessageNotExist", "Message not exist.", 404)
        self.receipts = receipts


@dataclass(frozen=True, slots=True)
class _Xml:
    """An answer's root element, and its HTTP status. Members of a dict are elements, and a list repeats one."""

    root: str
    content: Any
    status: int = 200


def announce_ends(state: State, registry: Registry) -> None:
    """Send the events of the tasks that have ended to their queues."""
    now = state.task_now()
    for task in state.queues.ended(now):
        shape = registry.shape(task.api)
        position = task.position(now)
        if shape.event is not None and shape.is_finished(position):
            event = {"EventType": shape.event.type, "UserId": "1234567890", "EventTime": iso_utc(position.entered_at)}
            body = shape.event.body(task, position.step.status)
            state.queues.announce(shape.event.address(task), event, body, position.entered_at)


def _queue(call: Call) -> Queue:
    queue = call.state.queues.find(call.parameters["QueueName"])
    if queue is None:
        raise VendorError("QueueNotExist", "The queue name you provided is not exist.", 404)
    return queue


def _receive(call: Call, *, single: bool) -> JsonObject:
    most = 1 if single else _whole(call, "numOfMessages", 1, _MOST_MESSAGES)
    wait = _whole(call, "waitseconds", 0, _LONGEST_WAIT) if "waitseconds" in call.parameters else 0
    announce_ends(call.state, call.parameters["registry"])
    queue = _queue(call)
    received = [_received(message) for message in queue.receive(most, call.now)]
    if not received:
        most_polls = queue.settings.long_polls
        raise EmptyQueue(queue, wait if most_polls is None or queue.polls < most_polls else 0)
    return {"xml": _Xml("Message", received[0]) if single else _Xml("Messages", {"Message": received})}


def _received(message: Message) -> JsonObject:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MessageBody": message.text,
        "MessageBodyMD5": message.md5,
        "EnqueueTime": _milliseconds(message.sent_at),
        "NextVisibleTime": _milliseconds(message.visible_at),
        "FirstDequeueTime": _milliseconds(message.first_received_at or 0.0),
        "DequeueCount": message.received,
        "Priority": message.priority,
    }


def _delete_one(call: Call) -> JsonObject:
    queue = _queue(call)
    queue.delete(_of_receipt(queue, call))
    return {"xml": _Xml("", None, 204)}


def _delete_many(call: Call) -> JsonObject:
    queue, failed = _queue(call), []
    receipts = [each.text or "" for each in call.parameters["body"] if _local(each) == "ReceiptHandle"]
    if not 1 <= len(receipts) <= _MOST_MESSAGES:
        raise _invalid_argument("ReceiptHandles")
    for receipt in receipts:
        message = queue.of_receipt(receipt, call.now)
        if message is None:
            failed.append(receipt)
        else:
            queue.delete(message)
    if failed:
        raise _SomeFailed(failed)
    return {"xml": _Xml("", None, 204)}


def _change_visibility(call: Call) -> JsonObject:
    seconds = _whole(call, "VisibilityTimeout", *_VISIBILITY)
    queue = _queue(call)
    message = _of_receipt(queue, call)
    queue.hide(message, seconds, call.now)
    changed = {"ReceiptHandle": message.receipt, "NextVisibleTime": _milliseconds(message.visible_at)}
    return {"xml": _Xml("ChangeVisibility", changed)}


def _send(call: Call) -> JsonObject:
    queue, body = _queue(call), call.parameters["body"]
    many = _local(body) == "Messages"
    sent = [_sent(call, queue, each) for each in (body if many else [body])]
    return {"xml": _Xml("Messages", {"Message": sent}, 201) if many else _Xml("Message", sent[0], 201)}


def _sent(call: Call, queue: Queue, element: ET.Element) -> JsonObject:
    fields = {_local(each): each.text or "" for each in element}
    text, delay, priority = (fields.get(name, "") for name in ("MessageBody", "DelaySeconds", "Priority"))
    if not text or len(text.encode()) > _LARGEST_MESSAGE or not (delay or "0").isdigit():
        raise _invalid_argument("Message")
    message = Message(text, call.now, call.now + int(delay or 0), int(priority or 8))
    queue.send(message)
    return {"MessageId": message.id, "MessageBodyMD5": message.md5}


def _of_receipt(queue: Queue, call: Call) -> Message:
    message = queue.of_receipt(call.parameters["ReceiptHandle"], call.now)
    if message is None:
        raise VendorError("MessageNotExist", "Message not exist.", 404)
    return message


def _whole(call: Call, name: str, least: int, most: int) -> int:
    written = str(call.parameters.get(name, ""))
    if not (written.isascii() and written.isdigit() and least <= int(written) <= most):
        raise VendorError("InvalidArgument", f"The value of {name} should between {least} and {most} seconds/bytes.")
    return int(written)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _invalid_argument(element: str) -> VendorError:
    text = f"The XML you provided did not validate against our published schema, cause by {element} Element."
    return VendorError("InvalidArgument", text)


_action = partial(Action, cloud="alibaba", service="mns", version=_VERSION, parameters=(), path="/queues")
# By the HTTP method, and whether the request is about several messages.
_ACTIONS: Mapping[tuple[str, bool], Action] = {
    ("GET", False): _action(api="smq.receive", name="ReceiveMessage", answer=partial(_receive, single=True)),
    ("GET", True): _action(api="smq.receive", name="BatchReceiveMessage", answer=partial(_receive, single=False)),
    ("DELETE", False): _action(api="smq.delete", name="DeleteMessage", answer=_delete_one),
    ("DELETE", True): _action(api="smq.delete", name="DeleteMessage", answer=_delete_many),
    ("PUT", False): _action(api="smq.change_visibility", name="ChangeMessageVisibility", answer=_change_visibility),
    ("POST", False): _action(api="smq.send", name="SendMessage", answer=_send),
    ("POST", True): _action(api="smq.send", name="BatchSendMessage", answer=_send),
}
SMQ_APIS = tuple(dict.fromkeys(action.api for action in _ACTIONS.values()))
"""The names of its APIs, for faults and the journal."""


def is_for_smq(request: Request) -> bool:
    """Return whether a request has SMQ's form, valid or not."""
    headers = request.headers
    return "x-mns-version" in headers or headers.get("authorization", "").startswith("MNS ")


class SmqGateway:
    """SMQ as a :class:`airflow_cloudtasks.emulator.vendor.gateway.Gateway`.

    Args:
        registry: The actions whose tasks send events when they end.
    """

    cloud: Cloud = "alibaba"

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def identify(self, request: Request) -> Identified:
        """Identify a request by its path, its method and whether it is about several messages."""
        key_id = request.headers.get("authorization", "").removeprefix("MNS ").partition(":")[0]
        exchange = Exchange("alibaba", service="mns", action=request.raw_path, version=_VERSION, key_id=key_id)
        query = dict(parse_qsl(request.raw_query.replace("+", "%2B"), keep_blank_values=True))
        start, *path = request.raw_path.split("/")
        if start or len(path) != 3 or path[0] != "queues" or path[2] != "messages":
            return Identified(exchange, refusal=VendorError("InvalidRequestURL", "Http request URL format invalid."))
        try:
            body = _parse(request.body) if request.body else None
        except (ET.ParseError, ValueError):
            text = "The XML you provided was not well-formed."
            return Identified(exchange, refusal=VendorError("MalformedXML", text))
        several = "numOfMessages" in query or (body is not None and _local(body) in ("Messages", "ReceiptHandles"))
        action = _ACTIONS.get((request.method, several))
        if action is None or (action.api == "smq.send" and body is None):
            return Identified(exchange, refusal=VendorError("InvalidRequestURL", "Http request URL format invalid."))
        sent = {"QueueName": unquote(path[1]), **query}
        return replace(Identified.of(exchange, action, sent), parameters={**sent, "body": body})

    def authenticate(self, request: Request, action: Action | None, state: State, now: float) -> Key:
        """Return the key that signed a request.

        Args:
            request: The request.
            action: Its action, if it could be identified.
            state: The emulator's memory, which holds the keys.
            now: The time, in Unix seconds.

        Raises:
            VendorError: Its signature, date, digest or token is missing, wrong or expired.
        """
        headers = request.headers
        for name, code in (("authorization", "MissingAuthorizationHeader"), ("date", "MissingDateHeader")):
            if not headers.get(name):
                raise VendorError(code, f"{name.capitalize()} header is required.")
        if headers.get("x-mns-version") != _VERSION:
            raise VendorError("InvalidArgument", "The x-mns-version header is missing or invalid.")
        scheme, _, credential = headers["authorization"].partition(" ")
        key_id, _, signature = credential.rpartition(":")
        if scheme != "MNS" or not key_id:
            raise VendorError("InvalidAuthorizationHeader", "The Authorization header format is invalid.")
        try:
            sent_at = parsedate_to_datetime(headers["date"]).timestamp()
        except ValueError:
            raise VendorError("InvalidDateHeader", "The Date header format is invalid.") from None
        if abs(now - sent_at) > _WINDOW_SECONDS:
            raise VendorError("TimeExpired", "The http request you sent is expired.", 408)
        key = state.keys.find("alibaba", key_id)
        if key is None:
            raise VendorError("InvalidAccessKeyId", "The AccessKey Id you provided is not exist.", 403)
        if not hmac.compare_digest(_signature(request, key.secret), signature.encode()):
            text = "The request signature we calculated does not match the signature you provided."
            raise VendorError("SignatureDoesNotMatch", f"{text} Check your key and signing method.", 403)
        if request.body and headers.get("content-md5") not in _digests(request.body):
            raise VendorError("InvalidDegist", "The Content-MD5 you specified is invalid.")
        if key.token != headers.get("security-token") or key.has_expired(now):
            raise self.token_expired()
        return key

    def check_parameters(self, request: Request, action: Action, sent: Mapping[str, object]) -> JsonObject:
        """Return the parameters, unless the handle of a single message is missing."""
        needs_receipt = action.answer in (_delete_one, _change_visibility)
        if needs_receipt and not sent.get("ReceiptHandle"):
            raise VendorError("MissingReceiptHandle", "ReceiptHandle is required.")
        return {**sent, "registry": self._registry}

    def success(self, body: JsonObject, request_id: str) -> Reply:
        """Return an answer in XML."""
        answer: _Xml = body["xml"]
        content = _element(answer.root, answer.content) if answer.root else b""
        return Reply(answer.status, content, _CONTENT_TYPE, {"x-mns-request-id": request_id})

    def failure(self, error: VendorError, request: Request, request_id: str) -> Reply:
        """Return a refusal in XML; if some messages of a batch failed, it names those."""
        if isinstance(error, _SomeFailed):
            entries = [
                {"ErrorCode": error.code, "ErrorMessage": error.message, "ReceiptHandle": receipt}
                for receipt in error.receipts
            ]
            content = _element("Errors", {"Error": entries})
        else:
            host = request.headers.get("host", "")
            fields = {"Code": error.code, "Message": error.message, "RequestId": request_id, "HostId": host}
            content = _element("Error", fields)
        return Reply(error.status, content, _CONTENT_TYPE, {"x-mns-request-id": request_id})

    def new_request_id(self) -> str:
        """Return 24 hexadecimal digits in upper case."""
        return random_request_id().replace("-", "").upper()[:24]

    def throttled(self, requests_per_second: float) -> VendorError:
        """Return the refusal of a request that exceeds a rate limit."""
        return VendorError("QpsLimitExceeded", "The qps limit of the queue is exceeded.")

    def denied(self, permission: str) -> VendorError:
        """Return the refusal of a key whose policies do not allow an action."""
        text = "The OwnerId that your Access Key Id associated to is forbidden for this operation."
        return VendorError("AccessDenied", text, 403)

    def token_expired(self) -> VendorError:
        """Return the refusal of a missing, wrong or expired security token."""
        return VendorError("InvalidSecurityToken", "The security token you provided is invalid or expired.", 403)

    def breakdown(self, request: Request, request_id: str) -> Reply:
        """Return HTTP 500 in XML."""
        return self.failure(VendorError("InternalError", "Interal error.", 500), request, request_id)


def _signature(request: Request, secret: str) -> bytes:
    """Return the signature that a request should have.

    Source: "Sign requests": VERB, CONTENT-MD5, CONTENT-TYPE, DATE, the x-mns headers in order, and the resource, which
    is path and query as sent.
    """
    headers = request.headers
    own = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-mns-"))
    first = [request.method, *(headers.get(name, "") for name in ("content-md5", "content-type", "date"))]
    query = f"?{request.raw_query}" if request.raw_query else ""
    text = "\n".join(first) + f"\n{own}{request.raw_path}{query}"
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha1).digest())


def _digests(body: bytes) -> tuple[str, ...]:
    """Return the accepted values of Content-MD5: of the RFC, and of the vendor's client, which encodes hexadecimal."""
    digest = hashlib.md5(body, usedforsecurity=False)
    return tuple(base64.b64encode(each).decode() for each in (digest.digest(), digest.hexdigest().encode()))


class _NoDoctype(ET.TreeBuilder):
    """Refuses document types, and so entities."""

    def doctype(self, *_: Any) -> None:
        raise ValueError("no document type is allowed")


def _parse(body: bytes) -> ET.Element:
    return ET.fromstring(body, ET.XMLParser(target=_NoDoctype()))  # noqa: S314 - no document type, so no entities


def _element(name: str, content: Any) -> bytes:
    root = ET.Element(name, xmlns=_NAMESPACE)
    _fill(root, content)
    encoded: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return encoded


def _fill(parent: ET.Element, content: Any) -> None:
    if not isinstance(content, dict):
        parent.text = str(content)
        return
    for name, value in content.items():
        for each in value if isinstance(value, list) else [value]:
            _fill(ET.SubElement(parent, name), each)
