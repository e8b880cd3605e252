"""One sensor that waits on many tasks, in a worker and up to where it hands over to the triggerer."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowSensorTimeout, AirflowSkipException, TaskDeferred
from in_process import run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudTaskFailed, InvalidArguments
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

PARAMS = {"TaskType": "ExportAttributeLabel", "BotBizId": 1767024172536168448}
IN_THE_WORKER_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferrable"])


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    emulator.add_running("lke.task", "good", 1)
    emulator.add_running("lke.task", "bad", 1, "failed")
    emulator.add_running("lke.task", "lasting")
    return emulator


def sensor(cloud_task_id: Any, **arguments: Any) -> CloudTaskSensor:
    given = {"api": "lke.task", "api_params": PARAMS, "poke_interval": 0.3, "timeout": 20, **arguments}
    return CloudTaskSensor(task_id="wait", cloud_task_id=cloud_task_id, **given)


@IN_THE_WORKER_AND_DEFERRED
def test_returns_all_tasks_in_the_given_order(cloud: Emulator, deferrable: bool) -> None:
    for number in range(5):
        cloud.add_running("lke.task", str(number), 1.5 - number / 5)
    result = run(sensor([3, 1, "4", 1], deferrable=deferrable))
    assert [task["id"] for task in result] == ["3", "1", "4", "1"]


@IN_THE_WORKER_AND_DEFERRED
def test_wait_for_any_returns_the_others_as_last_seen(cloud: Emulator, deferrable: bool) -> None:
    result = run(sensor(["lasting", "bad", "good"], wait_for="any", deferrable=deferrable, poke_interval=0.6))
    assert (result[0]["state"], result[2]["state"]) == ("running", "succeeded")


@IN_THE_WORKER_AND_DEFERRED
def test_error_names_every_failed_task(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_finished("lke.task", "worse", "failed", fields={"Message": "no such label"})
    with pytest.raises(CloudTaskFailed) as caught:
        run(sensor(["bad", "good", "worse"], deferrable=deferrable))
    assert [task.id for task in caught.value.tasks] == ["bad", "worse"]
    assert "no such label" in str(caught.value)


@IN_THE_WORKER_AND_DEFERRED
def test_fail_fast_ends_the_wait_at_the_first_failure(cloud: Emulator, deferrable: bool) -> None:
    with pytest.raises(CloudTaskFailed, match="bad"):
        run(sensor(["lasting", "bad"], fail_fast=True, deferrable=deferrable))
    with pytest.raises(AirflowSkipException):
        run(sensor(["lasting", "bad"], fail_fast=True, deferrable=deferrable, soft_fail=True))


@IN_THE_WORKER_AND_DEFERRED
def test_timeout_names_the_unfinished_tasks(cloud: Emulator, deferrable: bool) -> None:
    with pytest.raises(AirflowSensorTimeout) as caught:
        run(sensor(["good", "lasting"], timeout=2.5, deferrable=deferrable))
    assert "lasting is running" in str(caught.value) or not deferrable


def test_list_is_one_trigger_and_finished_tasks_never_defer(cloud: Emulator) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(["lasting", "good", "bad"], deferrable=True).execute({})
    assert deferred.value.trigger.cloud_task_id == ["lasting", "good", "bad"]
    assert cloud.totals()["lke.task"]["total"] == 1, "the triggerer reads the others"
    cloud.advance(2)
    assert [task["id"] for task in sensor(["good", "good"], deferrable=True).execute({})] == ["good", "good"]


@IN_THE_WORKER_AND_DEFERRED
@pytest.mark.parametrize(
    ("name", "turned_out"),
    [
        ("cloud_task_id", None),
        ("cloud_task_id", []),
        ("cloud_task_id", {"TaskId": "1"}),
        ("api_params", {"BotBizId": "1"}),
        ("success_statuses", "RUNNING"),
    ],
)
def test_rendered_arguments_that_are_wrong_fail_alike_in_every_mode(
    cloud: Emulator, deferrable: bool, name: str, turned_out: Any
) -> None:
    for flags, error in (({}, InvalidArguments), ({"silent_fail": True}, InvalidArguments)):
        waiting = sensor("good", deferrable=deferrable, timeout=2, **flags)
        setattr(waiting, name, turned_out)
        with pytest.raises(error):
            run(waiting)
    waiting = sensor("good", deferrable=deferrable, never_fail=True)
    setattr(waiting, name, turned_out)
    with pytest.raises(AirflowSkipException):
        run(waiting)


def test_sensor_that_runs_again_reads_the_task_again(cloud: Emulator) -> None:
    cloud.add_task("lke.task", "rerun", script=[("FAILED", 1), ("SUCCESS", None)])
    waiting = sensor("rerun")
    with pytest.raises(CloudTaskFailed):
        waiting.execute({})
    cloud.advance(2)
    assert waiting.execute({})["state"] == "succeeded"
    assert copy.copy(waiting).cloud_task_id == "rerun"
