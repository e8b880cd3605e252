"""How soon ends are noticed by a feed, what it costs, and that no wait depends on it. On a simulated clock."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import CredentialsError, PermissionDenied, Throttled, TransientError
from airflow_cloudtasks.waiting.feed import FeedCursor
from airflow_cloudtasks.waiting.triggerer.feed_health import FeedDemand, FeedHealth, interval_of, polls_of
from airflow_cloudtasks.waiting.verdicts import Finished, Verdict

from .simulated_cloud import LIST, RUNS_WITH_FEED, Sent, SimulatedCloud, wait
from .simulated_time import run_simulated

# Unix seconds at the beginning of the simulated clock.
EPOCH = 1_767_225_600.0
assert RUNS_WITH_FEED.feed is not None
_ENTRIES = dataclasses.replace(RUNS_WITH_FEED.feed.tasks, complete=False)
INCOMPLETE = dataclasses.replace(
    RUNS_WITH_FEED, list_tasks=None, feed=dataclasses.replace(RUNS_WITH_FEED.feed, tasks=_ENTRIES)
)


class Feed:
    """A cloud with a feed: runs end at planned times, and every answer shows those that have ended.

    Attributes:
        ends: When each run ends, and how, by its id.
        told: Returns the entries that the feed shows, from those that it should show.
        refuse: Called with each request for the feed; may raise an error.
    """

    def __init__(self, cloud: SimulatedCloud) -> None:
        self.cloud = cloud
        self.ends: dict[str, tuple[float, str]] = {}
        self.told: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda rows: rows
        self.refuse: Callable[[Sent], None] = lambda _: None
        cloud.listed = self.listed
        cloud.refuse = self._refuse
        cloud.run = self.single  # type: ignore[method-assign, assignment]

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    def row(self, task: str) -> dict[str, Any]:
        at, state = self.ends.get(task, (float("inf"), ""))
        if self.now() < at:
            return {"ExecutionId": task, "ExecutionState": "RUNNING", "EndTime": None, "ExecutionEndTime": None}
        millis = str(round((EPOCH + at) * 1000))
        return {"ExecutionId": task, "ExecutionState": state, "EndTime": millis, "ExecutionEndTime": millis}

    def single(self, task: str, _: str) -> dict[str, Any]:
        return {"Data": {"TriggerWorkflowRun": self.row(task)}, "RequestId": "r"}

    def listed(self, sent: Sent) -> dict[str, Any]:
        rows = [self.row(task) for task in self.ends]
        rows.sort(key=lambda row: int(row["EndTime"] or 0), reverse=True)
        rows = self.told(rows)
        number = sent.parameters.get("PageNumber", 1)
        return {
            "Data": {"Items": rows[100 * (number - 1) : 100 * number], "TotalPageNumber": -(-len(rows) // 100)},
            "RequestId": "r",
        }

    def _refuse(self, sent: Sent) -> None:
        if sent.action == LIST:
            self.refuse(sent)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimulatedCloud:
    random.seed(7)
    monkeypatch.setattr(time, "time", lambda: EPOCH + asyncio.get_running_loop().time())
    return SimulatedCloud(monkeypatch)


@pytest.fixture
def feed(cloud: SimulatedCloud) -> Feed:
    return Feed(cloud)


# The list is the feed's alone: no sweep uses it.
WITHOUT_LIST = dataclasses.replace(RUNS_WITH_FEED, list_tasks=None)


async def noticed(tasks: Sequence[str], feed: Feed, until: float, **arguments: Any) -> dict[str, float]:
    """Wait for tasks; return how long after its end each was noticed. All must be noticed, rightly."""
    late: dict[str, float] = {}

    async def one(task: str) -> None:
        (verdict,) = await wait(task, **{"api": WITHOUT_LIST, **arguments})
        assert isinstance(verdict, Finished)
        at, state = feed.ends[task]
        assert verdict.task.status == state
        late[task] = feed.now() - at

    running = [asyncio.create_task(one(task)) for task in tasks]
    await asyncio.sleep(until)
    for task in running:
        task.cancel()
    results = await asyncio.gather(*running, return_exceptions=True)
    assert not [each for each in results if isinstance(each, AssertionError)]
    return late


def plan(feed: Feed, count: int, first: float, last: float) -> list[str]:
    """Let runs end, spread evenly between two times, in an order that has nothing to do with their names."""
    names = [f"run-{number}" for number in range(count)]
    moments = [first + (last - first) * (number + 0.5) / count for number in range(count)]
    random.shuffle(moments)
    for number, (name, at) in enumerate(zip(names, moments, strict=True)):
        feed.ends[name] = (at, "FAILED" if number % 10 == 0 else "SUCCESS")
    return names


def of_kind(cloud: SimulatedCloud, since: float, until: float = float("inf")) -> list[Sent]:
    return [sent for sent in cloud.sent if since <= sent.at < until]


# --- soon, and cheap ------------------------------------------------------------------------------------------------


def test_ends_are_noticed_within_seconds_whatever_the_interval(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 500, 40, 100)

    async def body() -> dict[str, float]:
        return await noticed(tasks, feed, 110, poke_interval=300.0)

    late = run_simulated(body())
    assert len(late) == 500
    assert sorted(late.values())[474] < 1.5
    assert max(late.values()) < 3
    assert len(of_kind(cloud, 40, 110)) / 70 < 2


def test_one_page_tells_of_many_ends(cloud: SimulatedCloud, feed: Feed) -> None:
    """80 ends a second cost no more than a page a second: each entry is a whole answer."""
    tasks = plan(feed, 2400, 30, 60)

    async def body() -> dict[str, float]:
        return await noticed(tasks, feed, 65, poke_interval=300.0, api=RUNS_WITH_FEED)

    late = run_simulated(body())
    assert len(late) == 2400
    assert sorted(late.values())[2280] < 1.5
    assert len(of_kind(cloud, 30, 65)) / 35 < 2


def test_a_task_whose_entry_is_not_complete_is_read_by_its_id(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 600, 40, 100)

    async def body() -> dict[str, float]:
        return await noticed(tasks, feed, 110, poke_interval=300.0, api=INCOMPLETE)

    late = run_simulated(body())
    assert len(late) == 600
    assert sorted(late.values())[569] < 2
    assert sum(cloud.per_task(since=40).values()) < 1.1 * 600


def test_an_end_that_is_shown_in_two_ways_is_read_by_its_id(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 20, 40, 60)
    feed.told = lambda rows: [
        each for row in rows for each in (({**row, "ExecutionState": "SKIPED"}, row) if row["EndTime"] else (row,))
    ]

    async def body() -> dict[str, float]:
        return await noticed(tasks, feed, 70, poke_interval=300.0)

    assert len(run_simulated(body())) == 20, "and each with the status that its own read shows"


def test_the_newest_run_of_a_workflow_is_read_when_one_of_its_runs_ends(cloud: SimulatedCloud, feed: Feed) -> None:
    """The id of the wait is that of the workflow."""
    newest = APIS["wedata.newest_workflow_run"]
    assert newest.feed is not None
    plan(feed, 8, 20.0, 40.0)
    shown = feed.listed

    def listed(sent: Sent) -> dict[str, Any]:
        answer = shown(sent)
        rows = answer["Data"]["Items"]
        workflow = sent.parameters.get("WorkflowId")
        answer["Data"]["Items"] = [
            {**row, "WorkflowId": row["ExecutionId"]} for row in rows if workflow in (None, row["ExecutionId"])
        ]
        return answer

    cloud.listed = listed

    async def body() -> list[float]:
        waits = [asyncio.create_task(wait(f"run-{number}", api=newest, poke_interval=300.0)) for number in range(8)]
        late = []
        for number, each in enumerate(waits):
            await each
            late.append(feed.now() - feed.ends[f"run-{number}"][0])
        return late

    assert run_simulated(body()), "every wait ended"


def test_while_a_feed_is_healthy_its_tasks_are_polled_once_a_minute(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 30, 1e6, 2e6)

    async def body() -> None:
        await noticed(tasks, feed, 660, poke_interval=5.0)

    run_simulated(body())
    reads = cloud.per_task(since=60)
    assert max(reads.values()) <= 12
    assert min(reads.values()) >= 10


def test_without_a_feed_they_are_polled_by_their_interval(cloud: SimulatedCloud, feed: Feed) -> None:
    cloud.feed_interval = 0.0
    tasks = plan(feed, 10, 1e6, 2e6)

    async def body() -> None:
        await noticed(tasks, feed, 160, poke_interval=5.0)

    run_simulated(body())
    assert not cloud.times(action=LIST)
    assert min(cloud.per_task(since=60).values()) >= 100 / 5 - 1


# --- what is worth it -----------------------------------------------------------------------------------------------


def test_a_feed_costs_no_more_than_reading_its_tasks_one_by_one(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 10, 1e6, 2e6)

    async def body() -> None:
        await noticed(tasks, feed, 3600, poke_interval=300.0)

    run_simulated(body())
    assert 0.8 <= len(cloud.times(action=LIST)) / (3600 * 10 / 300) <= 1.1


def test_one_wait_is_not_worth_a_feed(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 1, 1e6, 2e6)

    async def body() -> None:
        await noticed(tasks, feed, 600, poke_interval=60.0)

    run_simulated(body())
    assert not cloud.times(action=LIST)


@pytest.mark.parametrize(
    ("stated", "tasks", "poke_interval", "rate", "feeds", "expected"),
    [
        (1.0, 10_000, 300.0, 20.0, 1, 1.0),
        (1.0, 10, 300.0, 20.0, 1, 30.0),
        (1.0, 2, 300.0, 20.0, 1, 150.0),
        (1.0, 1, 300.0, 20.0, 1, None),
        (1.0, 50, 10.0, 0.25, 1, None),  # it would take too much of a small budget
        (1.0, 50, 60.0, 0.25, 1, 8.0),
        (1.0, 50, 60.0, 10.0, 60, 12.0),  # sixty feeds share the budget
        (5.0, 10_000, 300.0, 20.0, 1, 5.0),
        (0.0, 10_000, 300.0, 20.0, 1, None),
        (1.0, 0, 300.0, 20.0, 1, None),
        (1.0, 9, 1.0, 20.0, 1, None),  # the polls are as fast
        (1.0, 9, 0.0, 20.0, 1, None),
        (1.0, 9, 60.0, 0.0, 1, None),
    ],
)
def test_how_often_a_feed_is_worth_reading(
    stated: float, tasks: int, poke_interval: float, rate: float, feeds: int, expected: float | None
) -> None:
    demand = FeedDemand().update(polls_of([poke_interval] * min(tasks, 2000), tasks), 0.0)
    found = interval_of(stated, demand, poke_interval, rate, feeds)
    assert found == (expected if expected is None else pytest.approx(expected))


def test_the_demand_for_a_feed_falls_by_half_in_a_minute_and_rises_at_once() -> None:
    demand = FeedDemand()
    assert [demand.update(polls, now) for polls, now in ((8, 0.0), (1, 60.0), (1, 180.0), (1, 240.0), (5, 241.0))] == [
        8,
        4,
        1,
        1,
        5,
    ]


def test_a_feed_is_not_read_any_more_when_nothing_waits(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 100, 20, 30)

    async def body() -> None:
        lone = asyncio.create_task(wait("lone", api=WITHOUT_LIST, project="2", poke_interval=300.0))
        await noticed(tasks, feed, 200, poke_interval=30.0)
        lone.cancel()

    run_simulated(body())
    assert cloud.times(action=LIST)
    assert not cloud.times(action=LIST, since=40)


def test_each_project_has_a_feed_of_its_own(cloud: SimulatedCloud, feed: Feed) -> None:
    async def body() -> None:
        running = [
            asyncio.create_task(wait(f"{project}-{number}", api=WITHOUT_LIST, project=project, poke_interval=30.0))
            for project in ("1", "2")
            for number in range(40)
        ]
        await asyncio.sleep(30)
        for each in running:
            each.cancel()

    run_simulated(body())
    projects = [sent.parameters["ProjectId"] for sent in cloud.sent if sent.action == LIST]
    assert {project: projects.count(project) > 15 for project in projects} == {"1": True, "2": True}


# --- a feed that fails, or lies -------------------------------------------------------------------------------------


def raising(error: Exception) -> Callable[[Feed], None]:
    def refuse(_: Sent) -> None:
        raise error

    def trouble(feed: Feed) -> None:
        feed.refuse = refuse

    return trouble


def hangs(feed: Feed) -> None:
    feed.cloud.seconds[LIST] = 1e9


def freezes(feed: Feed) -> None:
    frozen: list[dict[str, Any]] = []

    def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not frozen:
            frozen.extend(rows)
        return frozen

    feed.told = told


def omits(feed: Feed) -> None:
    feed.told = lambda rows: [row for row in rows if int(row["ExecutionId"].removeprefix("run-")) % 3]


def lags(feed: Feed) -> None:
    feed.told = lambda rows: [
        row if int(row["EndTime"] or 0) <= (EPOCH + feed.now() - 30) * 1000 else {**row, "EndTime": None}
        for row in rows
    ]


def empties(feed: Feed) -> None:
    feed.told = lambda rows: []


def disorders(feed: Feed) -> None:
    feed.told = lambda rows: random.sample(rows, len(rows))


def runs_only(feed: Feed) -> None:
    feed.told = lambda rows: [{**row, "EndTime": None, "ExecutionState": "RUNNING"} for row in rows] * 20


def answers_garbage(feed: Feed) -> None:
    feed.cloud.listed = lambda sent: {"Data": {"Items": "<html>"}, "RequestId": "r"}


TROUBLES = {
    "is killed": raising(TransientError("connection refused")),
    "is throttled": raising(Throttled("slow down")),
    "is forbidden": raising(PermissionDenied("You are not authorized.")),
    "hangs": hangs,
    "is frozen": freezes,
    "omits ends": omits,
    "lags half a minute": lags,
    "is empty": empties,
    "has no order": disorders,
    "shows what runs only": runs_only,
    "answers garbage": answers_garbage,
}


def heal(feed: Feed) -> None:
    feed.told, feed.refuse = (lambda rows: rows), (lambda _: None)
    feed.cloud.seconds.pop(LIST, None)
    feed.cloud.listed = feed.listed


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("api", [WITHOUT_LIST, INCOMPLETE], ids=["complete", "incomplete"])
def test_no_wait_depends_on_a_feed(cloud: SimulatedCloud, feed: Feed, trouble: str, api: Any) -> None:
    """The feed is in trouble from 60 s to 200 s. Meanwhile ends are noticed by polls, and afterwards soon again."""
    cloud.requests_per_second = {"a": 100.0}
    tasks = plan(feed, 400, 30, 400)

    async def body() -> dict[str, float]:
        asyncio.get_running_loop().call_at(60, TROUBLES[trouble], feed)
        asyncio.get_running_loop().call_at(200, heal, feed)
        return await noticed(tasks, feed, 500, poke_interval=10.0, api=api)

    late = run_simulated(body())
    assert len(late) == 400, "none is lost"

    def between(first: float, last: float) -> list[float]:
        return sorted(seconds for task, seconds in late.items() if first <= feed.ends[task][0] < last)

    assert max(between(30, 58)) < 3
    assert max(between(60, 200)) < 65, "at worst, the slow poll notices"
    assert statistics.quantiles(between(100, 200), n=20)[-1] < 11, "in trouble for long: as without a feed"
    assert max(between(215, 400)) < (11 if trouble == "is forbidden" else 4), "back to fast when it heals"


def test_a_feed_that_invents_ends_costs_few_reads(cloud: SimulatedCloud, feed: Feed) -> None:
    """Every second, every task has ended anew, it says. Only single reads tell that none has."""
    tasks = plan(feed, 20, 1e6, 2e6)
    feed.told = lambda rows: [
        {**row, "ExecutionState": "SUCCESS", "EndTime": str(round((EPOCH + feed.now()) * 1000))} for row in rows
    ]

    async def body() -> None:
        assert not await noticed(tasks, feed, 600, poke_interval=60.0, api=INCOMPLETE)

    run_simulated(body())
    assert max(cloud.per_task(since=30).values()) < 100


def test_a_read_that_lags_behind_the_feed_is_repeated(cloud: SimulatedCloud, feed: Feed) -> None:
    """The feed shows an end two seconds before the task itself does."""
    tasks = plan(feed, 100, 40, 80)
    row = feed.row

    def single(task: str, _: str) -> dict[str, Any]:
        at, state = feed.ends.get(task, (float("inf"), ""))
        feed.ends[task] = (at + 2, state)
        try:
            return {"Data": {"TriggerWorkflowRun": row(task)}, "RequestId": "r"}
        finally:
            if task in tasks:
                feed.ends[task] = (at, state)
            else:
                del feed.ends[task]

    cloud.run = single  # type: ignore[method-assign, assignment]

    async def body() -> list[float]:
        late = []

        async def one(task: str) -> None:
            await wait(task, api=INCOMPLETE, poke_interval=300.0)
            late.append(feed.now() - feed.ends[task][0])

        await asyncio.gather(*map(one, tasks))
        return late

    assert max(run_simulated(body())) < 7


def test_a_key_that_is_refused_for_seconds_fails_no_wait(cloud: SimulatedCloud, feed: Feed) -> None:
    tasks = plan(feed, 50, 30, 90)

    def refuse(_: Sent) -> None:
        if 40 <= feed.now() < 50:
            raise CredentialsError("The key is refused.")

    feed.refuse = refuse

    async def body() -> dict[str, float]:
        return await noticed(tasks, feed, 100, poke_interval=10.0)

    assert len(run_simulated(body())) == 50


def test_a_bug_in_reading_feeds_fails_no_wait(
    cloud: SimulatedCloud, feed: Feed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = plan(feed, 50, 30, 60)

    def broken(*_: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(FeedCursor, "look", broken)

    async def body() -> dict[str, float]:
        return await noticed(tasks, feed, 80, poke_interval=10.0)

    late = run_simulated(body())
    assert len(late) == 50
    assert max(late.values()) < 12
    assert "its feed is not read any more" in caplog.text


def test_a_page_of_the_feed_that_was_asked_for_before_a_wait_began_does_not_end_it(
    cloud: SimulatedCloud, feed: Feed
) -> None:
    cloud.seconds[LIST] = 4.0
    plan(feed, 50, 1e6, 2e6)
    feed.ends["run"] = (20.0, "FAILED")

    async def body() -> list[Verdict]:
        others = [asyncio.create_task(wait(f"run-{n}", api=WITHOUT_LIST, poke_interval=30.0)) for n in range(50)]
        await asyncio.sleep(20)
        while not cloud.times(action=LIST, since=20):  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        feed.ends["run"] = (60.0, "SUCCESS")
        verdict = await wait("run", api=WITHOUT_LIST, poke_interval=300.0)
        for each in others:
            each.cancel()
        return verdict

    (verdict,) = run_simulated(body())
    assert isinstance(verdict, Finished)
    assert verdict.task.state == "succeeded"


# --- its health -----------------------------------------------------------------------------------------------------


class Cursor:
    """What a feed has told, as a test says."""

    def __init__(self) -> None:
        self.told: dict[str, bool | None] = {}
        self.newest = 0.0
        self.deeper = 0

    def has_told(self, task_id: str, _: float) -> bool | None:
        return self.told.get(task_id, False)

    def deepen(self) -> None:
        self.deeper += 1


def health() -> tuple[FeedHealth, Any]:
    cursor: Any = Cursor()
    one = FeedHealth(cursor)
    one.learn_complete()
    return one, cursor


def test_a_feed_is_healthy_once_it_has_been_read() -> None:
    assert not FeedHealth(Cursor()).is_healthy(0.0)  # type: ignore[arg-type]
    assert health()[0].is_healthy(0.0)


def test_two_failures_in_a_row_make_a_feed_ill_and_one_look_heals_it() -> None:
    one, _ = health()
    one.learn_failed()
    assert one.is_healthy(0.0)
    one.learn_failed()
    assert not one.is_healthy(0.0)
    one.learn_complete()
    assert one.is_healthy(0.0)
    one.learn_failed(in_time=False)
    assert not one.is_healthy(0.0)


def test_looks_that_fail_become_rarer_up_to_a_bound() -> None:
    one, _ = health()
    pauses = []
    for _ in range(20):
        pauses.append(one.pause(1.0, 0.0))
        one.learn_failed()
    assert pauses[:5] == [1, 2, 4, 8, 10]
    assert max(pauses) == 10
    assert one.pause(30.0, 0.0) == 30


def test_an_end_that_is_not_told_within_seconds_makes_a_feed_ill() -> None:
    one, cursor = health()
    one.learn_end("a", 5.0, 100.0)
    assert (one.judge(102.0), one.is_healthy(102.0)) == (0, True)
    assert (one.judge(104.0), one.is_healthy(104.0)) == (0, False)
    cursor.told["a"] = True
    assert (one.judge(105.0), one.is_healthy(105.0)) == (0, True)


def test_a_missed_end_makes_a_feed_ill_until_it_tells_of_something_new() -> None:
    one, cursor = health()
    one.learn_end("a", 5.0, 100.0)
    assert (one.judge(111.0), one.is_healthy(111.0), cursor.deeper) == (1, False, 1)
    assert not one.is_healthy(10_000.0)
    cursor.newest = 6.0
    assert not one.is_healthy(112.0)
    assert one.is_healthy(117.0)


def test_a_feed_that_misses_again_and_again_is_doubted_for_longer() -> None:
    one, cursor = health()
    now, rests = 0.0, []
    for number in range(8):
        one.learn_miss(now)
        cursor.newest = number + 1.0
        began = now
        while not one.is_healthy(now):
            now += 1.0
        rests.append(now - began)
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300]
    one.learn_miss(now + 1000)
    cursor.newest = 99.0
    assert one.is_healthy(now + 1006), "an hour later, it is forgotten"


@pytest.mark.parametrize("told", [True, None])
def test_an_end_that_the_feed_told_or_could_not_tell_is_not_missed(told: bool | None) -> None:
    one, cursor = health()
    cursor.told["a"] = told
    one.learn_end("a", 5.0, 100.0)
    assert (one.judge(200.0), one.is_healthy(200.0)) == (0, True)


def test_after_an_end_that_was_none_the_feed_rings_for_no_task_for_a_while() -> None:
    one, cursor = health()
    one.learn_miss(100.0)
    assert one.may_ring(100.0)
    cursor.newest = 1.0
    one.learn_false_end(200.0)
    assert (one.may_ring(200.0), one.is_healthy(200.0), one.may_ring(215.0)) == (False, False, True)


def test_a_refused_feed_is_left_for_ten_minutes() -> None:
    one, _ = health()
    one.learn_refused(100.0)
    assert (one.is_healthy(500.0), one.pause(1.0, 500.0), one.is_healthy(700.0)) == (False, 200.0, True)
