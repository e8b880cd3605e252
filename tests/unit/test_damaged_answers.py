"""The status of an answer in damaged JSON is read; the damage is replaced, logged once, and never makes a success."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds import answers
from airflow_cloudtasks.clouds.alibaba import read
from airflow_cloudtasks.clouds.damaged_json import read_damaged
from airflow_cloudtasks.errors import TransientError, UnreadableAnswer
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import normalise

from .calls import answer, read_call

ICE = APIS["ice.workflow_task"]
CALL = read_call(ICE)
OTHER_CALL = read_call(APIS["bdrc.task"])


@pytest.fixture(autouse=True)
def nothing_logged_yet() -> Iterator[None]:
    answers._log_damage.cache_clear()
    yield
    answers._log_damage.cache_clear()


def body(user_data: bytes = b'"x"', status: bytes = b'"Succeed"', after: bytes = b"") -> bytes:
    return b'{"WorkflowTask":{"TaskId":"t","UserData":' + user_data + b',"Status":' + status + b"}}" + after


def task(sent: bytes) -> CloudTask:
    return normalise(ICE, read(CALL, answer(sent)), parameters={"TaskId": "t"}, copy=False)


REPLACED = "\ufffd"


@pytest.mark.parametrize(
    ("user_data", "shown"),
    [
        (b'"\xfd\xb1"', REPLACED * 2),
        (b'"caf\xe9"', f"caf{REPLACED}"),
        (b'"\xed\xa0\x80"', REPLACED * 3),
        (b'"a\x07b"', f"a{REPLACED}b"),
        (b'"a\x00b"', f"a{REPLACED}b"),
        (b'"a\tb\r\nc"', "a\tb\r\nc"),
        (rb'"C:\data"', r"C:\data"),
        (rb'"\ud800"', "?"),
        (b"NaN", None),
        (b"-Infinity", None),
        (b"1e999", None),
        (b"9" * 5000, "9" * 5000),
        (b"18446744073709551616", "18446744073709551616"),
        (b"18446744073709551615", 18446744073709551615),
        (b"-9223372036854775809", "-9223372036854775809"),
    ],
    ids=ascii,
)
def test_reads_the_status_beside_a_damaged_field(user_data: bytes, shown: Any) -> None:
    read_task = task(body(user_data))
    assert read_task.state is TaskState.SUCCEEDED
    assert read_task.detail["UserData"] == shown


@pytest.mark.parametrize(
    "sent",
    [
        b"\xef\xbb\xbf" + body(),
        b"\x00\x00" + body() + b"\x00\x00",
        b"\r\n " + body(),
        body(after=b"\n</html>"),
        body(after=body(status=b'"Failed"')),
        body().decode().encode("utf-16"),
        body().decode().encode("utf-32-le"),
        body(b"[" * 500 + b"]" * 500),
        body(b'{"a":[' * 5000 + b"]}" * 5000),
        body(b'"' + rb"\"" * 1000 + b'"'),
        body(b'[{"' + rb"\"[{" * 100 + b'":' + b"[" * 3000 + b"]" * 3000 + b"}]"),
        b'{"Status":"Failed",' + body()[1:],
        b'{"WorkflowTask":null,' + body()[1:],
    ],
    ids=[
        *("byte order mark", "NULs", "blanks", "trailing text", "trailing object", "UTF-16", "UTF-32", "500 levels"),
        *("10000 levels", "escaped quotes", "brackets in a text", "a status elsewhere", "a key twice"),
    ],
)
def test_reads_the_status_of_a_damaged_document(sent: bytes) -> None:
    assert task(sent).state is TaskState.SUCCEEDED


def test_keeps_a_hundred_levels() -> None:
    detail = task(body(b"[" * 3000 + b"1" + b"]" * 3000)).detail
    assert json.dumps(detail["UserData"]).count("[") == 98  # within the answer and the task


@pytest.mark.parametrize(
    "status",
    [
        *(b'"Succ\xffeed"', b'"\xfdSucceed"', b'"Succeed\xb1"', b'"Succ\x00eed"', b'"Succeed\x00"', b'"\x07Succeed"'),
        *(rb'"\Succeed"', rb'"Succeed\ud800"', b'"Suc\xc2\xadceed"', b"NaN", b"1e999", b"9" * 5000),
    ],
    ids=ascii,
)
def test_a_damaged_status_is_unknown(status: bytes) -> None:
    assert task(body(status=status)).state is TaskState.UNKNOWN


@pytest.mark.parametrize(
    "sent",
    [
        body()[:-1],
        body(b'"unfinished')[:-20],
        b'{"WorkflowTask":{"TaskId":"t","Status":"Succeed"',
        b"[" + body() + b"]",
        b"<html>" + body(),
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"{" + b"[" * 100_000,
        b'{"' + rb"\"" * 100_000,
        b"]" * 200 + body(),
        b"",
        b"\x00",
        b"null",
        b"{'WorkflowTask': None}",
    ],
    ids=lambda sent: ascii(sent[:30]),
)
def test_what_holds_no_whole_object_is_unreadable(sent: bytes) -> None:
    assert read_damaged(sent) is None
    with pytest.raises(UnreadableAnswer):
        read(CALL, answer(sent))
    with pytest.raises(TransientError):
        read(CALL, answer(sent, 502))


def test_logs_damage_once_for_each_action(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            read(CALL, answer(body(b'"\xfd"')))
            read(CALL, answer(body()))
        read(OTHER_CALL, answer(body(b'"\xfd"')))
    assert [record.getMessage().split(" is no valid JSON")[0] for record in caplog.records] == [
        "An answer of ICE GetWorkflowTask",
        "An answer of BDRC DescribeTask",
    ]


def test_a_valid_answer_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "read_damaged", lambda body: pytest.fail("read as damaged"))
    assert task(body()).state is TaskState.SUCCEEDED
