"""The queue of an Alibaba connection: tasks name it when they start, and it is read while they are waited for."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Any

import pytest
from in_process import Run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.hooks.alibaba import AlibabaCloudHook
from airflow_cloudtasks.operators.alibaba import IceStartWorkflowOperator
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

API, QUEUE = "ice.workflow_task", "ice-callback-airflow"
# Polls alone would notice no end within the timeout of a wait.
NEVER, TIMEOUT = 3600.0, 60.0


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    emulator.reset()
    emulator.queue(QUEUE)
    connect(emulator, monkeypatch, QUEUE)
    return emulator


def connect(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, queue: str) -> None:
    variable = "AIRFLOW_CONN_ALIBABA_DEFAULT"
    stated = json.loads(emulator.connections()[variable])
    monkeypatch.setenv(variable, json.dumps(stated | {"extra": stated["extra"] | {"notify_queue": queue}}))


def trigger(task_id: str) -> CloudTaskTrigger:
    return CloudTaskTrigger(api=API, cloud_task_id=task_id, poke_interval=NEVER, deadline=time.time() + TIMEOUT)


def wait(*triggers: CloudTaskTrigger) -> list[Any]:
    async def fired(waiting: CloudTaskTrigger) -> Any:
        async for event in waiting.run():
            return event.payload
        raise AssertionError("the trigger fired no event")

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*map(fired, triggers))

    return asyncio.run(all_of_them())


def user_data(cloud: Emulator) -> Any:
    (started,) = cloud.started(API)
    return json.loads(started["parameters"]["UserData"])


@pytest.mark.parametrize("lost", [False, True])
def test_a_start_names_the_queue_and_the_wait_ends_by_its_message(cloud: Emulator, lost: bool) -> None:
    cloud.next_running(API, 0.5)
    if lost:
        cloud.fault("lost_answer", count=1, api=f"{API}_start")
    operator = IceStartWorkflowOperator(
        task_id="start",
        workflow_id="w",
        user_data={"order": 7},
        deferrable=True,
        poke_interval=NEVER,
        timeout=TIMEOUT,
    )
    assert Run()(operator)["state"] == "succeeded"
    assert {"order": 7, "NotifyAddress": QUEUE}.items() <= user_data(cloud).items()
    assert "airflow_start" in user_data(cloud)


def test_the_test_button_says_whether_the_queue_can_be_read(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.send_message(QUEUE, "stays")
    works, text = AlibabaCloudHook().test_connection()
    assert works
    assert text.endswith(f"Its queue {QUEUE} can be read.")
    cloud.advance(1)
    assert [(queue["visible"], queue["deleted"]) for queue in cloud.queues()] == [(1, 0)]
    connect(cloud, monkeypatch, "ice-callback-missing")
    works, text = AlibabaCloudHook().test_connection()
    assert not works
    assert "Connected to account" in text
    assert "Its queue ice-callback-missing cannot be read: SMQ BatchReceiveMessage failed: QueueNotExist" in text


def test_the_queue_of_a_url_is_read_where_the_url_says(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(cloud, monkeypatch, f"{cloud.url}/queues/{QUEUE}")
    cloud.event_callback(QUEUE)
    cloud.add_running(API, "t1", 0.5)
    assert [payload["task"]["state"] for payload in wait(trigger("t1"))] == ["succeeded"]


@pytest.mark.parametrize("settings", [{"base64": True}, {"flat": True}, {"doubled": 1.0}, {"delay": 0.3}])
def test_reads_messages_in_any_form(cloud: Emulator, settings: dict[str, Any]) -> None:
    cloud.queue(QUEUE, **settings)
    cloud.event_callback(QUEUE)
    for number in range(20):
        cloud.add_running(API, f"t{number}", 0.5, "succeeded" if number % 2 else "failed")
    states = [payload["task"]["state"] for payload in wait(*(trigger(f"t{number}") for number in range(20)))]
    assert states == ["failed", "succeeded"] * 10


def test_a_message_never_ends_a_wait_by_itself(cloud: Emulator) -> None:
    cloud.add_running(API, "t1", 2)
    event = {"EventType": "WorkflowTaskComplete", "MessageBody": {"TaskId": "t1", "Status": "Failed"}}
    cloud.send_message(QUEUE, base64.b64encode(json.dumps(event).encode()).decode())
    cloud.event_callback(QUEUE)
    assert [payload["task"]["state"] for payload in wait(trigger("t1"))] == ["succeeded"]


@pytest.mark.parametrize("fault", ["http_500", "throttle", "reset", "html"])
def test_goes_on_after_faults_of_the_queue(cloud: Emulator, fault: str) -> None:
    cloud.event_callback(QUEUE)
    cloud.fault(fault, count=1, api="smq.receive")
    cloud.add_running(API, "t1", 0.5)
    assert [payload["task"]["state"] for payload in wait(trigger("t1"))] == ["succeeded"]
    assert len(cloud.requests("smq.receive")) <= 5


def test_a_key_without_the_permission_only_costs_the_queue(cloud: Emulator) -> None:
    cloud.add_key("emulator-id", "emulator-secret", cloud="alibaba", actions=["ice:*"])
    cloud.add_running(API, "t1", 2)
    waiting = CloudTaskTrigger(api=API, cloud_task_id="t1", poke_interval=1.0, deadline=time.time() + TIMEOUT)
    assert [payload["task"]["state"] for payload in wait(waiting)] == ["succeeded"]
    # The long poll of an earlier test may end only now.
    outcomes = {each["outcome"] for each in cloud.requests("smq.receive")}
    assert "AccessDenied" in outcomes <= {"AccessDenied", "MessageNotExist"}
