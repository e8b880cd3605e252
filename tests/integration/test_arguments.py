"""Wrong arguments are refused when the DAG is parsed, with a text that says what is expected."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from airflow.providers.common.compat.sdk import DAG, BaseOperator

from airflow_cloudtasks.catalog import BPSTUDIO_TASK, WEDATA_TASK
from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator
from airflow_cloudtasks.sensors.alibaba import BpStudioTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.sensors.tencent import LkeTaskSensor, WeDataTaskSensor
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger

WEDATA = {"api": "wedata.task", "cloud_task_id": "1", "api_params": {"ProjectId": "2"}}


@pytest.mark.parametrize("operator", [CloudTaskSensor, GetCloudTaskOperator])
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"api": "wedata.tusk", "cloud_task_id": "1"},
            "Unknown api 'wedata.tusk'. Did you mean wedata.task, wedata.task_run, ",
        ),
        (
            {"api": "wedata.task", "cloud_task_id": "1"},
            "wedata.task needs ProjectId in api_params. It takes: ProjectId.",
        ),
        (WEDATA | {"api_params": {"ProjectId": ""}}, "wedata.task needs ProjectId"),
        (WEDATA | {"api_params": {"ProjectId": "2", "Projectld": "2"}}, "wedata.task knows no Projectld"),
        (WEDATA | {"api_params": {"ProjectId": "2", "TaskId": "1"}}, "give TaskId as cloud_task_id"),
        (WEDATA | {"cloud_task_id": ""}, "needs cloud_task_id: the task's id at the vendor, its TaskId"),
        (WEDATA | {"cloud_task_id": None}, "needs cloud_task_id"),
    ],
)
def test_refuses_arguments_that_name_no_task(operator: type[BaseOperator], arguments: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text.replace("(", r"\(")):
        operator(task_id="wait", **arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"missing": "ignore"}, "missing is 'ignore'; expected one of wait, fail"),
        ({"on_unknown": "succeed"}, "on_unknown is 'succeed'; expected one of wait, fail"),
        ({"success_statuses": "Y"}, r"success_statuses is 'Y'; expected a list of statuses"),
        ({"success_statuses": ["Y"], "failure_statuses": ["y"]}, "both hold"),
    ],
)
def test_refuses_wrong_arguments_of_the_wait(arguments: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        CloudTaskSensor(task_id="wait", **WEDATA, **arguments)


@pytest.mark.parametrize(
    ("sensor", "arguments", "text"),
    [
        (WeDataTaskSensor, {"cloud_task_id": "1"}, "project_id"),
        (WeDataTaskSensor, {"cloud_task_id": "1", "project_id": None}, "ProjectId"),
        (LkeTaskSensor, {"cloud_task_id": "1", "bot_biz_id": "2", "task_type": ""}, "TaskType"),
        (BpStudioTaskSensor, {}, "cloud_task_id"),
    ],
)
def test_typed_sensors_name_the_missing_argument(sensor, arguments: dict, text: str) -> None:
    with pytest.raises(Exception, match=text):
        sensor(task_id="wait", **arguments)


def test_accepts_templates_and_xcomargs() -> None:
    with DAG(dag_id="templates", schedule=None):
        first = GetCloudTaskOperator(task_id="first", **WEDATA | {"cloud_task_id": "{{ ds }}"})
        sensor = WeDataTaskSensor(task_id="then", cloud_task_id=first.output["id"], project_id=first.output["name"])
        CloudTaskSensor(task_id="whole", **WEDATA | {"api_params": first.output})
    assert sensor.upstream_task_ids == {"first"}


def test_accepts_a_number_as_task_id() -> None:
    CloudTaskSensor(task_id="wait", api="bpstudio.task", cloud_task_id=2615)


def test_trigger_stores_a_catalog_api_by_name_and_any_other_api_whole() -> None:
    own = replace(BPSTUDIO_TASK, name="own.task", timezone="+00:00")
    changed = replace(WEDATA_TASK, timezone="+00:00")
    for api, stored in (("wedata.task", "wedata.task"), (own, own.as_dict()), (changed, changed.as_dict())):
        path, arguments = CloudTaskTrigger(api=api, cloud_task_id="1").serialize()
        assert path == "airflow_cloudtasks.triggers.cloud_task.CloudTaskTrigger"
        assert arguments["api"] == stored
        assert CloudTaskTrigger(**arguments).serialize() == (path, arguments)


def test_importing_sensors_and_operators_loads_no_vendor_sdk_no_http_library_and_no_product() -> None:
    code = """
import sys
from airflow.providers.common.compat.sdk import BaseSensorOperator, PokeReturnValue, conf, DAG
import airflow.triggers.base
before = set(sys.modules)
import airflow_cloudtasks.sensors.cloud_task, airflow_cloudtasks.sensors.alibaba, airflow_cloudtasks.sensors.tencent
import airflow_cloudtasks.operators.cloud_task, airflow_cloudtasks.operators.alibaba
import airflow_cloudtasks.operators.tencent, airflow_cloudtasks.triggers.cloud_task
heavy = ("requests", "aiohttp", "tenacity", "alibabacloud", "Tea", "darabonba", "tencentcloud", "starlette", "uvicorn",
         "airflow_cloudtasks.catalog.")
print(sorted(name for name in set(sys.modules) - before if name.startswith(heavy)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
