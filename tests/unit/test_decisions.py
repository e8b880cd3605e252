"""The verdict on a poll's outcome, the delay until the next poll, and the lines that are logged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CredentialsError,
    CredentialsExpired,
    MalformedAnswer,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.waiting.backoff import next_delay
from airflow_cloudtasks.waiting.change_log import ChangeLog
from airflow_cloudtasks.waiting.verdicts import Broken, CredentialsGrace, Finished, Waiting, WaitRules, judge

RULES = WaitRules()
PASSING = [Throttled, TransientError, UnreadableAnswer]
LASTING = [BadRequest, CredentialsError, CredentialsExpired, PermissionDenied, MalformedAnswer, NotFound, CloudApiError]


def task(state: TaskState = TaskState.RUNNING, **attributes: Any) -> CloudTask:
    return CloudTask(api="toy.task", cloud="alibaba", id="7", state=state, **attributes)


@pytest.mark.parametrize("state", [state for state in TaskState if state.done])
def test_a_final_state_ends_the_wait(state: TaskState) -> None:
    assert judge(task(state), RULES) == Finished(task(state))


@pytest.mark.parametrize("state", [TaskState.PENDING, TaskState.RUNNING, TaskState.UNKNOWN])
def test_an_unfinished_or_unknown_state_continues_the_wait(state: TaskState) -> None:
    assert judge(task(state), RULES) == Waiting(task(state))


@pytest.mark.parametrize("state", [TaskState.FAILED, TaskState.CANCELED, TaskState.EXPIRED])
def test_on_failure_wait_continues_after_a_failure(state: TaskState) -> None:
    assert judge(task(state), WaitRules(on_failure="wait")) == Waiting(task(state))


@pytest.mark.parametrize("state", [TaskState.SUCCEEDED, TaskState.SKIPPED])
def test_on_failure_wait_ends_at_a_success(state: TaskState) -> None:
    assert judge(task(state), WaitRules(on_failure="wait")) == Finished(task(state))


def test_on_failure_wait_still_ends_at_an_unknown_status_with_on_unknown_fail() -> None:
    rules = WaitRules(on_failure="wait", on_unknown="fail")
    assert judge(task(TaskState.UNKNOWN), rules) == Finished(task(TaskState.UNKNOWN))


@pytest.mark.parametrize("kind", LASTING)
def test_on_failure_wait_still_ends_at_a_permanent_error(kind: type[CloudApiError]) -> None:
    assert isinstance(judge(kind("refused"), WaitRules(on_failure="wait")), Broken)


MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
SINCE_MIDNIGHT = WaitRules(created_since=MIDNIGHT.timestamp(), on_unknown="fail")


@pytest.mark.parametrize("state", TaskState)
@pytest.mark.parametrize("created_at", [MIDNIGHT - timedelta(milliseconds=1), None])
def test_created_since_ignores_an_older_task(state: TaskState, created_at: datetime | None) -> None:
    before = task(state, created_at=created_at)
    assert judge(before, SINCE_MIDNIGHT) == Waiting(before)


@pytest.mark.parametrize("created_at", [MIDNIGHT, MIDNIGHT + timedelta(days=1)])
def test_created_since_accepts_a_newer_task(created_at: datetime) -> None:
    for state in TaskState:
        verdict = judge(task(state, created_at=created_at), SINCE_MIDNIGHT)
        assert isinstance(verdict, Finished) is (state.done or state is TaskState.UNKNOWN)


def test_on_unknown_fail_ends_the_wait_at_an_unknown_status() -> None:
    rules = WaitRules(on_unknown="fail")
    assert judge(task(TaskState.UNKNOWN), rules) == Finished(task(TaskState.UNKNOWN))
    assert judge(task(TaskState.RUNNING), rules) == Waiting(task(TaskState.RUNNING))


@pytest.mark.parametrize("kind", PASSING)
def test_a_transient_error_never_ends_the_wait(kind: type[CloudApiError]) -> None:
    error = kind("stumbled")
    assert judge(error, RULES) == Waiting(error)


@pytest.mark.parametrize("kind", LASTING)
def test_a_permanent_error_ends_the_wait(kind: type[CloudApiError]) -> None:
    error = kind("refused")
    assert judge(error, RULES) == Broken(error)


@pytest.mark.parametrize("kind", [*PASSING, *LASTING])
def test_tolerate_errors_continues_after_every_error(kind: type[CloudApiError]) -> None:
    error = kind("whatever")
    assert judge(error, WaitRules(tolerate_errors=True)) == Waiting(error)


@pytest.mark.parametrize("kind", [*PASSING, *LASTING])
def test_missing_wait_continues_after_not_found_only(kind: type[CloudApiError]) -> None:
    waits = isinstance(judge(kind("whatever"), WaitRules(missing="wait")), Waiting)
    assert waits == (kind in PASSING or kind is NotFound)


@pytest.mark.parametrize("name", ["poke_interval", "max_wait"])
@pytest.mark.parametrize("seconds", [-1, -0.001, float("nan"), float("inf"), float("-inf")])
def test_refuses_seconds_out_of_range(name: str, seconds: float) -> None:
    with pytest.raises(
        ValueError, match=f"^{name} is .*; expected a number of seconds of at least 0, or a timedelta.$"
    ):
        WaitRules(**{name: seconds})


@pytest.mark.parametrize("rules", [{"poke_interval": 0}, {"max_wait": 0}, {"max_wait": None}, {"poke_interval": 1e9}])
def test_accepts_seconds_within_range(rules: dict[str, Any]) -> None:
    WaitRules(**rules)


@pytest.mark.parametrize(
    ("name", "value", "choices"),
    [
        ("missing", "Wait", "wait, fail"),
        ("missing", None, "wait, fail"),
        ("on_unknown", "ignore", "wait, fail"),
        ("on_failure", "skip", "wait, fail"),
    ],
)
def test_refuses_an_unknown_choice(name: str, value: Any, choices: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is {value!r}; expected one of {choices}.$"):
        WaitRules(**{name: value})


REFUSED = CredentialsError("refused")


def test_refused_credentials_end_the_wait_only_after_the_grace_period() -> None:
    grace, last = CredentialsGrace(), CredentialsGrace.SECONDS
    assert last >= 60
    for now in (0.0, 1.0, last - 0.001):
        assert grace.judge(REFUSED, RULES, 1000 + now) == Waiting(REFUSED)
    assert grace.judge(REFUSED, RULES, 1000 + last) == Broken(REFUSED)


@pytest.mark.parametrize("between", [task(), Throttled("slow down"), TransientError("no answer")])
def test_any_other_outcome_restarts_the_grace_period(between: CloudTask | CloudApiError) -> None:
    grace, last = CredentialsGrace(), CredentialsGrace.SECONDS
    grace.judge(REFUSED, RULES, 0.0)
    assert grace.judge(between, RULES, last - 1) == Waiting(between)
    assert grace.judge(REFUSED, RULES, last) == Waiting(REFUSED)
    assert grace.judge(REFUSED, RULES, 2 * last) == Broken(REFUSED)


@pytest.mark.parametrize("kind", LASTING)
def test_only_credentials_errors_have_a_grace_period(kind: type[CloudApiError]) -> None:
    verdict = CredentialsGrace().judge(kind("refused"), RULES, 0.0)
    assert isinstance(verdict, Waiting if issubclass(kind, CredentialsError) else Broken)


def test_the_grace_period_ends_no_tolerant_wait_and_delays_no_final_state() -> None:
    grace = CredentialsGrace()
    for now in (0.0, 2 * CredentialsGrace.SECONDS):
        assert grace.judge(REFUSED, WaitRules(tolerate_errors=True), now) == Waiting(REFUSED)
    assert grace.judge(task(TaskState.SUCCEEDED), RULES, 1e6) == Finished(task(TaskState.SUCCEEDED))


NEVER = float("inf")


@pytest.mark.parametrize(
    ("rules", "polls", "longest"),
    [
        ({}, 1, 60),
        ({}, 50, 60),
        ({"exponential_backoff": True}, 0, 60),
        ({"exponential_backoff": True}, 1, 60),
        ({"exponential_backoff": True}, 2, 120),
        ({"exponential_backoff": True}, 4, 480),
        ({"exponential_backoff": True, "max_wait": 300}, 4, 300),
        ({"max_wait": 30}, 1, 30),
        ({"poke_interval": 0.5}, 1, 0.5),
        ({"exponential_backoff": True, "max_wait": 300}, 10**9, 300),
    ],
)
def test_the_interval_is_the_configured_one_less_up_to_a_tenth(
    rules: dict[str, Any], polls: int, longest: float
) -> None:
    delays = [next_delay(WaitRules(**rules), polls, NEVER) for _ in range(100)]
    assert all(0.9 * longest <= delay <= longest for delay in delays)
    assert len(set(delays)) > 1


@pytest.mark.parametrize(("seconds_left", "delay"), [(10, 10), (0.5, 0.5), (0, 0), (-5, 0)])
def test_the_last_poll_is_due_at_the_timeout(seconds_left: float, delay: float) -> None:
    assert next_delay(RULES, 1, seconds_left) == delay


def test_backoff_without_max_wait_stays_finite() -> None:
    assert next_delay(WaitRules(exponential_backoff=True), 10**9, NEVER) < NEVER


def test_logs_a_change_once() -> None:
    log = ChangeLog()
    running = task(status="RUNNING", progress=0.25, message="copying")
    assert log.line(running) == "toy.task 7 is running [RUNNING] 25% - copying"
    assert log.line(running) is None
    assert log.line(task(status="RUNNING", progress=0.251, message="copying", request_id="another")) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "STOPPING"},
        {"progress": 0.5},
        {"progress": None},
        {"message": "still copying"},
        {"state": TaskState.PENDING},
    ],
)
def test_logs_each_change(changes: dict[str, Any]) -> None:
    log = ChangeLog()
    before = {"state": TaskState.RUNNING, "status": "RUNNING", "progress": 0.25, "message": "copying"}
    log.line(task(**before))
    assert log.line(task(**before | changes)) == str(task(**before | changes))


def test_logs_an_unknown_status_as_unknown() -> None:
    line = ChangeLog().line(task(TaskState.UNKNOWN, status="ARCHIVED"))
    assert line == "toy.task 7 is unknown [ARCHIVED]; the catalog does not know this status"


def test_logs_a_missing_status() -> None:
    line = ChangeLog().line(task(TaskState.UNKNOWN))
    assert line is not None
    assert line.startswith("toy.task 7 is unknown")


def test_logs_an_error_once_until_the_task_is_read_again() -> None:
    log = ChangeLog()
    throttled = Throttled("slow down", code="Throttling", action="Toy GetToy")
    assert log.line(throttled) == "The wait goes on after: Toy GetToy failed: Throttling: slow down"
    assert log.line(Throttled("slow down!", code="Throttling", request_id="2")) is None
    assert log.line(Throttled("slow down", code="Throttling.User")) is not None
    assert log.line(task()) == "toy.task 7 is running"
    assert log.line(throttled) is not None
