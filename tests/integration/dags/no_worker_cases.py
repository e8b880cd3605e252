"""Waits that begin or end in the triggerer, as data: the arguments of the sensor, and how its task ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor, BpStudioTaskSensor, IceWorkflowTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.sensors.tencent import LkeTaskSensor, WeDataTaskSensor
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

CAN_START = AIRFLOW_VERSION >= (3, 3)
DAY = "2026-01-02"
BOTH = {"start_from_trigger": True, "end_from_trigger": True}
START = {"start_from_trigger": True}
END = {"end_from_trigger": True}
# Parts of each result that a downstream task takes; the second one is always None.
PARTS = ("id", "console_url", "detail")
# Stands for the output of the task that hands over an id.
XCOM_ARG = "XCOM_ARG"
# What the emulator's tasks are until the test ends them, and after.
STATUSES = {
    "bpstudio.task": ("BINDING", "FINISH"),
    "bdrc.task": ("RUNNING", "COMPLETE"),
    "ice.workflow_task": ("Processing", "Succeed"),
    "wedata.task": ("N", "Y"),
    "lke.task": ("RUNNING", "SUCCESS"),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A wait.

    Args:
        name: The Airflow task's.
        tasks: The ids of the emulator's tasks; the name, if there are none.
        api: Of these tasks.
        status: The status in which they end; by default, a success of the API.
        fields: What they show besides.
        sensor: The sensor's class.
        wait: Its arguments.
        ends: The state of the Airflow task.
        workers: How many worker processes it needs.
        tries: How often it is tried.
        log: What its log says.
    """

    name: str
    tasks: tuple[str, ...] = ()
    api: str = "bdrc.task"
    status: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    sensor: type[CloudTaskSensor] = BdrcTaskSensor
    wait: dict[str, Any]
    ends: str = "success"
    workers: int = 0
    tries: int = 1
    log: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        return self.tasks or (self.name,)

    @property
    def is_single(self) -> bool:
        """Whether the result is one task, not a list."""
        return not isinstance(self.wait.get("cloud_task_id"), list | tuple)


# For every Airflow: a worker begins these.
END_CASES = [
    Case(name="end", wait=END, workers=1),
    Case(name="end_many", tasks=("end-1", "end-2"), wait=END | {"cloud_task_id": ["end-1", "end-2"]}, workers=1),
    Case(
        name="end_failed",
        status="FAILED",
        wait=END | {"retries": 1},
        ends="failed",
        # The second try sees at once that it has failed. Before Airflow 3.3 it takes a worker to fail the first, for a
        # task that a trigger fails is not retried.
        workers=2 if CAN_START else 3,
        tries=2,
        log="ended as failed, the vendor's status is 'FAILED'",
    ),
    Case(name="end_soft", status="FAILED", wait=END | {"soft_fail": True}, ends="skipped", workers=1),
    Case(
        name="end_late",
        status="RUNNING",
        wait=END | {"timeout": 30, "retries": 1},
        ends="failed",
        workers=2,
        log="Sensor has timed out",
    ),
    Case(name="end_quiet", wait=END | {"do_xcom_push": False}, workers=1),
]

START_CASES = [
    Case(
        name="since",
        api="ice.workflow_task",
        sensor=IceWorkflowTaskSensor,
        wait=BOTH | {"created_since": "{{ logical_date }}"},
    ),
    Case(
        name="templates",
        tasks=(f"{DAY}-conf-number",),
        api="wedata.task",
        fields={"ProjectId": "24-params"},
        sensor=WeDataTaskSensor,
        wait=BOTH
        | {
            "cloud_task_id": "{{ ds }}-{{ dag_run.conf['name'] }}-{{ var.value.no_worker_name }}",
            "project_id": "24-{{ params.project }}",
            "conn_id": "{{ params.conn_id }}",
            "region": "{{ params.region | lower }}",
        },
    ),
    Case(
        name="more_templates",
        tasks=(f"{DAY.replace('-', '')}-more_templates",),
        api="lke.task",
        fields={"TaskType": "ExportAttributeLabel", "BotBizId": "1"},
        sensor=CloudTaskSensor,
        wait=BOTH
        | {
            "api": "lke.task",
            "cloud_task_id": "{{ logical_date | ds_nodash }}-{{ ti.task_id }}",
            "api_params": {"TaskType": "{{ params.task_type }}", "BotBizId": "{{ ti.try_number }}"},
            "success_statuses": ["{{ 'success' | upper }}"],
        },
    ),
    Case(
        name="lke",
        api="lke.task",
        fields={"TaskType": "ExportAttributeLabel", "BotBizId": "7"},
        sensor=LkeTaskSensor,
        wait=BOTH | {"task_type": "{{ params.task_type }}", "bot_biz_id": "7"},
    ),
    Case(
        name="bpstudio",
        tasks=("2615",),
        api="bpstudio.task",
        sensor=BpStudioTaskSensor,
        wait=BOTH | {"cloud_task_id": 2615, "error_message_fails": False},
    ),
    Case(
        name="xcom_of_one_index",
        tasks=("handed-over-1",),
        wait=BOTH | {"cloud_task_id": "{{ ti.xcom_pull(task_ids='hand_over', map_indexes=-1)['first'] }}"},
    ),
    Case(
        name="many",
        tasks=("many-1", "many-2", f"many-{DAY}"),
        wait=BOTH | {"cloud_task_id": ["many-1", "many-2", "many-{{ ds }}"]},
    ),
    Case(
        name="any",
        api="ice.workflow_task",
        tasks=("any-1",),
        sensor=IceWorkflowTaskSensor,
        wait=BOTH | {"cloud_task_id": ("any-1", "any-1"), "wait_for": "any"},
    ),
    Case(
        name="failed",
        status="FAILED",
        wait=BOTH | {"retries": 1},
        ends="failed",
        tries=2,
        log="ended as failed, the vendor's status is 'FAILED'",
    ),
    Case(name="soft", status="FAILED", wait=BOTH | {"soft_fail": True}, ends="skipped"),
    # A timeout is not retried. Only a worker can make Airflow skip the retries.
    Case(
        name="late",
        status="RUNNING",
        wait=BOTH | {"timeout": 30, "retries": 1},
        ends="failed",
        workers=1,
        log="Sensor has timed out",
    ),
    Case(name="soft_late", status="RUNNING", wait=BOTH | {"timeout": 30, "soft_fail": True}, ends="skipped"),
    Case(name="quiet", wait=BOTH | {"do_xcom_push": False}),
    # Airflow's own limit is no reason to time out early, nor is it the sensor's timeout.
    Case(name="limited", wait=BOTH | {"execution_timeout": 600, "timeout": 3600}),
    Case(name="start", wait=START, workers=1),
    Case(
        name="start_failed",
        status="FAILED",
        wait=START | {"retries": 1},
        ends="failed",
        workers=2,
        tries=2,
        log="ended as failed, the vendor's status is 'FAILED'",
    ),
    # What the triggerer could not render. A worker begins them.
    Case(
        name="xcom_of_any_index",
        tasks=("handed-over-1",),
        wait=BOTH | {"cloud_task_id": "{{ ti.xcom_pull(task_ids='hand_over')['first'] }}"},
        workers=1,
    ),
    Case(name="xcom_arg", tasks=("handed-over-1",), wait=BOTH | {"cloud_task_id": XCOM_ARG}, workers=1),
    Case(name="own_macro", wait=BOTH | {"cloud_task_id": "{{ own_name() }}"}, tasks=("own",), workers=1),
    # Undefined: no garbage is asked for.
    Case(
        name="undefined",
        wait=BOTH | {"cloud_task_id": "{{ dag_run.conf['nothing'] }}"},
        ends="failed",
        workers=1,
        log="has no attribute 'nothing'",
    ),
]
CASES = [*START_CASES, *END_CASES] if CAN_START else END_CASES
MAPPED = ("mapped-1", "mapped-2")
