"""Requests to a message queue and its answers, byte by byte."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_cloudtasks.clouds import smq_wire as wire
from airflow_cloudtasks.clouds.smq_wire import QueueAddress
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint, HttpAnswer
from airflow_cloudtasks.errors import InvalidConnection, PermissionDenied, TransientError, UnreadableAnswer

CALL = ApiCall(wire.SMQ, wire.RECEIVE, Endpoint("https://1.mns.cn-hangzhou.aliyuncs.com"), ("my-secret",))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = Credentials("my-id", "my-secret", "my-token")
MESSAGES = """<?xml version="1.0"?><Messages xmlns="http://mns.aliyuncs.com/doc/v1/"><Message><MessageId>5F</MessageId>
<ReceiptHandle>1-Zm9v==</ReceiptHandle><MessageBody>a &lt; b</MessageBody><EnqueueTime>1250700979248</EnqueueTime>
<NextVisibleTime>1250700799348</NextVisibleTime><DequeueCount>2</DequeueCount><Priority>8</Priority></Message></Messages>
"""
BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<Messages><Message><ReceiptHandle>1</ReceiptHandle><MessageBody>&b;</MessageBody></Message></Messages>"""


def answer(body: str | bytes, status: int = 200) -> HttpAnswer:
    return HttpAnswer(status, {}, body if isinstance(body, bytes) else body.encode())


def test_reads_messages() -> None:
    (message,) = wire.read_messages(CALL, answer(MESSAGES))
    assert (message.text, message.receipt, message.id, message.times_received) == ("a < b", "1-Zm9v==", "5F", 2)
    assert (message.sent_at, message.hidden_until) == (1250700979.248, 1250700799.348)
    assert "1-Zm9v" not in repr(message)


@pytest.mark.parametrize("body", [BOMB, BOMB.encode("utf-16"), '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'])
def test_refuses_a_document_type_and_so_every_entity(body: str | bytes) -> None:
    with pytest.raises(UnreadableAnswer, match="no XML"):
        wire.read_messages(CALL, answer(body))


@pytest.mark.parametrize("body", ["", "<html>", "{}", b"\xff\xfe", '<?xml version="1.0" encoding="x-none"?><a/>'])
def test_reports_an_answer_that_is_no_xml_as_one_that_may_be_repeated(body: str | bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        wire.read_messages(CALL, answer(body))
    with pytest.raises(TransientError, match="HTTP503"):
        wire.read_messages(CALL, answer(body, 503))


def test_an_error_shows_no_secret() -> None:
    body = "<Error><Code>AccessDenied</Code><Message>my-secret is bad</Message><RequestId>R1</RequestId></Error>"
    with pytest.raises(PermissionDenied, match=r"AccessDenied: \*\*\* is bad.*request id R1"):
        wire.read_messages(CALL, answer(body, 403))


def test_a_message_without_a_receipt_is_no_message() -> None:
    with pytest.raises(UnreadableAnswer, match="ReceiptHandle"):
        wire.read_messages(CALL, answer("<Messages><Message><MessageId>1</MessageId></Message></Messages>"))


def test_signs_what_it_sends() -> None:
    body = wire.receipts_body(["1-a&b", "2"])
    request = wire.sign(CALL, "/queues/q/messages", body, credentials=KEY, user_agent="tests", now=NOW)
    assert request.url == "https://1.mns.cn-hangzhou.aliyuncs.com/queues/q/messages"
    assert request.headers["date"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert request.headers["security-token"] == "my-token"
    assert request.headers["authorization"].startswith("MNS my-id:")
    assert b"<ReceiptHandle>1-a&amp;b</ReceiptHandle>" in request.body
    assert "my-secret" not in repr(request)


def test_sends_a_receipt_as_the_vendors_client_does() -> None:
    assert wire.give_back_resource("q", "1-Zm9v+/==", 1).endswith("?ReceiptHandle=1-Zm9v+/==&VisibilityTimeout=1")
    assert "ReceiptHandle=a%26b%3F&" in wire.give_back_resource("q", "a&b?", 1)


@pytest.mark.parametrize(
    ("written", "name", "endpoint"),
    [
        ("ice-callback-a", "ice-callback-a", None),
        ("https://1.mns.cn-hangzhou.aliyuncs.com/queues/q1", "q1", "https://1.mns.cn-hangzhou.aliyuncs.com"),
        ("https://1.mns.cn-hangzhou.aliyuncs.com/queues/q1/", "q1", "https://1.mns.cn-hangzhou.aliyuncs.com"),
        ("1.mns.cn-hangzhou.aliyuncs.com/queues/q1", "q1", "https://1.mns.cn-hangzhou.aliyuncs.com"),
        ("http://127.0.0.1:8787/queues/q1", "q1", "http://127.0.0.1:8787"),
    ],
)
def test_reads_a_name_or_a_url(written: str, name: str, endpoint: str | None) -> None:
    assert QueueAddress.parse(written) == QueueAddress(name, Endpoint(endpoint) if endpoint else None)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a queue", "is no queue of SMQ; expected its name"),
        ("x" * 121, "is no queue of SMQ"),
        ("https://1.mns.cn-hangzhou.aliyuncs.com/topics/q1", "is no queue of SMQ"),
        ("https://1.mns.cn-hangzhou.aliyuncs.com/queues/", "is no queue of SMQ"),
        ("https://1.mns.cn-hangzhou.aliyuncs.com/queues/a/messages", "is no queue of SMQ"),
        ("http://1.mns.cn-hangzhou.aliyuncs.com/queues/q1", "write https://"),
        ("https://user:hidden@1.mns.aliyuncs.com/queues/q1", "is not an address"),
    ],
)
def test_refuses_another_address(written: str, said: str) -> None:
    with pytest.raises(InvalidConnection, match=said) as refused:
        QueueAddress.parse(written)
    assert "hidden" not in str(refused.value)


def test_the_endpoint_follows_from_account_region_and_network() -> None:
    assert wire.endpoint_of_account("1", "cn-hangzhou", "public").url == "https://1.mns.cn-hangzhou.aliyuncs.com"
    assert wire.endpoint_of_account("1", "cn-hangzhou", "vpc").url == "https://1.mns.cn-hangzhou-internal.aliyuncs.com"
