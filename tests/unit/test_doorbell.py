"""What a message of a queue says, and whether a queue rings for what ends. No network, no clock."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.spec import Doorbell
from airflow_cloudtasks.waiting.doorbell import Fate, ended_task, fate_of
from airflow_cloudtasks.waiting.triggerer.doorbell_health import REQUESTS_PER_SECOND, DoorbellHealth, RequestBudget

BELL = Doorbell(event="WorkflowTaskComplete")
# Source: ICE, "Callback events", the wrapper; ApsaraVideo VOD, "Workflow task completion", the flat form.
BODY = {"TaskId": "ec7d0b8f", "WorkflowId": "63dca9", "Status": "Succeed", "ActivityResults": []}
WRAPPED = {
    "EventType": "WorkflowTaskComplete",
    "UserId": "123",
    "EventTime": "2023-01-04T02:06:19Z",
    "MessageBody": BODY,
}
FLAT = {"EventTime": "2023-01-04T02:06:19Z", "EventType": "WorkflowTaskComplete", **BODY}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("encoded", [str, in_base64], ids=["plain", "base64"])
@pytest.mark.parametrize(
    "event",
    [
        WRAPPED,
        FLAT,
        {**WRAPPED, "MessageBody": json.dumps(BODY)},
        {**WRAPPED, "EventType": "workflowtaskcomplete "},
        BODY,
        {"MessageBody": {"TaskId": "ec7d0b8f"}},
    ],
)
def test_reads_the_task_in_either_documented_shape_and_encoding(event: dict[str, Any], encoded: Any) -> None:
    assert ended_task(encoded(json.dumps(event)), BELL) == "ec7d0b8f"
    assert ended_task(encoded(json.dumps(event, indent=1)), BELL) == "ec7d0b8f"


def test_reads_base64_that_is_broken_into_lines() -> None:
    assert ended_task(base64.encodebytes(json.dumps(WRAPPED).encode()).decode(), BELL) == "ec7d0b8f"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{",
        "[]",
        "null",
        "17",
        "e30",
        in_base64("hello"),
        in_base64(in_base64(json.dumps(WRAPPED))),
        "é" * 4,
        "[" * 100_000,
        json.dumps({**WRAPPED, "EventType": "ProduceMediaComplete"}),
        json.dumps({**WRAPPED, "EventType": 7}),
        json.dumps({**WRAPPED, "MessageBody": {"JobId": "1"}}),
        json.dumps({**WRAPPED, "MessageBody": {"TaskId": ["1"]}}),
        json.dumps({**WRAPPED, "MessageBody": {"TaskId": True}}),
        json.dumps({**WRAPPED, "MessageBody": {"TaskId": " "}}),
        json.dumps({**WRAPPED, "MessageBody": {"TaskId": None}}),
        json.dumps({"EventType": "WorkflowTaskComplete"}),
    ],
)
def test_garbage_and_other_events_tell_of_no_task(text: str) -> None:
    assert ended_task(text, BELL) is None


@given(st.text() | json_values.map(json.dumps) | json_values.map(json.dumps).map(in_base64))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = ended_task(text, BELL)
    assert found is None or (isinstance(found, str) and found)


@given(st.uuids().map(str), st.booleans(), st.booleans(), st.dictionaries(st.text(), json_values, max_size=3))
def test_what_else_a_message_says_does_not_matter(task_id: str, wraps: bool, encodes: bool, more: Any) -> None:
    body = {**more, "TaskId": task_id, "EventType": "WorkflowTaskComplete"}
    body.pop("MessageBody", None)
    event = {**more, "EventType": "WorkflowTaskComplete", "MessageBody": body} if wraps else body
    text = json.dumps(event)
    assert ended_task(in_base64(text) if encodes else text, BELL) == task_id


# --- what becomes of a message ----------------------------------------------------------------------------------------


def test_deletes_what_was_waited_for_here() -> None:
    assert fate_of("1", is_ours=True, times_received=1) is Fate.DELETE


def test_gives_back_what_may_be_for_another_triggerer_until_nobody_wanted_it() -> None:
    fates = [fate_of("1", is_ours=False, times_received=times) for times in (1, 2, 7, 8, 9)]
    assert fates == [Fate.GIVE_BACK] * 3 + [Fate.DELETE] * 2


def test_leaves_garbage_until_it_has_come_again_and_again() -> None:
    fates = [fate_of(None, is_ours=False, times_received=times) for times in (1, 2, 3)]
    assert fates == [Fate.LEAVE, Fate.LEAVE, Fate.DELETE]


# --- whether a queue is relied on -------------------------------------------------------------------------------------


def rings(health: DoorbellHealth, number: int, now: float) -> None:
    health.learn_rung(str(number), now)
    health.learn_end(str(number), now + 0.1)


def test_a_queue_is_relied_on_once_it_has_rung_for_an_end() -> None:
    health = DoorbellHealth()
    health.learn_answered()
    assert not health.is_healthy
    rings(health, 1, 0.0)
    assert health.is_healthy


def test_a_message_that_comes_after_a_poll_has_found_the_end_counts_too() -> None:
    health = DoorbellHealth()
    health.learn_end("1", 0.0)
    assert health.judge(4.9) == 0
    health.learn_rung("1", 4.95)
    assert health.is_healthy
    assert health.judge(100.0) == 0


def test_an_end_before_the_wait_began_says_nothing_about_the_queue() -> None:
    health = DoorbellHealth()
    rings(health, 0, 0.0)
    for number in range(1, 21):
        health.learn_end(str(number), 1.0, was_running=False)
    assert health.judge(60.0) == 0
    assert health.is_healthy


def test_a_queue_that_is_silent_is_not_relied_on_until_it_rings_again() -> None:
    health = DoorbellHealth()
    rings(health, 0, 0.0)
    for number in range(1, 21):
        health.learn_end(str(number), 1.0)
    assert health.judge(3.0) == 0
    assert health.judge(12.0) == 20
    assert not health.is_healthy
    for number in range(21, 41):
        rings(health, number, 20.0)
    assert health.is_healthy


def test_a_queue_that_rings_for_tasks_that_run_is_not_relied_on() -> None:
    health = DoorbellHealth()
    rings(health, 0, 0.0)
    for number in range(1, 21):
        health.learn_rung(str(number), 1.0)
        health.learn_read(str(number), 15.9)  # reads may lag behind
    assert health.judge(16.5) == 0
    for number in range(1, 21):
        health.learn_read(str(number), 16.1)
    assert health.judge(17.0) == 20
    assert not health.is_healthy


def test_a_message_says_nothing_against_the_queue_until_its_task_has_been_read() -> None:
    health = DoorbellHealth()
    rings(health, 0, 0.0)
    for number in range(1, 21):
        health.learn_rung(str(number), 1.0)
    assert health.judge(500.0) == 0
    assert health.is_healthy


def test_a_third_of_the_messages_may_be_lost() -> None:
    health = DoorbellHealth()
    states = Counter[bool]()
    for number in range(300):
        now = float(number)
        if number % 3:
            rings(health, number, now)
        else:
            health.learn_end(str(number), now)
        health.judge(now)
        states[health.is_healthy] += 1
    assert states[True] > 290


def test_failures_in_a_row_end_the_trust_and_an_answer_restores_it() -> None:
    health = DoorbellHealth()
    rings(health, 1, 0.0)
    assert health.learn_failed() == 1.0
    assert health.is_healthy
    assert health.learn_failed() == 2.0
    assert not health.is_healthy
    health.learn_answered()
    assert health.is_healthy


def test_one_request_without_an_answer_ends_the_trust() -> None:
    health = DoorbellHealth()
    rings(health, 1, 0.0)
    assert health.learn_failed(in_time=False) >= 1.0
    assert not health.is_healthy


@given(st.lists(st.none() | st.floats(0, 1000), max_size=30), st.booleans())
def test_pauses_after_failures_are_never_short(asked: list[float | None], may_pass: bool) -> None:
    health = DoorbellHealth()
    longest = 10.0 if may_pass else 60.0
    pauses = [health.learn_failed(seconds, may_pass=may_pass) for seconds in asked]
    assert all(pause >= max(1.0, seconds or 0.0) for pause, seconds in zip(pauses, asked, strict=True))
    assert all(pause <= max(longest, seconds or 0.0) for pause, seconds in zip(pauses, asked, strict=True))


def test_what_a_queue_that_cannot_be_read_misses_is_not_held_against_it() -> None:
    health = DoorbellHealth()
    rings(health, 0, 0.0)
    health.learn_failed()
    for number in range(1, 21):
        health.learn_end(str(number), 1.0)
    assert health.judge(12.0) == 20
    health.learn_answered()
    assert health.is_healthy


def test_what_is_remembered_is_bounded() -> None:
    health = DoorbellHealth()
    for number in range(50_000):
        rings(health, number, number / 1000)
    health.judge(50.0)
    assert not health.is_ours("1")
    assert health.is_ours("49999")
    health.judge(1000.0)
    assert not health.is_ours("49999")


# --- the budget -------------------------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 5), min_size=1, max_size=400))
def test_requests_are_one_a_second_in_the_mean_beyond_what_was_saved(gaps: list[float]) -> None:
    now, sent = 0.0, list[float]()
    budget = RequestBudget(now)
    for gap in gaps:
        now += gap
        now += budget.take(now)
        sent.append(now)
    for first, began in enumerate(sent):
        assert len(sent) - first <= 182 + REQUESTS_PER_SECOND * (sent[-1] - began)


def test_requests_that_are_not_needed_stop_before_the_needed_ones() -> None:
    budget = RequestBudget(0.0)
    assert budget.has_plenty
    waits = [budget.take(0.0) for _ in range(150)]
    assert not budget.has_plenty
    assert waits == [0.0] * 150
