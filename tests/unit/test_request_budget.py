"""How many requests waits send, and in which order, on a simulated clock."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import random
import weakref
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.emulator.engine.limits import SlidingWindow
from airflow_cloudtasks.errors import CredentialsError, Throttled, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.waiting.triggerer import dispatcher, gates
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind
from airflow_cloudtasks.waiting.triggerer.gated_hook import gated_hook
from airflow_cloudtasks.waiting.triggerer.pace import Pace
from airflow_cloudtasks.waiting.verdicts import Finished

from .simulated_cloud import LIST, READ, RUNS, Sent, SimulatedCloud, SimulatedHook, Waits, wait
from .simulated_time import run_simulated


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimulatedCloud:
    random.seed(7)
    return SimulatedCloud(monkeypatch)


def names(count: int, prefix: str = "run") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def refuse_all(retry_after: float | None) -> Any:
    def refuse(_: Sent) -> None:
        raise Throttled("slow down", retry_after=retry_after)

    return refuse


# --- Retry-After ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [1, 10])
def test_waits_that_are_always_throttled_keep_to_the_retry_after(cloud: SimulatedCloud, waits: int) -> None:
    cloud.refuse = refuse_all(60.0)

    async def body() -> None:
        Waits().begin(names(waits))
        await asyncio.sleep(600)

    run_simulated(body())
    gaps = [later - earlier for earlier, later in pairwise(cloud.times())]
    # Two requests may leave at once after a pause, and none during it.
    assert 8 <= sum(gap >= 60 for gap in gaps) <= 10
    assert len(gaps) <= 20


def test_waits_one_after_another_keep_to_the_retry_after(cloud: SimulatedCloud) -> None:
    """The last wait of a dispatcher leaves, but the gate remembers the pause."""
    cloud.refuse = refuse_all(60.0)

    async def body() -> None:
        for number in range(5):
            task = asyncio.create_task(wait(f"run-{number}", poke_interval=0.5))
            await asyncio.sleep(0.5)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_simulated(body())
    assert len(cloud.times()) == 1


def test_a_lone_wait_that_is_always_throttled_is_read_once_an_interval(cloud: SimulatedCloud) -> None:
    cloud.refuse = refuse_all(None)

    async def body() -> None:
        Waits().begin(["run"], poke_interval=60.0)
        await asyncio.sleep(3600)

    run_simulated(body())
    assert len(cloud.times()) < 100
    assert len(cloud.times(since=1800)) <= 1800 / 30 + 1


@pytest.mark.parametrize("retry_after", [None, 60.0])
def test_a_task_that_is_throttled_for_itself_does_not_slow_the_others_down(
    cloud: SimulatedCloud, retry_after: float | None
) -> None:
    def refuse(sent: Sent) -> None:
        if sent.task == "bad":
            raise Throttled("slow down", retry_after=retry_after)

    cloud.refuse = refuse

    async def body() -> None:
        Waits().begin([*names(100), "bad"])
        await asyncio.sleep(1000)

    run_simulated(body())
    after_settling = cloud.per_task(since=400.0)
    assert 1 <= after_settling.pop("bad") <= 600 / (retry_after or 5) + 1
    # An interval of 10 seconds, of which a tenth is random.
    assert min(after_settling.values()) >= 600 / 10.5
    assert len(after_settling) == 100


# --- the rate -------------------------------------------------------------------------------------------------------


def test_many_small_projects_get_the_whole_rate_that_a_service_allows(cloud: SimulatedCloud) -> None:
    """2,000 projects of 2 waits; the service allows half of what is documented."""
    windows = {READ: SlidingWindow(10), LIST: SlidingWindow(10)}

    def refuse(sent: Sent) -> None:
        if not windows[sent.action].admit(sent.at):
            raise Throttled("slow down")

    cloud.refuse = refuse

    async def body() -> None:
        waits = Waits()
        for number in range(2000):
            project = f"p{number}"
            cloud.projects[project] = [f"{project}-a", f"{project}-b"]
            waits.begin(cloud.projects[project], api=RUNS, project=project)
        await asyncio.sleep(400)

    run_simulated(body())
    requests = len(cloud.times(since=100)) + len(cloud.times(action=LIST, since=100))
    assert requests > 300 * 10


def test_a_dispatcher_that_closes_leaves_no_silence(cloud: SimulatedCloud) -> None:
    """Two connections with one key: the waits of one leave while hundreds of its lists and polls are due."""
    cloud.projects = {"staying": names(10, "staying")}

    async def body() -> None:
        leaving = Waits()
        for number in range(1000):
            project = f"p{number}"
            cloud.projects[project] = [f"{project}-a", f"{project}-b"]
            leaving.begin(cloud.projects[project], api=RUNS, project=project, conn_id="a", poke_interval=5.0)
        Waits().begin(names(10, "staying"), api=RUNS, project="staying", conn_id="b", poke_interval=5.0)
        await asyncio.sleep(30)
        await leaving.stop()
        await asyncio.sleep(60)

    run_simulated(body())
    # All that are sent after a second are sent for the connection that stays.
    times = sorted([*cloud.times(since=31), *cloud.times(action=LIST, since=31)])
    assert max(later - earlier for earlier, later in pairwise([31.0, *times, 90.0])) < 7


def test_connections_with_one_key_get_equal_turns(cloud: SimulatedCloud) -> None:
    async def body() -> None:
        Waits().begin(names(2000, "many"), conn_id="a")
        Waits().begin(names(100, "few"), conn_id="b")
        await asyncio.sleep(1000)

    run_simulated(body())
    read = cloud.per_task(since=100.0)
    few = [count for task, count in read.items() if task.startswith("few")]
    many = [count for task, count in read.items() if task.startswith("many")]
    assert (len(few), len(many)) == (100, 2000)
    assert max(few) - min(many) <= 2


def test_connections_with_keys_of_their_own_have_rates_of_their_own(cloud: SimulatedCloud) -> None:
    cloud.key = {"a": "key of a", "b": "key of b"}

    async def body() -> None:
        Waits().begin(names(2000, "many"), conn_id="a")
        Waits().begin(names(100, "few"), conn_id="b")
        await asyncio.sleep(200)

    run_simulated(body())
    assert min(cloud.per_task(since=100.0)[task] for task in names(100, "few")) >= 9


def test_a_raised_allowance_works_as_soon_as_the_connection_is_looked_up(cloud: SimulatedCloud) -> None:
    cloud.requests_per_second = {"a": 2.0}

    async def body() -> None:
        Waits().begin(names(1000))
        await asyncio.sleep(100)
        cloud.requests_per_second = {"a": 40.0}
        await asyncio.sleep(100)

    run_simulated(body())
    assert len(cloud.times()) - len(cloud.times(since=100)) <= 201
    assert len(cloud.times(since=110)) > 90 * 30


def test_two_connections_state_an_allowance_and_the_smaller_one_counts(cloud: SimulatedCloud) -> None:
    cloud.requests_per_second = {"a": 20.0, "b": 4.0}

    async def body() -> None:
        Waits().begin(names(500, "a"), conn_id="a")
        low = Waits()
        low.begin(names(10, "b"), conn_id="b")
        await asyncio.sleep(100)
        await low.stop()
        await asyncio.sleep(100)

    run_simulated(body())
    assert len(cloud.times()) - len(cloud.times(since=100)) <= 402
    assert len(cloud.times(since=110)) > 90 * 15


def test_waits_without_an_answer_are_bounded(cloud: SimulatedCloud) -> None:
    cloud.seconds = {READ: 1e9}

    async def body() -> None:
        Waits().begin(names(1000))
        await asyncio.sleep(600)

    run_simulated(body())
    assert len(cloud.sent) == 64


# --- reasons and cancels --------------------------------------------------------------------------------------------


async def fired(run: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    task_instance = SimpleNamespace(trigger_timeout=None)
    always = property(lambda _: task_instance, lambda _, __: None)
    monkeypatch.setattr(CloudTaskTrigger, "task_instance", always, raising=False)
    trigger = CloudTaskTrigger(
        api=RUNS,
        cloud_task_id=run,
        api_params={"ProjectId": "1"},
        conn_id="a",
        end_from_trigger=True,
        do_xcom_push=False,
        poke_interval=5.0,
    )
    async for event in trigger.run():
        return event
    raise AssertionError("no event")


def test_reasons_of_many_failures_are_asked_for_within_the_rate(cloud: SimulatedCloud) -> None:
    """300 workflow runs fail at once. Reasons are read by the action that also polls the runs."""
    window, refused = SlidingWindow(20), 0

    def refuse(sent: Sent) -> None:
        nonlocal refused
        if sent.action == READ and not window.admit(sent.at):
            refused += 1
            raise Throttled("slow down")

    def parts(task: str, status: str) -> dict[str, Any]:
        failed = [{"ExecutionId": f"{task}-part", "TaskName": "load", "ExecutionState": "FAILED", "ErrorCodeStr": "42"}]
        run = {"ExecutionId": task, "ExecutionState": status}
        return {"Data": {"TriggerWorkflowRun": run, "TriggerTaskRuns": failed}, "RequestId": "r"}

    cloud.refuse, cloud.run = refuse, parts  # type: ignore[method-assign]
    runs = names(300)
    cloud.projects = {"1": runs}
    reasons: list[str | None] = []

    async def body() -> None:
        async def note(run: str) -> None:
            (verdict,) = await wait(run, api=RUNS)
            assert isinstance(verdict, Finished)
            async with gated_hook(RUNS, "a", None) as hook:
                explained = await hook.aexplain(RUNS, verdict.task, {"ProjectId": "1"})
            reasons.append(explained.message)

        waits = [asyncio.create_task(note(run)) for run in runs]
        await asyncio.sleep(20)
        cloud.ended = dict.fromkeys(runs, "FAILED")
        await asyncio.gather(*waits)

    run_simulated(body())
    assert len(reasons) == 300
    assert all(reason is not None and "load" in reason for reason in reasons)
    assert refused <= 0.05 * len(cloud.times())


def test_a_trigger_that_ends_its_task_asks_for_reasons_through_the_gate(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.ended = {"run": "FAILED"}

    async def body() -> None:
        assert type(await fired("run", monkeypatch)).__name__ in ("TaskFailedEvent", "TriggerEvent")

    run_simulated(body())
    assert len(cloud.times()) == 2, "one poll, and one request for the reason"


def test_reasons_without_an_answer_do_not_delay_polls(cloud: SimulatedCloud) -> None:
    """The reasons of a run are read by the action that polls it."""
    cloud.hang = {"failed"}

    async def body() -> None:
        waits = Waits()
        waits.begin(names(50))
        detail = {"ExecutionId": "failed"}
        task = CloudTask(api=RUNS.name, cloud="tencent", id="failed", state=TaskState.FAILED, status="F", detail=detail)
        async with gated_hook(RUNS, "a", None) as hook:
            hanging = [asyncio.create_task(hook.aexplain(RUNS, task, {"ProjectId": "1"})) for _ in range(100)]
            await asyncio.sleep(300)
            for each in hanging:
                each.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
        await waits.stop()

    run_simulated(body())
    read = cloud.per_task(since=100.0)
    assert min(read[task] for task in names(50)) >= 200 / 10.5
    assert cloud.per_task()["failed"] == Kind.REASON.most


def test_a_cancel_leaves_before_the_polls_that_are_due(cloud: SimulatedCloud) -> None:
    async def body() -> float:
        Waits().begin(names(2000))
        await asyncio.sleep(60)
        began = asyncio.get_running_loop().time()
        async with gated_hook(RUNS, "a", None) as hook:
            await hook.acancel(RUNS, {"ProjectId": "1", "WorkflowExecutionIds": ["x"]})
        return asyncio.get_running_loop().time() - began

    assert run_simulated(body()) < 1


def test_a_cancel_is_sent_though_the_connection_cannot_be_looked_up_at_first(cloud: SimulatedCloud) -> None:
    """Airflow's API server restarts while the user kills the task."""

    async def body() -> None:
        cloud.lookups_fail = 3
        async with gated_hook(RUNS, "a", None) as hook:
            await hook.acancel(RUNS, {"ProjectId": "1", "WorkflowExecutionIds": ["x"]})

    run_simulated(body())
    assert [sent.action for sent in cloud.sent] == ["KillTriggerWorkflowRuns"]


def test_a_cancel_that_is_refused_alone_keeps_to_its_retry_after(cloud: SimulatedCloud) -> None:
    kill = "KillTriggerWorkflowRuns"

    def refuse(sent: Sent) -> None:
        if sent.action == kill and len(cloud.times(action=kill)) <= 2:
            raise Throttled("slow down", retry_after=20.0)

    cloud.refuse = refuse

    async def body() -> None:
        async with gated_hook(RUNS, "a", None) as hook:
            await hook.acancel(RUNS, {"ProjectId": "1", "WorkflowExecutionIds": ["x"]})

    run_simulated(body())
    assert [later - earlier >= 20 for earlier, later in pairwise(cloud.times(action=kill))] == [True, True]


def test_a_cancel_without_an_answer_ends(cloud: SimulatedCloud) -> None:
    """A throttled cancel is tried again, but not for ever: Airflow's triggerer waits for it."""
    kill = "KillTriggerWorkflowRuns"
    cloud.seconds[kill] = 1e9

    async def body() -> float:
        async with gated_hook(RUNS, "a", None) as hook:
            for _ in range(3):
                with pytest.raises(TransientError, match=r"KillTriggerWorkflowRuns failed: .* no answer within 120 s"):
                    await hook.acancel(RUNS, {"ProjectId": "1", "WorkflowExecutionIds": ["x"]})
        return asyncio.get_running_loop().time()

    assert 120 <= run_simulated(body()) < 125


# --- refused keys -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [1, 200])
def test_every_request_after_a_refused_key_passes_the_gate(
    cloud: SimulatedCloud, waits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, sent = list[float](), Pace.sent
    monkeypatch.setattr(Pace, "sent", lambda self, now: (turns.append(now), sent(self, now)))

    def refuse(sent: Sent) -> None:
        if sent.at < 100:
            error = CredentialsError("refused")
            error.is_replaced = True
            raise error

    cloud.refuse = refuse
    cloud.ended = dict.fromkeys(names(waits), "SUCCESS")

    async def body() -> None:
        Waits().begin(names(waits))
        await asyncio.sleep(100)

    run_simulated(body())
    assert turns == cloud.times()
    assert len(turns) > 4


def test_a_key_that_is_refused_for_good_ends_a_request_after_four(cloud: SimulatedCloud) -> None:
    def refuse(sent: Sent) -> None:
        error = CredentialsError("refused")
        error.is_replaced = True
        raise error

    cloud.refuse = refuse

    async def body() -> None:
        async with gated_hook(RUNS, "a", None) as hook:
            with pytest.raises(CredentialsError):
                await hook.acancel(RUNS, {"ProjectId": "1", "WorkflowExecutionIds": ["x"]})

    run_simulated(body())
    assert len(cloud.times(action="KillTriggerWorkflowRuns")) == 4


# --- gates and dispatchers that end -----------------------------------------------------------------------------------


def test_an_unused_gate_is_dropped_after_some_minutes(cloud: SimulatedCloud) -> None:
    async def body() -> list[int]:
        counts = []
        for rest in (0, 300, 700):
            await asyncio.sleep(rest)
            waits = Waits()
            waits.begin(["run"], conn_id=f"connection {rest}", poke_interval=1.0)
            cloud.key[f"connection {rest}"] = f"key {rest}"
            await asyncio.sleep(3)
            await waits.stop()
            counts.append(len(gates._gates.get()))
        return counts

    assert run_simulated(body()) == [1, 2, 1]


def test_an_unused_gate_is_dropped_also_if_no_other_is_made(cloud: SimulatedCloud) -> None:
    async def body() -> list[int]:
        waits = Waits()
        waits.begin(["run"], poke_interval=1.0)
        await asyncio.sleep(900)
        counts = [len(gates._gates.get())]
        await waits.stop()
        for _ in range(2):
            await asyncio.sleep(599)
            counts.append(len(gates._gates.get()))
        return counts

    assert run_simulated(body()) == [1, 1, 0]


def test_a_gate_does_not_keep_its_event_loop_alive(cloud: SimulatedCloud) -> None:
    loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def body() -> None:
        loops.append(weakref.ref(asyncio.get_running_loop()))
        Waits().begin(["run"])
        await asyncio.sleep(5)

    run_simulated(body())
    gc.collect()
    assert loops[0]() is None


def test_an_action_of_another_product_has_a_gate_of_its_own(cloud: SimulatedCloud) -> None:
    async def body() -> list[Gate]:
        client = await SimulatedHook(cloud, "a", None).aget_conn()
        services = [RUNS.service, dataclasses.replace(RUNS.service, name="other"), RUNS.service]
        return [gates.gate_of(client, RUNS, RUNS.read, stated_by="me", service=service) for service in services]

    one, other, same = run_simulated(body())
    assert one is same
    assert one is not other


def test_a_defect_while_a_poll_is_picked_fails_every_wait(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def defect(*_: Any) -> None:
        raise ZeroDivisionError

    async def body() -> list[Any]:
        waits = Waits().begin(names(5))
        await asyncio.sleep(30)
        monkeypatch.setattr(dispatcher.Schedule, "begin", defect)
        return await asyncio.gather(*waits, return_exceptions=True)

    assert [type(end) for end in run_simulated(body())] == [ZeroDivisionError] * 5
