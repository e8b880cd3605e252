"""What is left out of tasks that are too large for an event or an XCom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.errors import BadRequest, InvalidArguments
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.waiting.outcome import as_event, from_event
from airflow_cloudtasks.waiting.sizes import MOST_CHARACTERS, fitted, left_out, size_of
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Verdict, Waiting

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
)
# Five of them and more fit into what hypothesis draws for one example. It draws anew what does not.
SMALL_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda values: st.lists(values, max_size=5) | st.dictionaries(st.text(max_size=5), values, max_size=5),
    max_leaves=10,
)
LONG = "x" * MOST_CHARACTERS


def finished(detail: dict[str, Any], message: str | None = None) -> Finished:
    task = CloudTask(api="toy.task", cloud="alibaba", id="1", state=TaskState.SUCCEEDED, detail=detail, message=message)
    return Finished(task)


def detail_of(verdict: Verdict) -> Any:
    assert isinstance(verdict, Finished)
    return verdict.task.detail


def test_keeps_what_is_small() -> None:
    verdicts = [finished({"a": [1] * 1000, "b": "x" * 10_000}), Waiting(None), Broken(BadRequest("no"))]
    assert fitted(verdicts) == verdicts
    assert left_out(verdicts) == []


def test_empties_long_lists_and_texts_and_keeps_the_rest() -> None:
    rows = [{"Values": ["1" * 100]}] * 10_000
    detail = {"JobId": "j", "Results": [{"Columns": ["n"], "Rows": rows}], "Log": LONG, "Few": [1, 2]}
    [verdict] = fitted([finished(detail)])
    assert detail_of(verdict) == {"JobId": "j", "Results": [{"Columns": ["n"], "Rows": []}], "Log": "", "Few": [1, 2]}
    [line] = left_out([finished(detail)])
    assert line.startswith("toy.task 1: the detail is too large for an XCom")


def test_leaves_the_detail_out_if_nothing_in_it_is_long() -> None:
    [verdict] = fitted([finished({str(number): "x" * 100 for number in range(10_000)})])
    assert detail_of(verdict) == {}


def test_a_small_detail_beside_a_large_one_is_kept() -> None:
    small, large = fitted([finished({"a": 1}), finished({"a": LONG})])
    assert (detail_of(small), detail_of(large)) == ({"a": 1}, {"a": ""})


def test_keeps_the_beginning_and_the_end_of_a_long_message() -> None:
    [verdict] = fitted([finished({}, f"first {LONG} last")])
    assert isinstance(verdict, Finished)
    assert verdict.task.message is not None
    assert verdict.task.message.startswith("first x")
    assert verdict.task.message.endswith("x last")
    assert len(verdict.task.message) < 2_010


@pytest.mark.parametrize("error", [BadRequest(f"no {LONG}", code="X"), InvalidArguments(f"no {LONG}")])
def test_shortens_the_messages_of_errors(error: Any) -> None:
    [verdict] = fitted([Broken(error)])
    assert isinstance(verdict, Broken)
    assert type(verdict.error) is type(error)
    assert len(str(verdict.error)) < 2_100


# Each example has megabytes.
@settings(max_examples=20)
@given(st.lists(st.dictionaries(st.text(), SMALL_JSON), min_size=1, max_size=5), st.integers(1, 30))
def test_an_event_is_fitted_once_and_for_all(details: list[dict[str, Any]], times: int) -> None:
    verdicts: list[Verdict] = [finished({"d": detail, "long": ["x" * 100] * 1000 * times}) for detail in details]
    event = as_event(verdicts, many=True)
    assert len(json.dumps(event, ensure_ascii=False)) < 4 * MOST_CHARACTERS
    assert as_event(from_event(event), many=True) == event


@given(JSON)
def test_the_size_is_about_that_of_the_json(value: Any) -> None:
    size = len(json.dumps(value, ensure_ascii=False))
    assert size_of(value, 10**9) >= len(str(value)) // 4
    assert size_of(value, 10**9) <= 2 * size + 8


def test_stops_counting_above_the_limit() -> None:
    assert size_of(["x" * 100] * 1_000_000, 1_000) < 3_000_000


def test_shortens_what_a_wait_that_timed_out_has_seen() -> None:
    seen = Waiting(finished({"d": 1}, LONG).task)
    timed_out, failed, other = fitted([seen, Waiting(BadRequest(LONG, code="X")), Waiting(ValueError(LONG))])
    assert isinstance(timed_out, Waiting)
    assert isinstance(timed_out.why, CloudTask)
    assert isinstance(failed, Waiting)
    assert len(str(timed_out.why.message)) < len(LONG)
    assert len(str(failed.why)) < len(LONG)
    assert isinstance(other, Waiting)
