"""The sensor for the instance of a DataWorks task for a day waits for it, before DataWorks has created it, too."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
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


def waited(deferrable: bool, biz_date: Any = DAY) -> Any:
    sensor = DataWorksTaskInstanceSensor(
        task_id="wait",
        project_id="10000",
        dataworks_task_id="7",
        biz_date=biz_date,
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


@PLACES
@pytest.mark.parametrize("biz_date", ["2026-01-31", datetime(2026, 1, 30, 20, tzinfo=UTC)], ids=str)
def test_takes_a_date_or_a_time_for_the_day(cloud: Emulator, deferrable: bool, biz_date: Any) -> None:
    cloud.add_finished("dataworks.task_instance", "3", fields={"TaskId": "7", "Bizdate": DAY})
    assert waited(deferrable, biz_date)["id"] == "3"


def test_refuses_what_is_no_day_when_the_dag_is_parsed() -> None:
    with pytest.raises(ValueError, match="biz_date is 'monday'; expected a day"):
        DataWorksTaskInstanceSensor(task_id="wait", project_id="1", dataworks_task_id="7", biz_date="monday")
