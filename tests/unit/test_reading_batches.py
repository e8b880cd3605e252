"""What is read in batches by ids, and what an answer to a batch means for each wait, on a simulated clock."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable
from typing import Any

import pytest

from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CredentialsError,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.waiting.triggerer import dispatcher
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Verdict

from .simulated_cloud import BATCH, LIST, READ, RUNS, RUNS_IN_BATCHES, Sent, SimulatedCloud, Waits, wait
from .simulated_time import run_simulated
from .test_reading_lists import Looks, names

RUNS_IN_BOTH = dataclasses.replace(RUNS_IN_BATCHES, list_tasks=RUNS.list_tasks)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimulatedCloud:
    random.seed(7)
    return SimulatedCloud(monkeypatch)


def run(seconds: float, count: int = 100, **arguments: Any) -> list[asyncio.Task[list[Verdict]]]:
    """Run waits on some tasks for some seconds, and return them."""

    async def body() -> list[asyncio.Task[list[Verdict]]]:
        waits = Waits().begin(names(count), **{"api": RUNS_IN_BATCHES, **arguments})
        await asyncio.sleep(seconds)
        return waits

    return run_simulated(body())


def ended(waits: list[asyncio.Task[list[Verdict]]]) -> dict[str, Verdict]:
    """Return how waits have ended, by the task."""
    return {
        f"run-{number}": wait.result()[0]
        for number, wait in enumerate(waits)
        if wait.done() and not wait.cancelled() and wait.exception() is None
    }


def state_of(verdict: Verdict) -> TaskState:
    assert isinstance(verdict, Finished)
    return verdict.task.state


def refuse_batches(cloud: SimulatedCloud, error: Callable[[Sent], CloudApiError | None]) -> None:
    def refuse(sent: Sent) -> None:
        if sent.action == BATCH and (found := error(sent)) is not None:
            raise found

    cloud.refuse = refuse


# --- the number of requests -----------------------------------------------------------------------------------------


def test_a_sweep_of_a_thousand_tasks_is_twenty_requests(cloud: SimulatedCloud) -> None:
    run(601, 1000, poke_interval=60.0)
    sweeps = 500 / 60
    assert len(cloud.times(action=BATCH, since=100)) < 1.25 * 20 * sweeps
    assert len(cloud.times(action=READ, since=100)) < 0.01 * 1000 * sweeps
    assert {len(sent.ids) for sent in cloud.sent} <= set(range(51))


def test_every_task_is_read_within_its_interval_where_single_reads_take_five_times_as_long(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch)
    run(150, 2000, poke_interval=20.0)
    assert looks.longest_gap(names(2000), 150.0) < 30


def test_an_end_in_a_batch_ends_its_wait_and_no_other(cloud: SimulatedCloud) -> None:
    cloud.ended = {"run-7": "SUCCESS", "run-8": "FAILED"}
    found = ended(run(60))
    assert {task: state_of(verdict) for task, verdict in found.items()} == {"run-7": "succeeded", "run-8": "failed"}
    assert not cloud.times(task="run-7"), "no single read was needed"


def test_batches_are_made_of_the_tasks_of_one_project(cloud: SimulatedCloud) -> None:
    async def body() -> None:
        waits = Waits()
        for project in "abc":
            waits.begin(names(30, project), api=RUNS_IN_BATCHES, project=project)
        await asyncio.sleep(60)

    run_simulated(body())
    sent = [each for each in cloud.sent if each.action == BATCH]
    assert {each.parameters["ProjectId"] for each in sent} == set("abc")
    assert all(task.startswith(each.parameters["ProjectId"]) for each in sent for task in each.ids)


def test_tasks_for_which_a_shared_parameter_is_unknown_are_read_one_by_one(cloud: SimulatedCloud) -> None:
    read_many = RUNS_IN_BATCHES.read_many
    assert read_many is not None
    action = dataclasses.replace(read_many.action, params=("Ids", "Day"))
    api = dataclasses.replace(RUNS_IN_BATCHES, read_many=dataclasses.replace(read_many, action=action))
    run(60, api=api)
    assert not cloud.times(action=BATCH)
    assert min(cloud.per_task().values()) > 3


def test_a_lone_wait_is_read_by_its_id(cloud: SimulatedCloud) -> None:
    run(60, 1)
    assert not cloud.times(action=BATCH)
    assert len(cloud.times()) > 5


def test_batches_keep_to_the_rate(cloud: SimulatedCloud) -> None:
    run(40, 3000, poke_interval=1.0)
    assert 15 * 20 < len(cloud.times(action=BATCH, since=20)) <= 20 * 20 + 2


# --- the list, batches, or single reads -----------------------------------------------------------------------------


def test_the_list_is_read_where_it_takes_fewer_requests_than_batches(cloud: SimulatedCloud) -> None:
    cloud.projects = {"1": names(800)}
    run(300, 800, api=RUNS_IN_BOTH, poke_interval=30.0)
    assert len(cloud.times(action=LIST)) >= 8 * 300 / 35
    assert not cloud.times(action=BATCH, since=20)


def test_batches_are_read_where_the_list_shows_many_other_tasks(cloud: SimulatedCloud) -> None:
    """The list is given up after as many pages as batches take, and tried again for twice as many tasks."""
    cloud.projects = {"1": [*names(10_000, "other"), *names(800)]}
    run(590, 800, api=RUNS_IN_BOTH, poke_interval=30.0)
    assert len(cloud.times(action=LIST)) <= 2 * 16
    assert len(cloud.times(action=BATCH, since=60)) >= 16 * 500 / 35
    assert len(cloud.times(action=READ, since=60)) < 40


# --- what an answer does not show -----------------------------------------------------------------------------------


def test_a_task_that_a_batch_omits_is_read_by_its_id_before_anything_is_concluded(cloud: SimulatedCloud) -> None:
    cloud.rows = lambda sent: [cloud.row(task) for task in sent.ids if task not in ("run-1", "run-2")]
    cloud.ended = {"run-1": "SUCCESS"}

    def refuse(sent: Sent) -> None:
        if sent.task == "run-2":
            raise NotFound("There is no such run.")

    cloud.refuse = refuse
    found = ended(run(60))
    assert set(found) == {"run-1", "run-2"}
    assert state_of(found["run-1"]) == "succeeded"
    assert isinstance(found["run-2"], Broken)
    assert isinstance(found["run-2"].error, NotFound)
    assert set(cloud.per_task()) <= {"run-1", "run-2", "None"}


def test_a_task_that_a_batch_omits_is_asked_for_in_batches_again_after_some_minutes(cloud: SimulatedCloud) -> None:
    cloud.rows = lambda sent: [cloud.row(task) for task in sent.ids if task != "run-1"]

    async def body() -> None:
        Waits().begin(names(100), api=RUNS_IN_BATCHES)
        await asyncio.sleep(100)
        cloud.rows = lambda sent: [cloud.row(task) for task in sent.ids]
        await asyncio.sleep(700)

    run_simulated(body())
    assert len(cloud.times(task="run-1")) > 25
    assert not cloud.times(task="run-1", since=350)


def test_an_empty_answer_concludes_nothing(cloud: SimulatedCloud) -> None:
    cloud.rows = lambda _: []
    assert not ended(run(60))
    assert min(cloud.per_task().values()) >= 1


def test_rows_of_other_tasks_are_ignored(cloud: SimulatedCloud) -> None:
    strange = [{"ExecutionId": "run-99", "ExecutionState": "FAILED"}, {"ExecutionState": "FAILED"}, None, "run-1", 7]
    cloud.rows = lambda sent: [*strange, *(cloud.row(task) for task in sent.ids)]
    assert not ended(run(60, 90))


def test_a_row_that_comes_twice_ends_a_wait_once(cloud: SimulatedCloud) -> None:
    cloud.ended = {"run-7": "SUCCESS"}
    cloud.rows = lambda sent: [cloud.row(task) for task in sent.ids for _ in "ab"]
    assert list(ended(run(60))) == ["run-7"]
    assert not cloud.times(task="run-7")


def test_rows_that_contradict_each_other_are_settled_by_a_single_read(cloud: SimulatedCloud) -> None:
    failed = {"ExecutionId": "run-7", "ExecutionState": "FAILED"}
    cloud.rows = lambda sent: [failed, *(cloud.row(task) for task in sent.ids)]
    assert not ended(run(60))
    assert cloud.times(task="run-7")


def test_a_row_that_cannot_be_read_is_settled_by_a_single_read(cloud: SimulatedCloud) -> None:
    cloud.rows = lambda sent: [
        {"ExecutionId": task, "ExecutionState": {"odd": 1} if task == "run-7" else "RUNNING"} for task in sent.ids
    ]
    assert not ended(run(60))
    assert set(cloud.per_task()) <= {"run-7", "None"}


def test_an_end_in_an_incomplete_row_is_read_by_the_id(cloud: SimulatedCloud) -> None:
    read_many = RUNS_IN_BATCHES.read_many
    assert read_many is not None
    api = dataclasses.replace(RUNS_IN_BATCHES, read_many=dataclasses.replace(read_many, complete=False))
    cloud.ended = {"run-7": "SUCCESS"}
    found = ended(run(60, api=api))
    assert list(found) == ["run-7"]
    assert cloud.times(task="run-7")


@pytest.mark.parametrize("rows", [None, {}, "run-1", 7])
def test_an_answer_without_a_list_is_no_error_of_the_tasks(cloud: SimulatedCloud, rows: Any) -> None:
    cloud.rows = lambda _: rows
    assert not ended(run(60))
    assert min(cloud.per_task().values()) >= 3


# --- batches that fail ----------------------------------------------------------------------------------------------


def test_one_bad_id_fails_its_own_wait_only(cloud: SimulatedCloud) -> None:
    def refuse(sent: Sent) -> None:
        if "run-7" in (sent.task, *sent.ids):
            raise BadRequest("run-7 is no id.")

    cloud.refuse = refuse
    cloud.ended = {"run-8": "SUCCESS"}
    found = ended(run(120))
    assert set(found) == {"run-7", "run-8"}
    assert isinstance(found["run-7"], Broken)
    assert len(cloud.times(since=30)) < 20, "the others are read in batches again"


def test_a_bad_id_that_is_waited_for_stays_out_of_batches(cloud: SimulatedCloud) -> None:
    """With missing=wait, the error does not end the wait."""

    def refuse(sent: Sent) -> None:
        if "run-7" in (sent.task, *sent.ids):
            raise NotFound("run-7 does not exist yet.")

    cloud.refuse = refuse
    assert not ended(run(600, missing="wait"))
    refused = [sent for sent in cloud.sent if "run-7" in sent.ids]
    assert len(refused) == 1
    assert len(cloud.times(task="run-7")) > 600 / 11
    assert max(count for task, count in cloud.per_task().items() if task not in ("run-7", "None")) <= 3


@pytest.mark.parametrize("error", [PermissionDenied, BadRequest])
def test_batches_that_are_refused_for_themselves_are_left_for_minutes(
    cloud: SimulatedCloud, error: type[CloudApiError]
) -> None:
    refuse_batches(cloud, lambda _: error("not so"))
    assert not ended(run(500))
    assert len(cloud.times(action=BATCH)) <= 6
    assert min(count for task, count in cloud.per_task().items() if task != "None") > 30


def test_an_error_that_passes_is_no_error_of_the_tasks(cloud: SimulatedCloud) -> None:
    refuse_batches(cloud, lambda sent: TransientError("500") if sent.at < 100 else None)
    assert not ended(run(400))
    assert len(cloud.times(action=BATCH)) - len(cloud.times(action=BATCH, since=100)) <= 8
    assert len(cloud.times(action=BATCH, since=160)) > 2 * 240 / 12, "batches are used again"
    assert not cloud.times(since=200)


def test_batches_that_are_not_answered_delay_tasks_by_seconds(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.seconds = {BATCH: 1e9}
    looks = Looks(monkeypatch)
    run(600, 200, poke_interval=20.0)
    assert looks.longest_gap(names(200), 600.0) < 20 + 10 + 20


def test_throttled_batches_keep_their_turn(cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_batches(cloud, lambda sent: Throttled("too many") if sent.at < 60 and random.random() < 0.2 else None)
    looks = Looks(monkeypatch)
    assert not ended(run(300, 1000, poke_interval=30.0))
    assert looks.longest_gap(names(1000), 300.0) < 2 * 30 + 15
    assert len(cloud.times()) < 20, "hardly any task is read alone"


def test_batches_that_are_always_throttled_do_not_keep_tasks_from_being_read(cloud: SimulatedCloud) -> None:
    refuse_batches(cloud, lambda _: Throttled("too many"))
    assert not ended(run(600, 100))
    assert min(cloud.per_task()[task] for task in names(100)) >= 3


def test_a_refused_key_concerns_every_wait(cloud: SimulatedCloud) -> None:
    refused = CredentialsError("The key does not exist.")

    def refuse(_: Sent) -> None:
        raise refused

    cloud.refuse = refuse
    found = ended(run(700))
    assert len(found) == 100
    assert all(isinstance(verdict, Broken) and verdict.error is refused for verdict in found.values())


def test_an_id_that_fits_in_no_request_fails_its_own_wait_only(cloud: SimulatedCloud) -> None:
    def refuse(sent: Sent) -> None:
        if "run-7" in (sent.task, *sent.ids):
            raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    cloud.refuse = refuse
    waits = [wait for wait in run(60) if not wait.cancelled()]
    assert [type(wait.exception()) for wait in waits] == [UnicodeEncodeError]


# --- when an answer was asked for -----------------------------------------------------------------------------------


def test_a_wait_does_not_end_by_a_batch_that_was_asked_for_earlier(cloud: SimulatedCloud) -> None:
    """A batch with a failed run is under way; the run is started again; then an operator begins to wait."""
    cloud.seconds = {BATCH: 4.0}

    async def body() -> tuple[bool, Verdict]:
        Waits().begin(names(20), api=RUNS_IN_BATCHES, poke_interval=5.0)
        await asyncio.sleep(30)
        batches = len(cloud.times(action=BATCH))
        cloud.ended = {"run-7": "FAILED"}
        while len(cloud.times(action=BATCH)) == batches:  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.01)
        cloud.ended = {}
        late = asyncio.create_task(wait("run-7", api=RUNS_IN_BATCHES, poke_interval=5.0))
        await asyncio.sleep(20)
        was_done = late.done()
        cloud.ended = {"run-7": "SUCCESS"}
        return was_done, (await late)[0]

    was_done, verdict = run_simulated(body())
    assert not was_done
    assert state_of(verdict) == "succeeded"


def test_waits_that_end_while_their_batch_is_under_way_leave_nothing_behind(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.seconds = {BATCH: 4.0}
    made: list[dispatcher.Dispatcher] = []
    init = dispatcher.Dispatcher.__init__

    def noting(self: Any, *arguments: Any) -> None:
        made.append(self)
        init(self, *arguments)

    monkeypatch.setattr(dispatcher.Dispatcher, "__init__", noting)

    async def body() -> None:
        rest = Waits()
        rest.begin(names(5, "rest"), api=RUNS_IN_BATCHES)
        waits = Waits()
        waits.begin(names(50), api=RUNS_IN_BATCHES)
        while not cloud.times(action=BATCH):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        await waits.stop()
        await asyncio.sleep(30)
        assert len(made[0]._schedule) == made[0]._schedule.waits == 5

    run_simulated(body())
