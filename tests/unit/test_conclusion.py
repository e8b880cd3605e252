"""Waiting on several tasks at once: when it is over, and its result or error."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from airflow_cloudtasks.errors import (
    BadRequest,
    CloudTaskFailed,
    InvalidArguments,
    InvalidConnection,
    NotFound,
    PermissionDenied,
    WaitTimedOut,
)
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.waiting.group import GroupRules, WaitGroup
from airflow_cloudtasks.waiting.outcome import as_event, conclude, from_event, is_skip
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Verdict, Waiting


def task(name: str, state: TaskState, **fields: Any) -> CloudTask:
    return CloudTask(api="toy.task", cloud="alibaba", id=name, state=state, status="S", **fields)


OK, FAILED = Finished(task("1", TaskState.SUCCEEDED)), Finished(task("2", TaskState.FAILED, message="no disk"))
CANCELED, RUNNING = Finished(task("3", TaskState.CANCELED)), Waiting(task("4", TaskState.RUNNING))
DENIED, UNSEEN = Broken(PermissionDenied("no")), Waiting(None)
ALL, ANY = GroupRules(), GroupRules(wait_for="any")
ALL_FAST, ANY_FAST = GroupRules(fail_fast=True), GroupRules(wait_for="any", fail_fast=True)


@pytest.mark.parametrize(
    ("rules", "ends", "over_after"),
    [
        (ALL, [OK, OK, OK], 3),
        (ALL, [FAILED, OK, DENIED], 3),
        (ALL_FAST, [OK, FAILED, OK], 2),
        (ALL_FAST, [DENIED, OK, OK], 1),
        (ANY, [FAILED, OK, OK], 2),
        (ANY, [FAILED, DENIED, CANCELED], 3),
        (ANY_FAST, [FAILED, OK, OK], 1),
        (ANY_FAST, [OK, FAILED, OK], 1),
    ],
)
def test_waiting_ends_when_no_other_outcome_matters(rules: GroupRules, ends: list[Verdict], over_after: int) -> None:
    group = WaitGroup(3, rules)
    taken = [group.take(index, end) for index, end in enumerate(ends[:over_after])]
    assert taken == [False] * (over_after - 1) + [True]


def test_refuses_an_unknown_value_of_wait_for() -> None:
    with pytest.raises(ValueError, match="wait_for is 'some'; expected one of all, any"):
        GroupRules(wait_for="some")  # type: ignore[arg-type]


def test_returns_one_task_or_a_list_as_it_was_asked_for() -> None:
    assert conclude([OK], ALL, many=False) == OK.task.as_dict()
    assert conclude([OK], ALL, many=True) == [OK.task.as_dict()]
    assert conclude([OK, OK], ALL, many=True) == [OK.task.as_dict()] * 2


def test_wait_for_any_returns_the_others_as_last_seen() -> None:
    result = conclude([FAILED, OK, RUNNING, UNSEEN, DENIED], ANY, many=True)
    assert [each and each["state"] for each in result] == ["failed", "succeeded", "running", None, None]


def test_an_error_names_every_failed_task() -> None:
    with pytest.raises(CloudTaskFailed) as caught:
        conclude([OK, FAILED, CANCELED], ALL, many=True)
    assert str(caught.value).splitlines() == [
        "2 tasks did not end well:",
        "toy.task 2 ended as failed, the vendor's status is 'S'; message: no disk",
        "toy.task 3 ended as canceled, the vendor's status is 'S'",
    ]
    assert caught.value.tasks == (FAILED.task, CANCELED.task)
    assert pickle.loads(pickle.dumps(caught.value)).tasks == caught.value.tasks


def test_an_api_error_takes_precedence_and_names_the_others() -> None:
    shared = Broken(PermissionDenied("no"))
    for _ in range(2):  # several waits may share one error object
        with pytest.raises(PermissionDenied) as caught:
            conclude([FAILED, shared, Broken(NotFound("no such task")), shared], ALL, many=True)
        lines = pickle.loads(pickle.dumps(caught.value)).message.splitlines()
        assert [line.partition(";")[0].partition(" (")[0] for line in lines] == [
            "no",
            "And: The call failed: no such task Check the task's id, its other parameters, the region and the account.",
            "And: toy.task 2 ended as failed, the vendor's status is 'S'",
        ]


@pytest.mark.parametrize(
    ("rules", "ends", "error"),
    [
        (ALL, [RUNNING], WaitTimedOut),
        (ALL, [OK, UNSEEN], WaitTimedOut),
        (ALL, [FAILED, RUNNING], CloudTaskFailed),
        (ANY, [FAILED, RUNNING], WaitTimedOut),
        (ANY_FAST, [FAILED, RUNNING], CloudTaskFailed),
        (ANY, [FAILED, CANCELED], CloudTaskFailed),
        (ALL, [Broken(InvalidConnection("gone"))], InvalidConnection),
        (ALL, [Broken(InvalidArguments("none")), FAILED], InvalidArguments),
    ],
)
def test_raises_the_error_that_decides_the_wait(rules: GroupRules, ends: list[Verdict], error: type[Exception]) -> None:
    with pytest.raises(error):
        conclude(ends, rules, many=len(ends) > 1)


def test_a_timeout_names_what_was_last_seen() -> None:
    with pytest.raises(WaitTimedOut, match=r"^last seen: toy\.task 4 is running \[S\]; no answer yet$"):
        conclude([RUNNING, OK, UNSEEN], ALL, many=True)


@pytest.mark.parametrize("many", [True, False])
@pytest.mark.parametrize(
    "end",
    [
        *(OK, FAILED, RUNNING, UNSEEN, DENIED, Waiting(BadRequest("no"))),
        *(Broken(InvalidConnection("gone")), Broken(InvalidArguments("none"))),
    ],
)
def test_verdicts_survive_the_event_to_the_worker(end: Verdict, many: bool) -> None:
    event = json.loads(json.dumps(as_event([end], many=many)))
    (again,) = from_event(event)
    assert type(again) is type(end)
    assert as_event([again], many=many) == event


@pytest.mark.parametrize(
    ("error", "soft", "never"),
    [
        (CloudTaskFailed(FAILED.task), True, True),
        (WaitTimedOut("late"), True, True),
        (PermissionDenied("no"), False, True),
        (InvalidConnection("gone"), False, True),
    ],
)
def test_soft_fail_skips_remote_failures_and_never_fail_skips_every_error(error: Any, soft: bool, never: bool) -> None:
    assert is_skip(error, soft_fail=True, never_fail=False) is soft
    assert is_skip(error, soft_fail=False, never_fail=True) is never
    assert not is_skip(error, soft_fail=False, never_fail=False)
