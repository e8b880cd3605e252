"""Wait for an Alibaba Cloud BPStudio task in the triggerer."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_cloudtasks.sensors.alibaba import BpStudioTaskSensor

with DAG(
    dag_id="bpstudio_task",
    schedule=None,
    params={"task_id": Param("2615", type="string", description="The BPStudio task's TaskId")},
    tags=["cloudtasks"],
):
    # BPStudio has no status for failure, so a finished task with an ErrorMessage counts as failed. Set
    # error_message_fails=False for a task whose message is only a warning.
    BpStudioTaskSensor(
        task_id="wait_for_task",
        cloud_task_id="{{ params.task_id }}",
        deferrable=True,
        poke_interval=10,
        timeout=3600,
    )
