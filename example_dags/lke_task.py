"""Wait for a Tencent Cloud LKE export in reschedule mode: each poll occupies a worker for a moment."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_cloudtasks.sensors.tencent import LkeTaskSensor

with DAG(
    dag_id="lke_task",
    schedule=None,
    params={
        "bot_biz_id": Param("1767024172536168448", type="string", description="The LKE BotBizId"),
        "task_id": Param("8", type="string", description="The LKE TaskId"),
    },
    tags=["cloudtasks"],
):
    LkeTaskSensor(
        task_id="wait_for_export",
        task_type="ExportAttributeLabel",
        bot_biz_id="{{ params.bot_biz_id }}",
        cloud_task_id="{{ params.task_id }}",
        mode="reschedule",
        poke_interval=10,
        timeout=3600,
        soft_fail=True,
    )
