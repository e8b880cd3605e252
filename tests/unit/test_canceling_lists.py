"""What is said of which task if a vendor does not cancel every task of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import BadRequest, TransientError
from airflow_cloudtasks.hooks.canceling import AlreadyEnded, cancel_each, check_canceled
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.cancel_requests import Refusal, cancel_requests, refused_tasks

API = APIS["wedata.workflow_run"]
assert API.cancel is not None
CANCEL = API.cancel
KNOWN = {"ProjectId": "1", "WorkflowId": "w"}


def result(is_canceled: bool, task_id: str | None = None, why: str | None = None) -> dict[str, Any]:
    return {"OpStatus": is_canceled, "ItemId": task_id, "ErrorMessage": why}


YES, NO = result(True), result(False, why="no")


@pytest.mark.parametrize(
    ("results", "refused"),
    [
        ([], []),
        ([YES, YES, YES], []),
        ([result(False, "b", "no")], [Refusal(("b",), "no")]),
        ([result(False, "b", "no"), result(False, "b", "never"), NO], [Refusal(("b",), "no; never"), "a c"]),
        # The answer does not say which one.
        ([YES, NO, YES], ["a b c"]),
        (NO, ["a b c"]),
        ([NO, NO], ["a b c"]),
        ([result(False, "x", "no")], [Refusal(("a", "b", "c"), "x: no")]),
        # What is said of the others leaves one or two.
        ([result(True, "a"), NO], ["b c"]),
        ([result(True, "a"), result(True, "c"), NO], [Refusal(("b",), "no")]),
        ([result(True, "a"), NO, NO], [Refusal(("b",), "no"), Refusal(("c",), "no")]),
        # All of them.
        ([NO, NO, NO], [Refusal((each,), "no") for each in "abc"]),
        ([NO, NO, result(False, why="never")], [Refusal((each,), "no; never") for each in "abc"]),
        ([result(True, each) for each in "abc"] + [NO], ["a b c"]),
    ],
)
def test_a_refusal_without_an_id_concerns_every_task_of_which_nothing_is_said(results: Any, refused: list[Any]) -> None:
    expected = [Refusal(tuple(each.split()), "no") if isinstance(each, str) else each for each in refused]
    assert refused_tasks(CANCEL, {"Data": results}, ["a", "b", "c"]) == expected


class Hook:
    """A hook whose vendor cancels as it is told."""

    def __init__(self, *results: Mapping[str, Any], running: str = "") -> None:
        self.results, self.running = results, running
        self.unreadable = ""

    def call(self, service: Any, action: Any, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return {"Data": [*self.results]}

    def read_task(self, api: Any, cloud_task_id: str, api_params: Any) -> CloudTask:
        if cloud_task_id in self.unreadable:
            raise TransientError("down")
        state = TaskState.RUNNING if cloud_task_id in self.running else TaskState.FAILED
        return CloudTask(api=API.name, cloud="tencent", id=cloud_task_id, state=state, status="")

    def cancel_requests(self, api: Any, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        return cancel_requests(api, ids, known)


def cancel(hook: Hook, already_ended: AlreadyEnded = "fail") -> list[str]:
    return cancel_each(hook, API, ["a", "b", "c"], KNOWN, already_ended)


def test_an_error_does_not_name_a_task_that_may_have_been_canceled_as_refused() -> None:
    with pytest.raises(BadRequest) as caught:
        cancel(Hook(YES, NO, YES))
    assert "At least one of a, b, c was not canceled, and the vendor does not say which: no" in str(caught.value)
    with pytest.raises(BadRequest) as caught:
        cancel(Hook(result(False, "b", "no"), result(True, "a"), result(True, "c")))
    assert "b was not canceled: no" in str(caught.value)
    assert "one of" not in str(caught.value)


def test_tasks_of_which_one_was_refused_are_accepted_only_if_all_have_ended() -> None:
    assert cancel(Hook(YES, NO, YES), "ok") == ["a", "b", "c"]
    assert cancel(Hook(result(False, "b", "no"), running="ac"), "ok") == ["b"]
    with pytest.raises(BadRequest, match="At least one of a, b, c was not canceled"):
        cancel(Hook(YES, NO, YES, running="c"), "ok")
    unread = Hook(YES, NO, YES)
    unread.unreadable = "b"
    with pytest.raises(BadRequest, match="Whether a, b, c has ended could not be read: "):
        cancel(unread, "ok")


def test_a_list_of_which_a_part_was_refused_says_so() -> None:
    with pytest.raises(BadRequest, match=r"b was not canceled: no$"):
        check_canceled(CANCEL, {"Data": [result(False, "b", "no")]}, ["a", "b"])
    with pytest.raises(BadRequest, match="At least one of a, b was not canceled"):
        check_canceled(CANCEL, {"Data": [NO]}, ["a", "b"])
    check_canceled(CANCEL, {"Data": [YES, YES]}, ["a", "b"])
    with pytest.raises(BadRequest, match=r"NotCanceled: no$"):
        check_canceled(CANCEL, {"Data": [NO]}, [])
