"""Waits succeed, only later, against a cloud that fails three calls in ten."""

from __future__ import annotations

import asyncio
import random
import time

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

WAITS = 50
APIS: dict[str, dict[str, str]] = {
    "bdrc.task": {},
    "ice.workflow_task": {},
    "lke.task": {"TaskType": "ExportAttributeLabel", "BotBizId": "1"},
    "wedata.task": {"ProjectId": "1"},
    "bpstudio.task": {},
}


async def _event(trigger: CloudTaskTrigger) -> dict:
    _, stored = trigger.serialize()
    async for event in CloudTaskTrigger(**stored).run():
        return event.payload
    raise AssertionError("the trigger fired no event")


async def _events(triggers: list[CloudTaskTrigger]) -> list[dict]:
    return await asyncio.gather(*map(_event, triggers))


def test_fifty_waits_succeed_while_three_calls_in_ten_fail(emulator: Emulator) -> None:
    emulator.reset()
    triggers = []
    for number in range(WAITS):
        api = list(APIS)[number % len(APIS)]
        emulator.add_running(api, f"10{number}", random.uniform(0.5, 3))
        triggers.append(
            CloudTaskTrigger(
                api=api,
                cloud_task_id=f"10{number}",
                api_params=APIS[api],
                poke_interval=0.3,
                deadline=time.time() + 120,
            )
        )
    emulator.fault(["throttle", "http_500", "reset", "bad_json"], rate=0.3)
    try:
        payloads = asyncio.run(_events(triggers))
    finally:
        emulator.clear_faults()

    assert [payload.get("task", payload)["id"] for payload in payloads] == [f"10{n}" for n in range(WAITS)]
    assert {payload["task"]["state"] for payload in payloads} == {"succeeded"}
    outcomes = [request["outcome"] for request in emulator.requests()]
    failed = sum(outcome != "ok" for outcome in outcomes) / len(outcomes)
    assert failed > 0.15, "the faults did come, or this test would show nothing"


def test_wait_survives_an_outage_longer_than_the_retries_of_one_call(emulator: Emulator, monkeypatch) -> None:
    emulator.reset()
    monkeypatch.setenv(
        "AIRFLOW_CONN_ALIBABA_DEFAULT",
        emulator.connections()["AIRFLOW_CONN_ALIBABA_DEFAULT"].replace('"extra": {', '"extra": {"max_tries": 1, '),
    )
    emulator.add_finished("bdrc.task", "outage")
    emulator.fault(["http_500", "reset"], count=6)
    trigger = CloudTaskTrigger(api="bdrc.task", cloud_task_id="outage", poke_interval=0.05, deadline=time.time() + 60)

    assert asyncio.run(_event(trigger))["task"]["state"] == "succeeded"
    assert [request["outcome"] for request in emulator.requests()].count("ok") == 1
