"""Watchers on a simulated clock: each end makes exactly one run of its DAG, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from supervisor import FAULTS, Supervisor, each_fault, only_airflow_3, supervisor  # noqa: F401 - a fixture

from airflow_cloudtasks.assets import _stream
from airflow_cloudtasks.errors import (
    CredentialsError,
    InvalidConnection,
    MalformedAnswer,
    PermissionDenied,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.model import TaskState

from .simulated_time import run_simulated
from .watchers import SHARES_STREAMS, Airflow, Cloud, Triggerer, watcher

pytestmark = only_airflow_3

ERRORS = {
    "no connection": InvalidConnection("There is no Airflow connection 'x'."),
    "a refused key": CredentialsError("The key is refused."),
    "a server error": TransientError("500"),
    "a throttled request": Throttled("too many", retry_after=30.0),
    "a damaged answer": MalformedAnswer("no list", api="a", field="b", action="c"),
    "a bug": RuntimeError("a bug"),
    "a frozen list": TimeoutError(),
}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(monkeypatch)


@pytest.fixture
def airflow(supervisor: Supervisor) -> Airflow:  # noqa: F811
    return Airflow(supervisor)


@asynccontextmanager
async def scheduled(airflow: Airflow) -> AsyncIterator[SimpleNamespace]:
    """Run the scheduler and a triggerer; ``restart`` replaces the triggerer, as after a kill."""
    scheduler = asyncio.create_task(airflow.schedule())
    running = SimpleNamespace(triggerer=Triggerer(airflow))

    async def restart() -> None:
        await running.triggerer.stop()
        running.triggerer = Triggerer(airflow)

    running.restart = restart
    try:
        yield running
    finally:
        await running.triggerer.stop()
        scheduler.cancel()


def ids(count: int) -> list[str]:
    return [f"task-{number:02}" for number in range(count)]


def test_each_end_makes_one_run(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end(*ids(50))
            await asyncio.sleep(200)
            assert running.triggerer.failures == []

    run_simulated(body())
    assert airflow.runs == [[each] for each in ids(50)]


def test_without_a_named_dag_events_keep_a_distance(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher(dag_id=None))
            await asyncio.sleep(5)
            cloud.end(*ids(10))
            await asyncio.sleep(100)

    run_simulated(body())
    assert airflow.runs == [[each] for each in ids(10)]


def test_what_ended_before_the_watcher_was_made_has_no_event(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            cloud.end("old", seconds=-1)
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end("new")
            await asyncio.sleep(20)

    run_simulated(body())
    assert airflow.runs == [["new"]]


def test_what_ended_before_has_an_event_if_asked_for(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            cloud.end("old", seconds=-3600)
            running.triggerer.start(watcher(since="2020-01-01"))
            await asyncio.sleep(20)

    run_simulated(body())
    assert airflow.runs == [["old"]]


@pytest.mark.parametrize("scheduler_is_quick", [True, False])
def test_a_kill_between_storing_and_acknowledging_makes_no_second_run(
    cloud: Cloud, airflow: Airflow, scheduler_is_quick: bool
) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end(*ids(3))
            running.triggerer.is_frozen_after_storing = True
            airflow.is_busy = not scheduler_is_quick
            await running.triggerer.is_frozen.wait()
            await running.restart()
            await asyncio.sleep(30 if scheduler_is_quick else 1)
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            airflow.is_busy = False
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [[each] for each in ids(3)]


def test_a_kill_before_storing_loses_no_end(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            airflow.loses_events = 1
            running.triggerer.is_frozen_after_storing = True
            cloud.end("a", "b")
            await running.triggerer.is_frozen.wait()
            await running.restart()
            running.triggerer.start(watcher())
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [["a"], ["b"]]


def test_restarts_at_any_moment_make_one_run_of_each_end(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end(*ids(30))
            for number in range(40):
                await asyncio.sleep(1.5 + 0.13 * number)
                await running.restart()
                await asyncio.sleep(5)
                running.triggerer.start(watcher())
            await asyncio.sleep(300)

    run_simulated(body())
    assert sorted(each for run in airflow.runs for each in run[:1]) == ids(30)
    assert len(airflow.runs) == 30


def test_ends_during_an_outage_of_the_triggerer_have_their_events(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            await running.restart()
            cloud.end("a", "b")
            await asyncio.sleep(10_000)
            running.triggerer.start(watcher())
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [["a"], ["b"]]


def test_a_watcher_that_is_made_anew_has_no_event_of_earlier_ends(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            await running.restart()
            cloud.end("meanwhile", seconds=-1)
            running.triggerer.start(watcher(), trigger_id=2)
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == []


def test_a_watcher_that_asks_for_earlier_ends_goes_on_when_it_is_made_anew(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher(since="2020-01-01"))
            cloud.end("before")
            await asyncio.sleep(20)
            await running.restart()
            cloud.end("meanwhile")
            running.triggerer.start(watcher(since="2020-01-01"), trigger_id=2)
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [["before"], ["meanwhile"]]


def test_twenty_thousand_ends_that_are_not_wanted_hold_up_nothing(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> int:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher(where={"WorkflowId": "7"}, since="2020-01-01"))
            cloud.end(*(str(number) for number in range(20_000)))
            cloud.end("wanted", detail={"WorkflowId": "7"})
            await asyncio.sleep(10)
            return len(cloud.reads)

    assert run_simulated(body()) > 5
    assert airflow.runs == [["wanted"]]


def test_a_busy_dag_holds_its_events_back(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            airflow.is_busy = True
            cloud.end(*ids(5))
            await asyncio.sleep(3600)
            assert airflow.queued == ["task-00"]
            airflow.is_busy = False
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [[each] for each in ids(5)]


@pytest.mark.skipif(not SHARES_STREAMS, reason="Airflow before 3.3 does not say whether an event is stored")
def test_an_event_that_airflow_could_not_store_is_sent_again(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            airflow.loses_events = 1
            cloud.end("a")
            await asyncio.sleep(400)
            # Airflow fails a watcher whose event it could not store, and starts it again.
            assert [type(each).__name__ for each in running.triggerer.failures] == ["AckTimeout"]
            running.triggerer.start(watcher())
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [["a"]]


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_a_watcher_outlives_an_outage_of_the_cloud(cloud: Cloud, airflow: Airflow, error: Exception) -> None:
    def fail() -> None:
        raise error

    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.fault = fail
            before = len(cloud.reads)
            cloud.end("a")
            await asyncio.sleep(3600)
            # It backs off: an hour has 3,600 seconds.
            assert len(cloud.reads) - before < 400
            cloud.fault = lambda: None
            await asyncio.sleep(120)
            assert running.triggerer.failures == []

    run_simulated(body())
    assert airflow.runs == [["a"]]


@each_fault
@pytest.mark.parametrize("message", ["GetVariable", "PutVariable", "GetDRCount"])
def test_a_watcher_outlives_an_outage_of_airflows_api_server(
    cloud: Cloud,
    airflow: Airflow,
    supervisor: Supervisor,  # noqa: F811
    message: str,
    fault: str,
) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            supervisor.faults[message] = FAULTS[fault]
            running.triggerer.start(watcher(since="2020-01-01"))
            cloud.end("a", "b")
            await asyncio.sleep(600)
            supervisor.faults.clear()
            await asyncio.sleep(120)
            assert running.triggerer.failures == []

    run_simulated(body())
    assert airflow.runs == [["a"], ["b"]]


def test_watchers_with_different_states_share_one_reader(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher(["succeeded"]), 1)
            running.triggerer.start(watcher(["failed", "expired"]), 2)
            running.triggerer.start(watcher(), 3)
            await asyncio.sleep(5)
            cloud.end("good")
            cloud.end("bad", state=TaskState.FAILED)
            cloud.end("late", state=TaskState.EXPIRED)
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.events == {1: ["good"], 2: ["bad", "late"], 3: ["good", "bad", "late"]}
    assert cloud.sources == 1


def test_sixteen_watchers_share_one_reader(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> float:
        async with scheduled(airflow) as running:
            for number in range(16):
                running.triggerer.start(watcher(dag_id=f"dag-{number}"), number)
            await asyncio.sleep(5)
            cloud.end("a", "b")
            await asyncio.sleep(95)
            assert running.triggerer.failures == []
            return asyncio.get_running_loop().time()

    seconds = run_simulated(body())
    assert airflow.events == {number: ["a", "b"] for number in range(16)}
    assert cloud.sources == 1
    assert len(cloud.reads) <= seconds


def test_a_message_tells_of_an_end_and_the_list_shows_it_too(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end("a")
            cloud.rung.put_nowait(cloud.tasks[0])
            cloud.rung.put_nowait(cloud.tasks[0])
            await asyncio.sleep(20)

    run_simulated(body())
    assert airflow.runs == [["a"]]


def test_watchers_of_different_projects_have_readers_of_their_own(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher(), 1)
            other = watcher()
            other.api_params = {"ProjectId": "2"}
            running.triggerer.start(other, 2)
            await asyncio.sleep(5)

    run_simulated(body())
    assert cloud.sources == 2


def test_a_slow_dag_holds_back_no_other_watcher(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            airflow.is_busy = True
            running.triggerer.start(watcher(), 1)
            running.triggerer.start(watcher(dag_id=None), 2)
            await asyncio.sleep(5)
            cloud.end("a", "b", "c")
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.events == {1: ["a"], 2: ["a", "b", "c"]}


def test_the_last_watcher_stops_the_reader(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            await running.restart()
            before = len(cloud.reads)
            await asyncio.sleep(60)
            assert len(cloud.reads) == before

    run_simulated(body())


def test_a_task_that_cannot_be_read_lets_the_others_go_first(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> int:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.unreadable["task-00"] = PermissionDenied("no")
            cloud.end(*ids(3))
            await asyncio.sleep(600)
            tries = cloud.single_reads.count("task-00")
            cloud.end("task-03")
            await asyncio.sleep(200)
            return tries

    assert run_simulated(body()) < 20
    assert airflow.runs == [["task-01"], ["task-02"], ["task-03"], ["task-00"]]


def test_an_outage_of_single_reads_loses_no_end(cloud: Cloud, airflow: Airflow) -> None:
    async def body() -> int:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.unreadable = {each: PermissionDenied("no") for each in ids(3)}
            cloud.end(*ids(3))
            await asyncio.sleep(3600)
            tries = len(cloud.single_reads)
            assert airflow.runs == []
            cloud.unreadable = {}
            await asyncio.sleep(120)
            return tries

    assert run_simulated(body()) < 100
    assert sorted(airflow.runs) == [[each] for each in ids(3)]


def test_a_bug_in_reading_what_a_message_tells_of_is_logged_and_hides_no_later_message(
    cloud: Cloud, airflow: Airflow, caplog: pytest.LogCaptureFixture
) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end("a")
            cloud.rung.put_nowait(RuntimeError("a bug"))
            cloud.rung.put_nowait(cloud.tasks.pop())
            await asyncio.sleep(120)

    run_simulated(body())
    assert airflow.runs == [["a"]]
    assert "messages are heeded again" in caplog.text


def test_a_watcher_begins_anew_if_what_it_kept_is_damaged(
    cloud: Cloud,
    airflow: Airflow,
    supervisor: Supervisor,  # noqa: F811
) -> None:
    async def body() -> None:
        async with scheduled(airflow) as running:
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            await running.restart()
            ((key, value),) = supervisor.variables.items()
            kept = json.loads(value)
            kept["ends"]["done"] = ["x"]
            supervisor.variables[key] = json.dumps(kept)
            running.triggerer.start(watcher())
            await asyncio.sleep(5)
            cloud.end("a")
            await asyncio.sleep(60)

    run_simulated(body())
    assert airflow.runs == [["a"]]


@pytest.mark.parametrize(("has_gap", "hours", "is_held"), [(False, 0.1, False), (True, 0.1, True), (True, 2.0, False)])
def test_a_list_with_a_gap_moves_the_horizon_only_after_an_hour(has_gap: bool, hours: float, is_held: bool) -> None:
    read_ats: list[object] = []

    class Source:
        def __init__(self) -> None:
            self.has_gap = has_gap

        async def ended(self, horizon: datetime, *, anew: bool) -> list[object]:
            return []

    async def body() -> None:
        stream = _stream.Stream(SimpleNamespace())  # type: ignore[arg-type]
        horizon = datetime.now(UTC) - timedelta(hours=hours)
        follower = Mock(ends=SimpleNamespace(horizon=horizon))
        follower.offer = lambda tasks, read_at: read_ats.append(read_at)
        stream._followers[follower] = Mock()
        await stream._read_once(Source())  # type: ignore[arg-type]

    run_simulated(body())
    assert [each is None for each in read_ats] == [is_held]
