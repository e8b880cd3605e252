"""Waiting on several tasks in a worker: which tasks a round reads, and how fast."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import CloudApiError, NotFound, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.waiting import worker
from airflow_cloudtasks.waiting.group import GroupRules
from airflow_cloudtasks.waiting.verdicts import Finished, Waiting, WaitRules
from airflow_cloudtasks.waiting.worker import WorkerWait

API = APIS["lke.task"]
DOWN = TransientError("down")


class Clock:
    """A clock that only sleeping advances."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(worker, "time", self)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Hook:
    """Answers with a state or an error for each task."""

    def __init__(self, clock: Clock, answers: dict[str, Any], requests_per_second: dict[str, float]) -> None:
        self.answers = answers
        self.read: list[tuple[str, float]] = []
        self._clock = clock
        self._stated = requests_per_second

    def get_conn(self) -> Any:
        return SimpleNamespace(account=SimpleNamespace(requests_per_second=self._stated))

    def read_task(self, api: Any, task_id: str, params: Any, overrides: Any, before_request: Any) -> CloudTask:
        before_request()
        self.read.append((task_id, self._clock.now))
        answer = self.answers.get(task_id, TaskState.RUNNING)
        if isinstance(answer, CloudApiError):
            raise answer
        return CloudTask(api=API.name, cloud="tencent", id=task_id, state=answer, status=str(answer))

    @property
    def ids(self) -> str:
        return "".join(task_id for task_id, _ in self.read)


Make = Callable[..., tuple[WorkerWait, Hook]]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Make:
    clock = Clock(monkeypatch)

    def make(ids: str, answers: dict[str, Any], stated: Any = None, **group: Any) -> tuple[WorkerWait, Hook]:
        hook: Any = Hook(clock, answers, stated or {})
        wait = WorkerWait(
            hook,
            API,
            list(ids),
            None,
            rules=WaitRules(missing="wait", poke_interval=0),
            overrides=NO_OVERRIDES,
            group=GroupRules(**group),
            log=lambda _: None,
        )
        return wait, hook

    return make


@pytest.mark.parametrize("bad", [DOWN, NotFound("not there yet"), TaskState.RUNNING])
def test_no_task_hides_the_others(waiting: Make, bad: Any) -> None:
    wait, hook = waiting("abc", {"a": bad, "b": TaskState.SUCCEEDED, "c": TaskState.FAILED})
    assert not wait.read()
    assert hook.ids == "abc"
    assert [type(verdict) for verdict in wait.seen] == [Waiting, Finished, Finished]


def test_fail_fast_ends_the_wait_though_another_task_cannot_be_read(waiting: Make) -> None:
    wait, _ = waiting("ab", {"a": DOWN, "b": TaskState.FAILED}, fail_fast=True)
    assert wait.read()


def test_a_service_that_is_down_is_not_asked_for_every_task(waiting: Make) -> None:
    wait, hook = waiting("abcdefgh", dict.fromkeys("abcdefgh", DOWN))
    wait.read()
    assert hook.ids == "abc"
    wait.read()
    assert hook.ids == "abcdef", "the next round begins with the tasks that the last one left out"
    wait.read()
    assert hook.ids == "abcdefgha"


@pytest.mark.parametrize(
    ("group", "answers", "over", "read"),
    [
        ({}, {"b": TaskState.FAILED}, False, "a"),
        ({"fail_fast": True}, {"c": TaskState.FAILED}, True, "abc"),
        ({"fail_fast": True}, {}, False, "abc"),
        ({"wait_for": "any"}, {"b": TaskState.SUCCEEDED}, True, "ab"),
        ({}, {"a": TaskState.SUCCEEDED}, False, "ab"),
    ],
)
def test_reads_before_deferring_what_could_end_the_wait(
    waiting: Make, group: Any, answers: Any, over: bool, read: str
) -> None:
    wait, hook = waiting("abc", answers, **group)
    assert wait.read(before_deferring=True) is over
    assert hook.ids == read


@pytest.mark.parametrize(("stated", "rate"), [({}, 20), ({"*": 5.0}, 5), ({"lke.task": 2.0, "*": 5.0}, 2)])
def test_keeps_to_the_allowance_with_a_poke_interval_of_zero(waiting: Make, stated: Any, rate: float) -> None:
    wait, hook = waiting("ab", {}, stated)
    for _ in range(50):
        wait.read()
    times = [at for _, at in hook.read]
    assert len(times) == 100
    assert times[-1] - times[0] == pytest.approx(99 / rate)
