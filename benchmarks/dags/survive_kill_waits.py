"""The DAG of survive_kill.py: equal deferrable sensors, whose number the environment sets."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

WAITS = int(os.environ.get("SURVIVE_KILL_WAITS", "300"))

with DAG("survive_kill_waits", schedule=None, max_active_tasks=WAITS):
    # Use one mapped task: every worker parses this file, and parses one operator instead of hundreds.
    CloudTaskSensor.partial(
        task_id="wait",
        api="lke.task",
        api_params={"TaskType": "ExportAttributeLabel", "BotBizId": "1"},
        deferrable=True,
        poke_interval=5,
        timeout=3600,
        retries=0,
    ).expand(cloud_task_id=[str(number) for number in range(WAITS)])
