"""Wait until a Tencent Cloud WeData task is published, even if it does not exist yet."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_cloudtasks.sensors.tencent import WeDataTaskSensor

with DAG(
    dag_id="wedata_task",
    schedule=None,
    params={
        "project_id": Param("2417334454903762944", type="string", description="The WeData ProjectId"),
        "task_id": Param("20250908225847483", type="string", description="The WeData TaskId"),
    },
    tags=["cloudtasks"],
):
    WeDataTaskSensor(
        task_id="wait_until_published",
        project_id="{{ params.project_id }}",
        cloud_task_id="{{ params.task_id }}",
        missing="wait",
        deferrable=True,
        poke_interval=10,
        timeout=3600,
    )
