"""WeData sensors wait for runs that WeData itself starts: in a worker, and until the triggerer takes over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout
from in_process import run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudTaskFailed, InvalidArguments
from airflow_cloudtasks.sensors.tencent import WeDataTaskInstanceSensor, WeDataWorkflowRunSensor

KEY = "20250714200130106_2026-01-01 00:00:00"
OF_THE_DAY = {"wedata_task_id": "20250714200130106", "data_time": "2026-01-01 00:00:00"}
IN_P1 = {"ProjectId": "p1"}
IN_THE_WORKER_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferrable"])


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def instance_sensor(**arguments: Any) -> WeDataTaskInstanceSensor:
    given = {"project_id": "p1", "poke_interval": 0.2, "timeout": 20, **OF_THE_DAY, **arguments}
    return WeDataTaskInstanceSensor(task_id="wait", **given)


def run_sensor(**arguments: Any) -> WeDataWorkflowRunSensor:
    return WeDataWorkflowRunSensor(
        task_id="wait", **{"project_id": "p1", "poke_interval": 0.2, "timeout": 20, **arguments}
    )


def later(seconds: float, what: Any) -> threading.Timer:
    timer = threading.Timer(seconds, what)
    timer.start()
    return timer


def minutes_ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


@IN_THE_WORKER_AND_DEFERRED
def test_waits_for_an_instance_that_does_not_exist_yet(cloud: Emulator, deferrable: bool) -> None:
    later(1, lambda: cloud.add_running("wedata.task_instance", KEY, 0.5, fields=IN_P1))
    result = run(instance_sensor(deferrable=deferrable))
    assert (result["id"], result["state"]) == (KEY, "succeeded")


@IN_THE_WORKER_AND_DEFERRED
def test_waits_through_a_retry_by_wedata_and_explains_a_failure(cloud: Emulator, deferrable: bool) -> None:
    log = "2026-01-01 ERROR no such table<br>2026-01-01 ERROR exit code 1"
    script = [("FAILED_RETRY", 0.5), ("RUNNING", 0.5), ("EXPIRED", None)]
    cloud.add_task("wedata.task_instance", KEY, script=script, fields=IN_P1 | {"LogInfo": log})
    with pytest.raises(CloudTaskFailed, match=r"(?s)the end of its log:.*no such table.*exit code 1") as caught:
        run(instance_sensor(deferrable=deferrable))
    assert caught.value.task.detail["failed_parts"][0]["log"] == log.split("<br>")


@IN_THE_WORKER_AND_DEFERRED
def test_on_failure_wait_waits_for_the_rerun_of_a_failed_instance(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_finished("wedata.task_instance", KEY, "failed", fields=IN_P1)
    later(1.5, lambda: cloud.add_running("wedata.task_instance", KEY, 0.5, fields=IN_P1))
    assert run(instance_sensor(deferrable=deferrable, on_failure="wait"))["state"] == "succeeded"


@IN_THE_WORKER_AND_DEFERRED
def test_timeout_names_the_last_status_of_an_instance_that_nobody_reruns(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_task("wedata.task_instance", KEY, "EXPIRED", fields=IN_P1)
    with pytest.raises(AirflowSensorTimeout) as caught:
        run(instance_sensor(deferrable=deferrable, on_failure="wait", timeout=1.5))
    assert "EXPIRED" in str(caught.value) or not deferrable


def test_converts_a_data_time_to_the_time_zone_of_wedata() -> None:
    utc = datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert instance_sensor(data_time=utc).cloud_task_id == KEY
    assert instance_sensor(data_time=datetime(2026, 1, 1)).cloud_task_id == KEY
    template = "{{ ds }} 00:00:00"
    assert instance_sensor(data_time=template).cloud_task_id == f"20250714200130106_{template}"


@IN_THE_WORKER_AND_DEFERRED
def test_waits_for_a_run_by_its_id(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_running("wedata.workflow_run", "r1", 0.5, fields=IN_P1)
    assert run(run_sensor(cloud_task_id="r1", deferrable=deferrable))["id"] == "r1"


@IN_THE_WORKER_AND_DEFERRED
def test_waits_until_a_workflow_has_a_new_run_and_for_its_end(cloud: Emulator, deferrable: bool) -> None:
    fields = IN_P1 | {"WorkflowId": "w1"}
    cloud.add_finished("wedata.workflow_run", "old", "failed", fields=fields)
    cloud.add_finished("wedata.workflow_run", "another's", "failed", fields=IN_P1 | {"WorkflowId": "w2"})
    cloud.advance(600)
    since = datetime.now(UTC) + timedelta(minutes=5)
    later(1, lambda: cloud.add_running("wedata.workflow_run", "new", 0.5, fields=fields))
    result = run(run_sensor(workflow_id="w1", since=since, deferrable=deferrable))
    assert (result["api"], result["id"], result["state"]) == ("wedata.newest_workflow_run", "new", "succeeded")


OF_W1 = IN_P1 | {"WorkflowId": "w1"}


@contextmanager
def overlapping_runs(cloud: Emulator, *ends: str) -> Iterator[None]:
    """Start a run every second, each of which takes longer than that, so that the newest one is always under way."""
    stopped = threading.Event()

    def start() -> None:
        for number, end in enumerate((*ends, *["succeeded"] * 60)):
            cloud.add_running("wedata.workflow_run", f"r{number}", 1.5, end, fields=OF_W1)
            if stopped.wait(1):
                return

    starting = threading.Thread(target=start)
    starting.start()
    try:
        yield
    finally:
        stopped.set()
        starting.join()


@IN_THE_WORKER_AND_DEFERRED
def test_ends_although_a_new_run_begins_before_the_last_has_ended(cloud: Emulator, deferrable: bool) -> None:
    with overlapping_runs(cloud):
        result = run(run_sensor(workflow_id="w1", since=minutes_ago(1), deferrable=deferrable))
    assert result["state"] == "succeeded"


@IN_THE_WORKER_AND_DEFERRED
def test_fails_by_the_newest_run_that_has_ended_unless_told_to_wait(cloud: Emulator, deferrable: bool) -> None:
    arguments = {"workflow_id": "w1", "since": minutes_ago(1), "deferrable": deferrable}
    with overlapping_runs(cloud, "failed"), pytest.raises(CloudTaskFailed, match="r0 "):
        run(run_sensor(**arguments))
    cloud.reset()
    with overlapping_runs(cloud, "failed"):
        assert run(run_sensor(**arguments, on_failure="wait"))["id"] != "r0"


@IN_THE_WORKER_AND_DEFERRED
@pytest.mark.parametrize(
    "since",
    [minutes_ago(1), minutes_ago(1).isoformat(), str(minutes_ago(1).timestamp())],
    ids=["datetime", "iso-8601", "timestamp"],
)
def test_error_names_the_failed_task_runs_of_the_newest_run(cloud: Emulator, deferrable: bool, since: Any) -> None:
    cloud.add_running("wedata.workflow_run", "r1", 0.5, "failed", fields=IN_P1 | {"WorkflowId": "w1"})
    for name, status in (("extract", "SUCCESS"), ("load", "FAILED")):
        fields = IN_P1 | {"WorkflowExecutionId": "r1", "TaskName": name, "ErrorCodeStr": f"{name} broke"}
        cloud.add_task("wedata.task_run", name, status, fields=fields)
    with pytest.raises(CloudTaskFailed, match=r"load \(load\) is FAILED: load broke") as caught:
        run(run_sensor(workflow_id="w1", since=since, deferrable=deferrable))
    assert "extract" not in str(caught.value)


@IN_THE_WORKER_AND_DEFERRED
def test_error_names_a_rendered_time_that_is_no_time(cloud: Emulator, deferrable: bool) -> None:
    with pytest.raises(InvalidArguments, match="created_since is 'yesterday'; expected a time"):
        run(run_sensor(workflow_id="w1", since="yesterday", deferrable=deferrable))
