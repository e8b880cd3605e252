"""One Airflow task for each wait that reaches a limit of its try."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG
from limits_cases import OPERATORS, PROJECT, SENSORS, TWO_STAGES

from airflow_cloudtasks.operators.tencent import WeDataRerunInstancesOperator, WeDataRunWorkflowOperator
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor

with DAG(
    dag_id="limits",
    schedule=None,
    max_active_tasks=100,
    default_args={"poke_interval": 2, "timeout": 600, "retries": 1, "retry_delay": timedelta(seconds=1)},
):
    for case in SENSORS:
        BdrcTaskSensor(task_id=case.name, cloud_task_id=case.name, **case.arguments)
    for case in OPERATORS:
        WeDataRunWorkflowOperator(task_id=case.name, project_id=PROJECT, workflow_id=case.name, **case.arguments)
    for case in TWO_STAGES:
        WeDataRerunInstancesOperator(
            task_id=case.name, project_id=PROJECT, instance_keys=[f"{case.name}_2026-01-02 00:00:00"], **case.arguments
        )
