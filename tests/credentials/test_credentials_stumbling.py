"""A token or metadata service that stumbles costs no wait: each kind of fault in turn, then it works again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from kinds import ASKING, CONN_ID, EITHER_WAY, Hook, Kind, Machine, asked, assert_hides_secrets, read

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.clouds import retries
from airflow_cloudtasks.clouds.credentials import source
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

STUMBLES = (
    *("http_502", "http_503", "http_429", "http_500", "throttle", "reset", "lost_answer"),
    *("hang", "html", "bad_json", "bad_utf8"),
)
EACH = pytest.mark.parametrize("kind", ASKING, ids=str)


@pytest.fixture(autouse=True)
def _no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(retries.Retries.__init__, "__defaults__", (5, 60.0, 0.0, 0.0))


def stumble(machine: Machine, kind: Kind) -> None:
    """Let every fault hit the first request of a fetch once."""
    for fault in STUMBLES:
        machine.emulator.fault(fault, count=1, api=kind.asks[0])


def arguments(kind: Kind) -> dict[str, Any]:
    return {
        "api": kind.api,
        "cloud_task_id": "t1",
        "api_params": {"ProjectId": "p1"} if kind.cloud == "tencent" else {},
        "poke_interval": 0.01,
    }


def wait_in_a_worker(kind: Kind) -> tuple[str, int]:
    """Return the state that ended a wait, and how often the wait asked."""
    sensor = CloudTaskSensor(task_id="wait", conn_id=CONN_ID, deferrable=False, **arguments(kind))
    pokes = 1
    while not sensor.poke({}):
        pokes += 1
        assert pokes < 50
    return "succeeded", pokes


def wait_in_the_triggerer(kind: Kind) -> tuple[str, int]:
    trigger = CloudTaskTrigger(conn_id=CONN_ID, deadline=time.time() + 60, **arguments(kind))

    async def event() -> Any:
        async for event in trigger.run():
            return event.payload
        raise AssertionError("the trigger fired no event")

    return asyncio.run(event())["task"]["state"], 0


@EACH
@pytest.mark.parametrize(
    ("wait", "tries"),
    [(wait_in_a_worker, 1), (wait_in_a_worker, 20), (wait_in_the_triggerer, 3), (wait_in_the_triggerer, 20)],
    ids=["worker-polls", "worker-retries", "triggerer-polls", "triggerer-retries"],
)
def test_a_stumbling_service_costs_no_wait(machine: Machine, kind: Kind, wait: Any, tries: int) -> None:
    kind.connect(machine, max_tries=tries, read_timeout=0.2, connect_timeout=0.5)
    stumble(machine, kind)
    state, pokes = wait(kind)
    assert state == "succeeded"
    outcomes = [entry["outcome"] for entry in machine.emulator.requests(kind.asks[0])]
    assert [outcome for outcome in outcomes if outcome != "ok"] == list(STUMBLES)
    assert kind.api in asked(machine.emulator)
    if wait is wait_in_a_worker:
        assert pokes == (1 if tries > 1 else len(STUMBLES) + 1)


@EITHER_WAY
@EACH
def test_each_stumble_is_transient_and_hides_the_secrets(machine: Machine, kind: Kind, get: Any) -> None:
    hook = kind.connect(machine, read_timeout=0.2, connect_timeout=0.5)
    for fault in STUMBLES:
        machine.emulator.fault(fault, api=kind.asks[0], count=1)
        with pytest.raises(TransientError) as caught:
            get(hook)
        assert type(caught.value) is TransientError, fault
        assert caught.value.unsent, "no request of the API has been sent"
        assert not caught.value.may_have_acted
        assert str(caught.value).startswith("Fetching credentials (")
        assert_hides_secrets(f"{caught.value} {caught.value!r}")
        # A damaged role or token is refused by the next request of the same fetch.
        machine.emulator.clear_faults()
    assert kind.api not in asked(machine.emulator)


@EACH
def test_a_429_is_retried_after_the_time_that_it_states(
    machine: Machine, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    machine.emulator.fault("http_429", api=kind.asks[0], count=2, retry_after=7)
    assert read(kind.connect(machine, max_tries=3)).state == "succeeded"
    assert slept == [7.0, 7.0]


@EACH
def test_a_long_retry_after_ends_the_fetch_and_is_kept_by_the_next_ones(machine: Machine, kind: Kind) -> None:
    machine.emulator.fault("http_429", api=kind.asks[0], count=1, retry_after=100)
    hook = kind.connect(machine, max_tries=3, max_retry_seconds=60)
    for _ in range(3):
        with pytest.raises(TransientError, match="HTTP429"):
            read(hook)
    assert asked(machine.emulator) == [kind.asks[0]]


@EACH
def test_a_call_does_not_repeat_the_retries_of_a_fetch(machine: Machine, kind: Kind) -> None:
    machine.emulator.fault("http_503", api=kind.asks[0])
    with pytest.raises(TransientError):
        read(kind.connect(machine, max_tries=3))
    assert asked(machine.emulator) == [kind.asks[0]] * 3


@EACH
def test_a_start_is_not_sent_while_the_service_stumbles(machine: Machine, kind: Kind) -> None:
    hook: Hook = kind.connect(machine)
    machine.emulator.fault("http_503", api=kind.asks[0])
    service, action = _start(kind)
    with pytest.raises(TransientError) as caught:
        hook.call(service, action, {}, repeatable=False)
    assert caught.value.unsent
    assert asked(machine.emulator) == [kind.asks[0]]


def _start(kind: Kind) -> Any:
    api = find_api({"alibaba": "ice.workflow_task", "tencent": "wedata.workflow_run"}[kind.cloud])
    return api.service, api.start().action
