"""The loop of one wait: it polls until the task ends, an error lasts, or the time is up."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from airflow_cloudtasks.errors import BadRequest, CloudApiError, CredentialsError, NotFound, Throttled, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.polling.decisions import Broken, CredentialsGrace, Finished, Waiting, WaitRules
from airflow_cloudtasks.polling.wait import wait_for_task

SWIFT = WaitRules(poke_interval=0.001)
RUNNING = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.RUNNING, status="R")
DONE = CloudTask(api="toy.task", cloud="alibaba", id="7", state=TaskState.SUCCEEDED, status="D")


class Log:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def info(self, event: str, *args: Any) -> None:
        self.lines.append(event % args)


class Cloud:
    """Gives its outcomes in turn, the last one again and again."""

    def __init__(self, *outcomes: CloudTask | CloudApiError) -> None:
        self.outcomes, self.polls = list(outcomes), 0

    async def read(self) -> CloudTask:
        self.polls += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, CloudApiError):
            raise outcome
        return outcome


def wait(
    cloud: Cloud, rules: WaitRules = SWIFT, seconds: float | None = None, log: Log | None = None
) -> Finished | Broken | Waiting:
    deadline = None if seconds is None else time.time() + seconds
    return asyncio.run(wait_for_task(cloud.read, rules, deadline, log or Log()))


def test_a_task_is_polled_until_it_ends() -> None:
    cloud = Cloud(RUNNING, RUNNING, RUNNING, DONE)
    assert wait(cloud) == Finished(DONE)
    assert cloud.polls == 4


def test_errors_that_pass_do_not_end_the_wait() -> None:
    cloud = Cloud(Throttled("slow down"), TransientError("stumbled"), RUNNING, Throttled("slow down"), DONE)
    assert wait(cloud) == Finished(DONE)
    assert cloud.polls == 5


def test_an_error_that_lasts_ends_the_wait() -> None:
    error = BadRequest("no")
    assert wait(Cloud(RUNNING, error, DONE)) == Broken(error)


def test_a_key_that_is_being_rotated_does_not_end_the_wait() -> None:
    refused = CredentialsError("refused")
    assert wait(Cloud(RUNNING, refused, refused, RUNNING, DONE)) == Finished(DONE)


def test_a_key_that_stays_refused_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CredentialsGrace, "SECONDS", 0.05)
    refused = CredentialsError("refused")
    cloud = Cloud(RUNNING, refused)
    assert wait(cloud) == Broken(refused)
    assert cloud.polls > 2


def test_a_task_that_is_not_there_yet_is_waited_on_where_that_is_asked_for() -> None:
    cloud = Cloud(NotFound("no such task"), DONE)
    assert wait(cloud, WaitRules(poke_interval=0.001, missing="wait")) == Finished(DONE)


def test_a_timeout_tells_the_last_outcome() -> None:
    cloud = Cloud(RUNNING)
    assert wait(cloud, seconds=0.05) == Waiting(RUNNING)
    assert cloud.polls > 1


def test_the_last_poll_comes_with_the_timeout_not_an_interval_after_it() -> None:
    began = time.monotonic()
    assert wait(Cloud(DONE), WaitRules(poke_interval=60), seconds=0.05) == Finished(DONE)
    assert time.monotonic() - began < 5


def test_a_deadline_that_has_passed_still_gives_one_poll() -> None:
    cloud = Cloud(DONE)
    assert wait(cloud, seconds=-10) == Finished(DONE)
    assert cloud.polls == 1


def test_only_changes_are_logged() -> None:
    log = Log()
    wait(Cloud(RUNNING, RUNNING, Throttled("slow down"), Throttled("slow down"), RUNNING, DONE), log=log)
    assert log.lines == [
        "toy.task 7 is running [R]",
        "The wait goes on after: The call failed: slow down",
        "toy.task 7 is running [R]",
    ]


def test_what_is_no_error_of_a_cloud_is_not_swallowed() -> None:
    async def read() -> CloudTask:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(wait_for_task(read, SWIFT, None, Log()))
