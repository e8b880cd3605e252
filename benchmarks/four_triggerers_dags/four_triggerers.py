"""The DAG of four_triggerers.py: one wait for each triggerer, on a list of tasks that never end."""

from __future__ import annotations

import os

from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.sensors.tencent import LkeTaskSensor

TRIGGERERS = int(os.environ.get("FOUR_TRIGGERERS", "4"))
TASKS = int(os.environ.get("FOUR_TRIGGERERS_TASKS", "100"))

with DAG("four_triggerers", schedule=None):
    for triggerer in range(TRIGGERERS):
        LkeTaskSensor(
            task_id=f"wait_{triggerer}",
            cloud_task_id=[f"{triggerer}-{number}" for number in range(TASKS)],
            task_type="ExportAttributeLabel",
            bot_biz_id="1",
            poke_interval=1,
            timeout=3600,
            retries=0,
            deferrable=True,
        )
