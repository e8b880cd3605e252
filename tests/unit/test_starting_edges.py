"""What the start of an earlier try and a kill come to where the cloud refuses, or does not know, what they ask for."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudTasksError,
    InvalidArguments,
    InvalidConnection,
    NotFound,
    TransientError,
)
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.starting.asked import Asked
from airflow_cloudtasks.starting.attempt import Attempt
from airflow_cloudtasks.starting.earlier import Earlier
from airflow_cloudtasks.starting.finder import Finder
from airflow_cloudtasks.starting.on_kill import OnKill

RERUN, LKE = APIS["wedata.task_instance"], APIS["lke.task"]
PROJECT = {"ProjectId": "1"}
Answer = TaskState | CloudTasksError


class Hook:
    """A hook whose cloud answers as it is told."""

    def __init__(
        self, answers: Callable[[TaskApi, str], Answer], cancel: CloudTasksError | None = None, detail: Any = None
    ) -> None:
        self.answers, self.error, self.detail = answers, cancel, detail
        self.canceled: list[Any] = []

    def read_task(self, api: TaskApi, task_id: str, api_params: Any, overrides: Any) -> CloudTask:
        answer = self.answers(api, task_id)
        if isinstance(answer, CloudTasksError):
            raise answer
        return CloudTask(api=api.name, cloud=api.cloud, id=task_id, state=answer, status="", detail=self.detail)

    def cancel_requests(self, api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"ids": list(ids)}]

    def cancel(self, api: TaskApi, request: Any) -> None:
        if self.error is not None:
            raise self.error
        self.canceled.append(request)


def attempt(*ids: str, **changes: Any) -> Attempt:
    return Attempt(**{"run": 1, "progress": "begun", "token": "t", "sent_at": 0.0, "ids": ids, "job": "j"} | changes)


def earlier(hook: Any, *ids: str, **changes: Any) -> Earlier:
    return Earlier(attempt(*ids, **changes), hook, RERUN, RERUN.start(), PROJECT, NO_OVERRIDES)


@pytest.mark.parametrize(
    ("job", "instance", "says"),
    [
        (TaskState.RUNNING, TaskState.SUCCEEDED, "running"),
        (TaskState.SUCCEEDED, TaskState.SUCCEEDED, "succeeded"),
        (TaskState.SUCCEEDED, TaskState.RUNNING, "running"),
        (TaskState.FAILED, TaskState.RUNNING, "running"),
        (TaskState.FAILED, TaskState.SUCCEEDED, "failed"),
        # The job has failed before it set the instance going.
        (TaskState.FAILED, NotFound("no such instance"), "failed"),
        (TaskState.SUCCEEDED, NotFound("no such instance"), "gone"),
        (TaskState.SUCCEEDED, TransientError("down"), "unreadable"),
        (TaskState.SUCCEEDED, BadRequest("no"), "rejected"),
    ],
)
def test_what_the_cloud_says_about_a_rerun_of_an_earlier_try(job: TaskState, instance: Answer, says: str) -> None:
    hook = Hook(lambda api, _: instance if api is RERUN else job)
    assert earlier(hook, "a").says()[0] == says


def test_a_task_too_new_to_be_shown_is_unseen() -> None:
    hook = Hook(lambda api, _: NotFound("no"))
    assert earlier(hook, "a", sent_at=time.time(), job=None).says()[0] == "unseen"


def test_tasks_of_an_api_that_is_not_known_any_more_cannot_be_read_or_canceled() -> None:
    def never(api: TaskApi, task_id: str) -> Answer:
        raise AssertionError("nothing is read")

    found = earlier(Hook(never), "a", asked=Asked(api="my.api", action="Start", conn_id="c")).elsewhere()
    says, error = found.says()
    assert says == "rejected"
    assert "my.api" in str(error)
    assert not found.can_be_canceled


MADE = dataclasses.replace(
    RERUN,
    name="my.made",
    starts=(Start(action=RERUN.start().action, job="Data.AsyncId", job_api="wedata.async_job", job_ids="Made.Keys"),),
)


def of_a_job(answer: Answer, keys: Any = None, **changes: Any) -> Earlier:
    """Return the start of an earlier try whose job may tell its ids."""
    hook: Any = Hook(lambda *_: answer, detail={"Made": {"Keys": keys}})
    return Earlier(attempt(**changes), hook, MADE, MADE.start(), PROJECT, NO_OVERRIDES)


@pytest.mark.parametrize(
    ("job", "keys", "ids"),
    [
        (TaskState.SUCCEEDED, ["a", "b", "a", " ", None], ("a", "b")),
        (TaskState.SUCCEEDED, 7, ("7",)),
        (TaskState.SUCCEEDED, None, ()),
        (TaskState.FAILED, ["a"], ("a",)),
        (TaskState.RUNNING, ["a"], ()),
        (TransientError("down"), ["a"], ()),
    ],
)
def test_the_job_of_an_earlier_try_tells_the_ids_once_it_has_ended(job: Answer, keys: Any, ids: Any) -> None:
    assert of_a_job(job, keys).job_ids() == ids


def test_a_job_that_cannot_be_asked_tells_no_ids() -> None:
    assert dataclasses.replace(of_a_job(TaskState.SUCCEEDED, ["a"]), problem=InvalidArguments("no")).job_ids() == ()


def test_tasks_whose_ids_only_a_job_knows_are_named_by_it_and_not_canceled() -> None:
    found = of_a_job(TaskState.RUNNING)
    assert (found.says()[0], str(found)) == ("running", "my.made of job j")
    assert not found.can_be_canceled
    assert found.why_kept == "their ids are not known before their job has ended."
    assert cancel_requests(MADE, [], PROJECT) == []


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (("a",), "wedata.task_instance a could not be canceled and may still run"),
        (("a", "b"), "Not all of wedata.task_instance a, b could be canceled and may still run"),
    ],
)
def test_a_refused_cancel_of_an_earlier_task_is_logged(
    ids: tuple[str, ...], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    earlier(Hook(lambda *_: TaskState.RUNNING, BadRequest("no")), *ids).cancel()
    assert said in caplog.text


@pytest.mark.parametrize("error", [TransientError("down")])
def test_an_earlier_task_that_cannot_be_canceled_for_now_ends_the_try(error: CloudTasksError) -> None:
    with pytest.raises(TransientError):
        earlier(Hook(lambda *_: TaskState.RUNNING, error), "a").cancel()


def test_an_action_without_a_list_finds_nothing() -> None:
    hook: Any = Hook(lambda *_: TaskState.RUNNING)
    assert Finder(hook, LKE, LKE.start("ExportAttributeLabel"), {}).find(attempt("a")) is None


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (("a",), "wedata.task_instance a could not be canceled, and may go on: "),
        (("a", "b"), "Not all of wedata.task_instance a, b could be canceled, and the rest may go on: "),
    ],
)
@pytest.mark.parametrize("error", [BadRequest("no"), InvalidConnection("no")])
def test_a_kill_says_whether_one_task_or_a_part_of_several_may_go_on(
    ids: tuple[str, ...], said: str, error: CloudTasksError, caplog: pytest.LogCaptureFixture
) -> None:
    hook: Any = Hook(lambda *_: TaskState.RUNNING, error)
    assert not OnKill.of(hook, RERUN, ids, PROJECT).carry_out(hook)
    assert said in caplog.text


def test_a_kill_cancels_all_tasks_by_the_prepared_request(caplog: pytest.LogCaptureFixture) -> None:
    hook: Any = Hook(lambda *_: TaskState.RUNNING)
    with caplog.at_level(logging.INFO):
        assert OnKill.of(hook, RERUN, ("a", "b"), PROJECT).carry_out(hook)
    assert hook.canceled == [{"ids": ["a", "b"]}]
    assert "Canceled wedata.task_instance a, b" in caplog.text
