"""Wait for an Alibaba Cloud BDRC task, and use its result in the next task."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor

with DAG(
    dag_id="bdrc_task",
    schedule=None,
    params={"task_id": Param("t-0004d9ctt1ii", type="string", description="The BDRC task's TaskId")},
    tags=["cloudtasks"],
):
    updated = BdrcTaskSensor(
        task_id="wait_for_update",
        cloud_task_id="{{ params.task_id }}",
        region="cn-shanghai",
        deferrable=True,
        poke_interval=10,
        timeout=3600,
    )

    @task
    def checked_resources(finished: dict) -> list[str]:
        """Return a part of TaskDetail: the vendor sends JSON within a string, and the sensor decodes it."""
        return finished["detail"]["TaskDetail"]["resourceTypes"]

    checked_resources(updated.output)
