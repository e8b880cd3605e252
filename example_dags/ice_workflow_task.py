"""Wait for several Alibaba Cloud ICE workflow tasks with one mapped sensor for each."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_cloudtasks.sensors.alibaba import IceWorkflowTaskSensor

with DAG(
    dag_id="ice_workflow_task",
    schedule=None,
    params={"task_ids": Param(["4215e042b3966ca5441e"], type="array", description="TaskIds of workflow tasks")},
    tags=["cloudtasks"],
):

    @task
    def submitted(params: dict) -> list[str]:
        """Return the ids; a real DAG would return those that it got from StartWorkflow."""
        return params["task_ids"]

    IceWorkflowTaskSensor.partial(task_id="wait_for_workflow", deferrable=True, poke_interval=10, timeout=3600).expand(
        cloud_task_id=submitted()
    )
