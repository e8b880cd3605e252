"""The sensor for the instance of a DataWorks task for a day waits for it, before DataWorks has created it, too."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from in_process import run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudTaskFailed
from airflow_cloudtasks.sensors.dataworks import DataWorksTaskInstanceSensor

DAY = "1769788800000"
PLACES = pytest.mark.parametrize("deferrable", [False, True], ids=["poke", "deferrable"])


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def waited(deferrable: bool) -> Any:
    sensor = DataWorksTaskInstanceSensor(
        task_id="wait",
        project_id="10000",
        dataworks_task_id="7",
        biz_date=DAY,
        poke_interval=0.1,
        timeout=20,
        deferrable=deferrable,
    )
    return run(sensor)


@PLACES
def test_waits_for_the_instance_of_the_day_that_does_not_exist_yet(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_finished("dataworks.task_instance", "1", fields={"TaskId": "7", "Bizdate": "1769702400000"})
    cloud.add_finished("dataworks.task_instance", "2", fields={"TaskId": "8", "Bizdate": DAY})
    of_the_day = {"TaskId": "7", "Bizdate": DAY}
    add = threading.Timer(0.3, lambda: cloud.add_running("dataworks.task_instance", "3", 0.2, fields=of_the_day))
    add.start()
    task = waited(deferrable)
    assert (task["api"], task["id"], task["state"]) == ("dataworks.scheduled_instance", "3", "succeeded")


@PLACES
def test_fails_if_the_instance_of_the_day_fails(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_finished("dataworks.task_instance", "3", "failed", fields={"TaskId": "7", "Bizdate": DAY})
    with pytest.raises(CloudTaskFailed, match="Failure"):
        waited(deferrable)
