"""A DAG of a local time zone, with every way to name its day in an argument that is a time."""

from __future__ import annotations

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.operators.tencent import WeDataBackfillOperator, WeDataRerunInstancesOperator
from airflow_cloudtasks.sensors.tencent import WeDataTaskInstanceSensor, WeDataWorkflowRunSensor

TASK = "20250714200130106"
INSTANCE = {"project_id": "p1", "wedata_task_id": TASK, "missing": "fail", "poke_interval": 0.2, "timeout": 20}

with DAG(
    dag_id="local_days", schedule=None, start_date=pendulum.datetime(2026, 1, 1, tz="Asia/Shanghai"), catchup=False
):
    WeDataTaskInstanceSensor(task_id="by_interval", data_time="{{ data_interval_start }}", **INSTANCE)
    WeDataTaskInstanceSensor(
        task_id="by_local_day",
        data_time="{{ data_interval_start.in_timezone('Asia/Shanghai') | ds }}",
        deferrable=True,
        **INSTANCE,
    )
    WeDataTaskInstanceSensor(task_id="by_utc_day", data_time="{{ ds }} 00:00:00", **INSTANCE)
    WeDataWorkflowRunSensor(
        task_id="since", project_id="p1", workflow_id="w1", since="{{ data_interval_start }}", poke_interval=0.2
    )
    WeDataBackfillOperator(
        task_id="backfill",
        project_id="p1",
        wedata_task_ids=[TASK],
        data_ranges=[("{{ data_interval_start }}", "{{ data_interval_start.in_timezone('Asia/Shanghai') | ds }}")],
        poke_interval=0.2,
    )
    WeDataRerunInstancesOperator(
        task_id="rerun", project_id="p1", instance_keys=[f"{TASK}_{{{{ data_interval_start }}}}"], poke_interval=0.2
    )
