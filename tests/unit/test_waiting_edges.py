"""Waits at the edges of what happens: ends that come twice, gates nobody uses, waits that leave early."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import BadRequest, InvalidArguments, Throttled, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.waiting.explain import whole_task
from airflow_cloudtasks.waiting.group import GroupRules, WaitGroup
from airflow_cloudtasks.waiting.sizes import fitted
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery, always
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule
from airflow_cloudtasks.waiting.triggerer.watch import Evidence, Watch
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Verdict, Waiting, WaitRules

from .simulated_cloud import LIST, RUNS, RUNS_WITHOUT_LIST, Sent, SimulatedCloud, Waits, wait
from .simulated_time import run_simulated

API = APIS["lke.task"]
LONG = "x" * 300_000


def task(state: TaskState = TaskState.SUCCEEDED, **changes: Any) -> CloudTask:
    return CloudTask(api=API.name, cloud="tencent", id="t", state=state, status="", **changes)


class Ended:
    """Notes how waits ended."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict | BaseException] = []

    def tell(self, line: str) -> None:
        return None

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        self.verdicts.append(verdict)


def watch_of(ended: Ended, **rules: Any) -> Watch:
    return Watch(ended, 0, WaitRules(**rules), NO_OVERRIDES, deadline=1e9, now=0.0)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimulatedCloud:
    return SimulatedCloud(monkeypatch)


# --- a watch ends once ------------------------------------------------------------------------------------------------


def test_a_wait_that_has_ended_does_not_end_again() -> None:
    ended = Ended()
    watch = watch_of(ended)
    watch.take(Evidence(task(), 1.0), 1.0)
    watch.time_out()
    watch.crash(RuntimeError("a defect"))
    assert ended.verdicts == [Finished(task())]


def test_a_verdict_that_comes_twice_counts_once() -> None:
    ends = WaitGroup(2, GroupRules())
    assert not ends.take(0, Waiting(None))
    assert not ends.take(0, Finished(task()))
    assert ends.take(1, Finished(task()))


def test_a_wait_that_ends_while_others_are_told_is_left_out() -> None:
    """The turn that others get after every few watches may end the next wait."""
    ended = Ended()

    async def body() -> list[bool]:
        schedule = Schedule(API)
        watches = [watch_of(ended) for _ in range(AT_ONCE + 1)]
        for watch in watches:
            subject = schedule.add({"TaskId": "t"}, watch, 0.0)
        asyncio.get_running_loop().call_soon(watches[-1].leave)
        metrics: Any = SimpleNamespace(noticed=lambda task: None)
        await Delivery(schedule, metrics).deliver(subject, always(task()), 1.0)
        return [watch.last is None for watch in watches]

    assert run_simulated(body()) == [False] * AT_ONCE + [True]
    assert len(ended.verdicts) == AT_ONCE


# --- gates ------------------------------------------------------------------------------------------------------------


class NoPolls:
    """A source without polls."""

    def first_due_at(self) -> float | None:
        return None

    def send_first(self, gate: Gate) -> bool:
        raise AssertionError("there is nothing to send")


def test_a_gate_without_an_allowance_is_free_and_sends_nothing() -> None:
    async def body() -> bool:
        gate = Gate()
        assert gate.seconds_until_free() == 0.0
        gate.withdraw("nobody")
        request = asyncio.create_task(gate.send(NoPolls.first_due_at, kind=Kind.REASON))  # type: ignore[arg-type]
        await asyncio.sleep(100)
        is_waiting = not request.done()
        request.cancel()
        return is_waiting

    assert run_simulated(body())


def test_joining_and_leaving_a_gate_twice_is_as_once() -> None:
    async def body() -> list[bool]:
        gate, source, idle = Gate(), NoPolls(), []
        gate.state("a connection", 10.0)
        for act in (gate.join, gate.join, gate.leave, gate.leave):
            act(source)
            idle.append(gate.is_idle)
        return idle

    assert run_simulated(body()) == [False, False, True, True]


@pytest.mark.parametrize("error", [Throttled("slow", retry_after=60.0), TransientError("down", retry_after=60.0)])
def test_a_pause_for_one_task_does_not_stop_the_others(error: Exception) -> None:
    async def body() -> float:
        loop, gate = asyncio.get_running_loop(), Gate()
        gate.state("a connection", 10.0)

        async def answered() -> str:
            return "ok"

        async def refused() -> str:
            raise error

        earlier = gate.tally
        for _ in range(8):
            await gate.send(answered, kind=Kind.REASON)
        with pytest.raises(type(error)):
            await gate.send(refused, kind=Kind.REASON, earlier=earlier)
        await gate.send(answered, kind=Kind.REASON)
        return loop.time()

    assert run_simulated(body()) < 10


def test_an_error_that_asks_for_no_pause_makes_none() -> None:
    async def body() -> float:
        loop, gate = asyncio.get_running_loop(), Gate()
        gate.state("a connection", 10.0)

        async def down() -> str:
            raise TransientError("down")

        for _ in range(5):
            with pytest.raises(TransientError):
                await gate.send(down, kind=Kind.REASON)
        return loop.time()

    assert run_simulated(body()) < 5


# --- waits ------------------------------------------------------------------------------------------------------------


def test_one_of_several_tasks_that_cannot_be_named_ends_the_wait(cloud: SimulatedCloud) -> None:
    cloud.ended = {"run": "SUCCESS"}

    async def body() -> list[Verdict]:
        async with asyncio.timeout(1000):
            return await wait(["run", "other"], project="\n")

    ends = run_simulated(body())
    assert [type(end) for end in ends] == [Broken, Broken]
    assert all("ProjectId" in str(end.error) for end in ends if isinstance(end, Broken))


def test_waits_on_more_tasks_than_one_turn_adds_let_others_run(cloud: SimulatedCloud) -> None:
    names = [f"run-{number}" for number in range(1000)]
    cloud.ended = dict.fromkeys(names, "SUCCESS")
    cloud.requests_per_second = {"a": 1000.0}

    async def body() -> list[Verdict]:
        async with asyncio.timeout(1000):
            return await wait(names, api=RUNS_WITHOUT_LIST)

    assert {end.task.state for end in run_simulated(body()) if isinstance(end, Finished)} == {TaskState.SUCCEEDED}


def test_a_list_whose_key_is_refused_ends_no_wait_by_itself(cloud: SimulatedCloud) -> None:
    """The list alone may not be called: its tasks are read one by one."""
    cloud.projects = {"1": [f"run-{number}" for number in range(50)]}

    def refuse(sent: Sent) -> None:
        if sent.action == LIST:
            raise BadRequest("no lists")

    cloud.refuse = refuse

    async def body() -> None:
        waits = Waits()
        waits.begin(cloud.projects["1"], api=RUNS, poke_interval=10.0)
        await asyncio.sleep(60)
        await waits.stop()

    run_simulated(body())
    assert len(cloud.times(action=LIST)) == 1
    assert len(cloud.per_task()) == 50


# --- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "verdict",
    [
        Finished(task(TaskState.FAILED, message=LONG)),
        Waiting(task(TaskState.RUNNING, message=LONG)),
        Waiting(TransientError(LONG)),
        Broken(BadRequest(LONG)),
    ],
)
def test_every_verdict_can_be_shortened(verdict: Verdict) -> None:
    assert len(repr(fitted([verdict]))) < 251_000


@pytest.mark.parametrize("verdict", [Waiting(None), Broken(InvalidArguments("short"))])
def test_a_short_verdict_stays_as_it_is(verdict: Verdict) -> None:
    assert repr(fitted([verdict])) == repr([verdict])


def test_a_shortened_task_is_read_again_for_its_whole_detail() -> None:
    whole = task(message="whole", detail={"all": 1})
    hook: Any = SimpleNamespace(read_task=lambda *_: whole)
    assert whole_task(hook, API, Finished(task(), is_shortened=True), {}) == whole
    assert whole_task(hook, API, Finished(task()), {}) == task()


def test_small_verdicts_beside_a_large_one_stay_as_they_are() -> None:
    small = [Waiting(None), Finished(task()), Waiting(task(TaskState.RUNNING))]
    large, *others = fitted([Finished(task(TaskState.FAILED, message=LONG)), *small])
    assert isinstance(large, Finished)
    assert large.is_shortened
    assert [repr(each).replace("is_shortened=True", "is_shortened=False") for each in others] == [*map(repr, small)]


# --- queues of waits that have left -----------------------------------------------------------------------------------


def test_waits_that_leave_at_once_leave_nothing_behind() -> None:
    schedule = Schedule(API)
    for number in range(5000):
        watch = Watch(Ended(), 0, WaitRules(), NO_OVERRIDES, deadline=1e9, now=0.0)
        schedule.add({"TaskId": str(number)}, watch, 0.0)
        schedule.remove(watch)
        schedule.remove(watch)
    assert (schedule.waits, len(schedule)) == (0, 0)
    assert len(schedule._ends) < 1100
    while schedule.advance(100.0, 1000):
        pass
    assert schedule.first_due() is None
    assert schedule.next_at() is None


def test_tasks_that_are_polled_again_and_again_leave_few_entries() -> None:
    schedule = Schedule(API)
    subject = schedule.add({"TaskId": "t"}, watch_of(Ended(), poke_interval=0.0), 0.0)
    for now in range(1, 5000):
        schedule.advance(float(now), 10)
        schedule.begin(subject, float(now))
        next(iter(subject.watches)).take(Evidence(task(TaskState.RUNNING), float(now)), float(now))
        schedule.settle(subject, float(now))
        schedule.first_due()
    assert len(schedule._due) < 1100
