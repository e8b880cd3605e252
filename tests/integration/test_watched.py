"""Watchers of every API that can be watched, against the emulator, in an event loop without Airflow's own processes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from task_owners import owner_of

from airflow_cloudtasks.assets import CloudTaskEndedTrigger, _follower
from airflow_cloudtasks.assets._watched import is_watchable, listing_of
from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

pytestmark = pytest.mark.skipif(IS_AIRFLOW_2, reason="Airflow 2 has no event triggers")

WATCHABLE = sorted(name for name, api in APIS.items() if is_watchable(api))
QUEUE = "ice-callback-airflow"
SECONDS = 20.0


@pytest.fixture(autouse=True)
def no_spacing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send events at once: no scheduler would find several together."""
    monkeypatch.setattr(_follower, "SPACING_SECONDS", 0.0)


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def params_of(name: str) -> dict[str, str]:
    api = APIS[name]
    return dict.fromkeys((*api.task_params, *listing_of(api).action.params), "1")


async def first_event(trigger: CloudTaskEndedTrigger) -> Any:
    async with asyncio.timeout(SECONDS):
        async for event in trigger.run():
            return event.payload
    raise AssertionError("the trigger ended")


def watch(*triggers: CloudTaskEndedTrigger) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(first_event, triggers))

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("name", WATCHABLE)
def test_the_payload_is_what_a_single_read_returns(cloud: Emulator, name: str) -> None:
    owner, fields = owner_of(APIS[name], "7")
    cloud.add_finished(owner, "7", fields=fields)
    (payload,) = watch(CloudTaskEndedTrigger(name, api_params=params_of(name), since="2020-01-01"))
    task_params = dict.fromkeys(APIS[name].task_params, "1")
    single = hook_for(APIS[name]).read_task(APIS[name], "7", task_params).as_dict()
    assert essence(payload) == essence(single)
    assert payload == json.loads(json.dumps(payload))


def essence(task: dict[str, Any]) -> dict[str, Any]:
    names = ("api", "cloud", "id", "name", "state", "status", "done", "ok", "message")
    return {name: task[name] for name in names}


def test_one_reader_serves_watchers_with_different_states(cloud: Emulator) -> None:
    fields = {"ProjectId": "1"}
    for end in ("succeeded", "failed"):
        cloud.add_finished("wedata.workflow_run", end, end, fields=fields)

    def trigger(states: Sequence[str]) -> CloudTaskEndedTrigger:
        return CloudTaskEndedTrigger(
            "wedata.workflow_run", api_params={"ProjectId": "1"}, states=states, since="2020-01-01"
        )

    succeeded, failed = watch(trigger(["succeeded"]), trigger(["failed"]))
    assert (succeeded["id"], failed["id"]) == ("succeeded", "failed")


def test_a_message_of_the_queue_tells_of_an_end_before_the_list_is_read_again(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.queue(QUEUE)
    variable = "AIRFLOW_CONN_ALIBABA_DEFAULT"
    stated = json.loads(cloud.connections()[variable])
    monkeypatch.setenv(variable, json.dumps(stated | {"extra": stated["extra"] | {"notify_queue": QUEUE}}))
    cloud.add_running("ice.workflow_task", "w", 3.0, fields={"UserData": json.dumps({"NotifyAddress": QUEUE})})
    (payload,) = watch(CloudTaskEndedTrigger("ice.workflow_task"))
    assert (payload["id"], payload["state"]) == ("w", "succeeded")
    lists = [each for each in cloud.requests() if each["action"] == "ListWorkflowTasks"]
    assert len(lists) == 1
