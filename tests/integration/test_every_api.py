"""Every API of the catalog, end to end against the emulator: waits in the triggerer and in a worker, and cancellation.

A new API needs no line here.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from threading import Event, Thread
from typing import Any

import pytest
from api_examples import facts
from in_process import run
from task_owners import owner_of

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds import retries
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudTaskFailed
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.operators.cloud_task import CancelCloudTaskOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

TASK_ID = "7"
MAY_BE_SUCCESSES = facts("success_statuses.json")
EVERY_API = pytest.mark.parametrize("name", APIS)
PLACES = pytest.mark.parametrize("place", ["triggerer", "worker"])


def wait(name: str, place: str) -> Any:
    sensor = CloudTaskSensor(
        task_id="wait",
        api=name,
        cloud_task_id=TASK_ID,
        api_params=dict.fromkeys(APIS[name].task_params, "1"),
        success_statuses=MAY_BE_SUCCESSES.get(name, ()),
        deferrable=place == "triggerer",
        poke_interval=0.03,
    )
    return run(sensor)


@PLACES
@EVERY_API
def test_a_wait_outlasts_a_throttle_and_an_http_500_and_succeeds(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, name: str, place: str
) -> None:
    monkeypatch.setattr(retries.tenacity, "wait_random_exponential", lambda **_: lambda _: 0.0)
    emulator.reset()
    owner, fields = owner_of(APIS[name], TASK_ID)
    emulator.add_running(owner, TASK_ID, 0.1, fields=fields)
    emulator.fault(["throttle"], count=1)
    emulator.fault(["http_500"], count=1)
    task = wait(name, place)
    assert (task["api"], task["id"], task["ok"]) == (name, TASK_ID, True)
    outcomes = [each["outcome"] for each in emulator.requests()]
    assert {"throttle", "http_500", "ok"} == set(outcomes)


@PLACES
@EVERY_API
def test_a_wait_for_a_task_that_fails_raises(emulator: Emulator, name: str, place: str) -> None:
    emulator.reset()
    owner, fields = owner_of(APIS[name], TASK_ID)
    end = next((end for end in ("failed", "canceled") if end in emulator.registry.shape(owner).endings), None)
    if end is None:
        # The vendor has no word for a failure; a text beside the status tells it.
        [failure] = APIS[name].failures
        fields, end = {failure.path: "disk gone"}, "succeeded"
    emulator.add_running(owner, TASK_ID, 0.1, end, fields=fields)
    with pytest.raises(CloudTaskFailed, match="ended as "):
        wait(name, place)


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.read_many])
def test_waits_in_the_triggerer_share_the_requests_that_read_several_tasks(emulator: Emulator, name: str) -> None:
    emulator.reset()
    # No other number of a request is like these.
    api, ids = APIS[name], [str(70_000 + number) for number in range(5)]
    assert api.read_many is not None
    succeeds = TaskState.SUCCEEDED in api.states.values()
    for task_id in ids:
        emulator.add_running(name, task_id)
    sensor = CloudTaskSensor(
        task_id="wait",
        api=name,
        cloud_task_id=ids,
        api_params=dict.fromkeys((*api.task_params, *api.read_many.needs), "1"),
        deferrable=True,
        poke_interval=0.03,
    )
    is_over = Event()
    finishing = Thread(target=finish_once_read_together, args=(emulator, name, ids, is_over))
    finishing.start()
    try:
        with nullcontext() if succeeds else pytest.raises(CloudTaskFailed):
            run(sensor)
    finally:
        is_over.set()
        finishing.join()
    assert are_read_together(emulator, ids)


def finish_once_read_together(emulator: Emulator, name: str, ids: list[str], is_over: Event) -> None:
    """End the tasks when one request has read several; otherwise after 20 seconds, so that the wait ends."""
    for _ in range(1_000):
        if are_read_together(emulator, ids) or is_over.wait(0.02):
            break
    for task_id in ids:
        emulator.finish(task_id, api=name)


def are_read_together(emulator: Emulator, ids: list[str]) -> bool:
    """Return whether a request was answered that has several of the ids."""
    sent = [str(each["parameters"]) for each in emulator.requests() if each["outcome"] == "ok"]
    return any(len(set(re.findall(r"\b7000\d\b", each)) & set(ids)) > 1 for each in sent)


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.cancel])
def test_a_running_task_is_canceled(emulator: Emulator, name: str) -> None:
    emulator.reset()
    api = APIS[name]
    owner, fields = owner_of(api, TASK_ID)
    emulator.add_running(owner, TASK_ID, fields=fields)
    known = dict.fromkeys((*api.task_params, *(api.cancel.needs if api.cancel else ())), "1")
    CancelCloudTaskOperator(task_id="cancel", api=name, cloud_task_id=TASK_ID, api_params=known).execute({})
    assert [(each["id"], each["ended"]) for each in emulator.canceled(owner)] == [(TASK_ID, True)]
