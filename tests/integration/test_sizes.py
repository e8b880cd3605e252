"""Events and XComs stay small, however large the vendor's answers are, and every mode returns the same result."""

from __future__ import annotations

import json
from typing import Any

import pytest
from in_process import Run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudTaskFailed
from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator
from airflow_cloudtasks.operators.tencent import WeDataRunSqlOperator
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor, IceWorkflowTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.waiting.sizes import MOST_CHARACTERS

# What an event may have besides the tasks' details and messages: 1,000 characters a task.
FIXED = 1_000
ROW_COUNT = 40_000
RESULTS = [
    {
        "Columns": [{"ColumnName": name} for name in ("id", "name")],
        "Rows": [{"Values": [str(number), f"{number:0150}"]} for number in range(ROW_COUNT)],
    }
]
IN_THE_WORKER_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def characters(value: Any) -> int:
    return len(json.dumps(value))


def run_sql(**arguments: Any) -> WeDataRunSqlOperator:
    given = {"project_id": "p1", "sql": "SELECT * FROM t;", "datasource_id": "7", "poke_interval": 0.2, "timeout": 30}
    return WeDataRunSqlOperator(task_id="sql", **given, **arguments)


@IN_THE_WORKER_AND_DEFERRED
def test_no_event_and_no_xcom_holds_more_rows_than_max_rows(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_running("wedata.sql_run", 1, fields={"Results": RESULTS})
    airflow = Run()
    result = airflow(run_sql(deferrable=deferrable))
    assert len(airflow.events) == deferrable
    assert characters(airflow.events) < FIXED + MOST_CHARACTERS
    assert (result["rows"], result["detail"]["Results"][0]["Rows"]) == (None, [])
    assert result["detail"]["Results"][0]["Columns"] == RESULTS[0]["Columns"]
    assert all(characters(value) < FIXED + MOST_CHARACTERS for value in [result, *airflow.xcoms.values()])


@IN_THE_WORKER_AND_DEFERRED
def test_returns_all_rows_up_to_max_rows_although_no_event_holds_them(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_running("wedata.sql_run", 1, fields={"Results": RESULTS})
    airflow = Run()
    result = airflow(run_sql(deferrable=deferrable, max_rows=ROW_COUNT))
    assert characters(airflow.events) < FIXED + MOST_CHARACTERS
    assert [row["id"] for row in result["rows"]] == [*map(str, range(ROW_COUNT))]
    assert airflow.xcoms["rows"] == result["rows"]
    assert characters(result["detail"]) < MOST_CHARACTERS


@IN_THE_WORKER_AND_DEFERRED
def test_sensor_and_read_of_a_sql_run_store_no_rows_that_are_too_many(cloud: Emulator, deferrable: bool) -> None:
    cloud.add_running("wedata.sql_run", "9", 1, fields={"ProjectId": "p1", "Results": RESULTS})
    named = {"api": "wedata.sql_run", "cloud_task_id": "9", "api_params": {"ProjectId": "p1"}}
    airflow = Run()
    waited = airflow(CloudTaskSensor(task_id="wait", **named, deferrable=deferrable, poke_interval=0.2, timeout=30))
    read = airflow(GetCloudTaskOperator(task_id="read", **named))
    assert {**waited, "request_id": None} == {**read, "request_id": None}
    assert read["detail"]["Results"] == [RESULTS[0] | {"Rows": []}]
    assert all(characters(value) < FIXED + MOST_CHARACTERS for value in [airflow.events, *airflow.xcoms.values()])


def test_large_details_of_hundreds_of_tasks_are_left_out_alike_in_every_mode(cloud: Emulator) -> None:
    count = 300
    ids = [f"t{number}" for number in range(count)]
    large = {"UserData": json.dumps({"text": "x" * 30_000, "day": "monday"})}
    for task_id in ids:
        cloud.add_running("ice.workflow_task", task_id, 1, fields=large if task_id != "t7" else {})
    results = {}
    for deferrable in (True, False):
        airflow = Run()
        sensor = IceWorkflowTaskSensor(
            task_id="wait", cloud_task_id=ids, deferrable=deferrable, poke_interval=0.2, timeout=60
        )
        results[deferrable] = airflow(sensor)
        assert characters(airflow.events) < FIXED * count + MOST_CHARACTERS
    assert [task["id"] for task in results[True]] == ids
    without_request = [
        [{**task, "request_id": None, "detail": {**task["detail"], "RequestId": None}} for task in result]
        for result in results.values()
    ]
    assert without_request[0] == without_request[1]
    assert characters(results[True]) < FIXED * count + MOST_CHARACTERS


@IN_THE_WORKER_AND_DEFERRED
def test_failed_task_with_a_large_detail_says_why(cloud: Emulator, deferrable: bool) -> None:
    message = "no such disk " + "x" * MOST_CHARACTERS + " the last word"
    cloud.add_running("bdrc.task", "7", 1, "failed", fields={"ErrorMessage": message})
    airflow = Run()
    sensor = BdrcTaskSensor(task_id="w", cloud_task_id="7", deferrable=deferrable, poke_interval=0.2, timeout=30)
    with pytest.raises(CloudTaskFailed, match="no such disk") as caught:
        airflow(sensor)
    assert caught.value.task.detail["TaskId"] == "7"
    assert "the last word" in str(caught.value)
    assert characters(airflow.events) < FIXED + MOST_CHARACTERS
