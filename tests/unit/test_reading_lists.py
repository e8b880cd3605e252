"""What is read by a list and what by its id, and which answers end a wait, on a simulated clock."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from airflow_cloudtasks.errors import PermissionDenied
from airflow_cloudtasks.waiting.triggerer import dispatcher, watch
from airflow_cloudtasks.waiting.triggerer.schedule import Subject
from airflow_cloudtasks.waiting.verdicts import Finished, Verdict

from .simulated_cloud import LIST, RUNS, RUNS_WITHOUT_LIST, Sent, SimulatedCloud, Waits, wait
from .simulated_time import run_simulated


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimulatedCloud:
    random.seed(7)
    return SimulatedCloud(monkeypatch)


def names(count: int, prefix: str = "run") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


class Looks:
    """Notes when each task was looked at, by a poll or by a list."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times: dict[str, list[float]] = {}
        settle = dispatcher.Schedule.settle

        def noting(schedule: Any, subject: Subject, now: float, **more: Any) -> None:
            self.times.setdefault(str(subject.parameters["WorkflowExecutionId"]), []).append(now)
            settle(schedule, subject, now, **more)

        monkeypatch.setattr(dispatcher.Schedule, "settle", noting)

    def longest_gap(self, ids: list[str], until: float) -> float:
        return max(
            later - earlier for task in ids for earlier, later in pairwise([0.0, *self.times.get(task, []), until])
        )


def many_pages(cloud: SimulatedCloud, pages: int) -> None:
    """Let the list show other runs first, and those that are waited for on its last pages."""
    cloud.projects = {"1": [*names(100 * pages, "other"), *names(800)]}


# --- the time of a list ---------------------------------------------------------------------------------------------


def test_a_slow_list_of_many_pages_does_not_keep_tasks_from_being_read(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """800 waits, a list of 200 pages at 3 seconds a page. By their ids, the tasks are read within 40 seconds."""
    many_pages(cloud, 192)
    cloud.seconds = {LIST: 3.0}
    looks = Looks(monkeypatch)

    async def body() -> None:
        Waits().begin(names(800), api=RUNS, poke_interval=10.0)
        await asyncio.sleep(700)

    run_simulated(body())
    assert looks.longest_gap(names(800), 700.0) < 120


def test_a_list_is_used_where_it_takes_no_longer_than_the_interval(cloud: SimulatedCloud) -> None:
    cloud.projects = {"1": names(800)}
    cloud.seconds = {LIST: 1.0}

    async def body() -> None:
        Waits().begin(names(800), api=RUNS, poke_interval=30.0)
        await asyncio.sleep(600)

    run_simulated(body())
    assert len(cloud.times(since=100)) < 0.1 * 800 * 500 / 30, "the list saves nearly all reads"
    assert len(cloud.times(action=LIST, since=100)) >= 8 * 500 / 35


def test_a_list_that_is_never_answered_delays_tasks_by_one_interval(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.projects = {"1": names(100)}
    cloud.seconds = {LIST: 1e9}
    looks = Looks(monkeypatch)

    async def body() -> None:
        Waits().begin(names(100), api=RUNS, poke_interval=10.0)
        await asyncio.sleep(600)

    run_simulated(body())
    assert looks.longest_gap(names(100), 600.0) < 30


def test_lists_without_an_answer_do_not_keep_other_projects_from_being_read(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.seconds = {LIST: 1e9}
    looks = Looks(monkeypatch)

    async def body() -> None:
        waits = Waits()
        for project in range(100):
            waits.begin(names(2, f"p{project}"), api=RUNS, project=str(project), poke_interval=30.0)
        await asyncio.sleep(600)

    run_simulated(body())
    every = [task for project in range(100) for task in names(2, f"p{project}")]
    assert looks.longest_gap(every, 600.0) < 75


def test_one_iteration_of_the_event_loop_moves_few_polls_and_begins_few_lists(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5,000 waits over 50 projects are due at once. Counted, not timed."""
    monkeypatch.setattr(watch, "first_delay", lambda *_: 60.0)
    moves: Counter[int] = Counter()
    lists: Counter[int] = Counter()
    advance, starts = dispatcher.Schedule.advance, dispatcher.ListReader.start

    def counted_advance(schedule: Any, now: float, most: int) -> Any:
        moves[asyncio.get_running_loop().iterations] += most  # type: ignore[attr-defined]
        return advance(schedule, now, most)

    def counted_starts(reader: Any, *arguments: Any) -> bool:
        started = starts(reader, *arguments)
        lists[asyncio.get_running_loop().iterations] += started  # type: ignore[attr-defined]
        return started

    monkeypatch.setattr(dispatcher.Schedule, "advance", counted_advance)
    monkeypatch.setattr(dispatcher.ListReader, "start", counted_starts)

    async def body() -> None:
        waits = Waits()
        for project in range(50):
            cloud.projects[str(project)] = names(100, f"p{project}")
            waits.begin(cloud.projects[str(project)], api=RUNS, project=str(project), poke_interval=60.0)
        await asyncio.sleep(130)

    run_simulated(body())
    assert max(moves.values()) <= 100
    assert 1 <= max(lists.values()) <= 2
    assert sum(lists.values()) >= 50


# --- what a list does not show --------------------------------------------------------------------------------------


def test_a_task_that_the_list_lacks_is_looked_for_in_it_again_after_some_minutes(cloud: SimulatedCloud) -> None:
    cloud.projects = {"1": names(50)}

    async def body() -> None:
        Waits().begin([*names(50), "late"], api=RUNS, poke_interval=10.0)
        await asyncio.sleep(100)
        cloud.projects["1"].append("late")
        await asyncio.sleep(900)

    run_simulated(body())
    assert len(cloud.times(task="late")) - len(cloud.times(task="late", since=290)) >= 250 / 10.5 - 2
    assert len(cloud.times(task="late", since=450)) < 10, "now the list shows it"


def test_an_end_in_an_incomplete_list_is_read_by_the_id(cloud: SimulatedCloud) -> None:
    assert RUNS.list_tasks is not None
    api = dataclasses.replace(RUNS, list_tasks=dataclasses.replace(RUNS.list_tasks, complete=False))
    cloud.projects = {"1": names(50)}

    async def body() -> list[list[Verdict]]:
        waits = Waits().begin(names(50), api=api)
        await asyncio.sleep(60)
        cloud.ended = {"run-7": "SUCCESS"}
        await asyncio.sleep(20)
        assert [wait.done() for wait in waits].index(True) == 7
        return [waits[7].result()]

    ((verdict,),) = run_simulated(body())
    assert isinstance(verdict, Finished)
    assert cloud.times(task="run-7", since=60)


def test_a_list_that_may_not_be_read_is_left_for_minutes(cloud: SimulatedCloud) -> None:
    def refuse(sent: Sent) -> None:
        if sent.action == LIST:
            raise PermissionDenied("You are not authorized.")

    cloud.refuse = refuse

    async def body() -> None:
        Waits().begin(names(50), api=RUNS)
        await asyncio.sleep(590)

    run_simulated(body())
    assert len(cloud.times(action=LIST)) == 1
    assert min(cloud.per_task().values()) > 50


# --- when an answer was asked for -----------------------------------------------------------------------------------


def test_a_wait_does_not_end_by_the_answer_to_an_earlier_request(cloud: SimulatedCloud) -> None:
    """A read of a failed run is under way; the run is started again; then an operator begins to wait."""
    cloud.seconds = {RUNS.read.name: 4.0}
    cloud.ended = {"run": "FAILED"}

    async def body() -> tuple[Any, Any]:
        early = asyncio.create_task(wait("run", api=RUNS_WITHOUT_LIST, poke_interval=1.0))
        while not cloud.sent:  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        cloud.ended = {}
        late = asyncio.create_task(wait("run", api=RUNS_WITHOUT_LIST, poke_interval=1.0))
        (first,) = await early
        await asyncio.sleep(30)
        assert not late.done()
        cloud.ended = {"run": "SUCCESS"}
        (second,) = await late
        return first, second

    first, second = run_simulated(body())
    assert (first.task.state, second.task.state) == ("failed", "succeeded")


def test_a_wait_does_not_end_by_a_page_that_was_asked_for_earlier(cloud: SimulatedCloud) -> None:
    cloud.seconds = {LIST: 4.0}
    cloud.projects = {"1": ["run", *names(20)]}

    async def body() -> Any:
        Waits().begin(names(20), api=RUNS, poke_interval=5.0)
        early = asyncio.create_task(wait("run", api=RUNS, poke_interval=5.0))
        await asyncio.sleep(30)
        pages = len(cloud.times(action=LIST))
        cloud.ended = {"run": "FAILED"}
        while len(cloud.times(action=LIST)) == pages:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        cloud.ended = {}
        late = asyncio.create_task(wait("run", api=RUNS, poke_interval=5.0))
        await asyncio.sleep(20)
        assert not late.done()
        early.cancel()
        cloud.ended = {"run": "SUCCESS"}
        return (await late)[0]

    assert run_simulated(body()).task.state == "succeeded"
