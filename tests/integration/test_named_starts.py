"""A start whose request names the task: a lost answer is looked up by the name, and nothing is started twice."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from in_process import Run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import BadRequest, CloudApiError, CloudTaskFailed
from airflow_cloudtasks.operators.cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.starting import finder

START = "fc.async_task_start"


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setattr(finder, "_SECONDS_BETWEEN_LOOKS", 0.0)
    emulator.reset()
    return emulator


def invoke(**parameters: Any) -> StartCloudTaskOperator:
    given = {"functionName": "resize", "body": {"day": "2026-01-31"}, **parameters}
    return StartCloudTaskOperator(task_id="start", api="fc.async_task", parameters=given, poke_interval=0.2, timeout=30)


def test_starts_a_task_of_a_new_id_with_the_payload(cloud: Emulator) -> None:
    results = []
    for _ in range(2):
        cloud.next_running("fc.async_task", 0)
        results.append(Run()(invoke()))
    assert [result["state"] for result in results] == ["succeeded", "succeeded"]
    ids = [result["id"] for result in results]
    assert len({*ids}) == 2
    # As the vendor requires: a letter, then letters and digits, up to 128 of them.
    assert all(task_id[0].isalpha() and task_id.isalnum() and len(task_id) <= 128 for task_id in ids)
    assert results[0]["detail"]["taskPayload"] == '{"day": "2026-01-31"}'


@pytest.mark.parametrize("fault", ["lost_answer", "reset", "http_500", "hang", "html"])
def test_starts_one_task_although_the_first_request_got_no_answer(cloud: Emulator, fault: str) -> None:
    cloud.next_running("fc.async_task", 0)
    cloud.fault(fault, count=1, api=START, **({"seconds": 0.05} if fault == "hang" else {}))
    result = Run()(invoke())
    assert result["state"] == "succeeded"
    assert [each["id"] for each in cloud.started("fc.async_task")] == [result["id"]]


def test_the_next_try_waits_for_the_task_that_a_failed_look_up_did_not_find(cloud: Emulator) -> None:
    cloud.next_running("fc.async_task", 0)
    cloud.fault("lost_answer", count=1, api=START)
    cloud.fault("http_500", count=5, api="fc.async_task")
    airflow = Run()
    with pytest.raises((CloudApiError, AirflowFailException)):
        airflow(invoke())
    cloud.clear_faults()
    assert airflow(invoke())["state"] == "succeeded"
    assert len(cloud.started("fc.async_task")) == 1


def test_a_task_keeps_the_id_that_the_user_gave(cloud: Emulator) -> None:
    cloud.next_running("fc.async_task", 0)
    assert Run()(invoke(**{"x-fc-async-task-id": "video_7"}))["id"] == "video_7"
    with pytest.raises(BadRequest, match="already exists"):
        Run()(invoke(**{"x-fc-async-task-id": "video_7"}))


def test_a_retry_after_a_failure_starts_another_task(cloud: Emulator) -> None:
    cloud.next_running("fc.async_task", 0, "failed")
    airflow = Run()
    with pytest.raises(CloudTaskFailed):
        airflow(invoke())
    cloud.next_running("fc.async_task", 0)
    assert airflow(invoke())["state"] == "succeeded"
    assert len(cloud.started("fc.async_task")) == 2
