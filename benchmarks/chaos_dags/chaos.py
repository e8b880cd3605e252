"""The DAGs of chaos.py: the Airflow tasks that the file named in the environment lists."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from airflow.sdk import get_parsing_context

from airflow_cloudtasks.operators.cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

PLAN: dict[str, Any] = json.loads(Path(os.environ["CHAOS_PLAN"]).read_text())

# A killed worker costs a try, so allow more of them than one task can lose.
RETRIES = {"retries": 20, "retry_delay": timedelta(seconds=3)}
WAITING = {"poke_interval": 5, "timeout": 7200}
SENSOR_MODES: dict[str, dict[str, Any]] = {
    "no_worker": {"start_from_trigger": True, "end_from_trigger": True},
    "start_from_trigger": {"start_from_trigger": True},
    "deferrable": {"deferrable": True},
    "poke": {"mode": "poke", "deferrable": False},
    # Every look needs another process of a worker.
    "reschedule": {"mode": "reschedule", "deferrable": False, "poke_interval": 180},
}


def add(case: dict[str, Any]) -> None:
    """Add the Airflow task of a case to the current DAG."""
    if case["starts"]:
        StartCloudTaskOperator(
            task_id=case["task_id"],
            api=case["api"],
            action=case["action"],
            parameters=case["parameters"],
            deferrable=case["mode"] == "deferrable",
            **WAITING,
            **RETRIES,
        )
    else:
        # A wait for a failed task fails again in each try.
        retries = RETRIES | ({"retries": 5} if case["failures"] else {})
        CloudTaskSensor(
            task_id=case["task_id"],
            api=case["api"],
            cloud_task_id=str(case["number"]),
            api_params=case["parameters"],
            **WAITING | SENSOR_MODES[case["mode"]],
            **retries,
        )


wanted = get_parsing_context().dag_id
for dag_id, cases in PLAN.items():
    if wanted in (None, dag_id):
        with DAG(dag_id, schedule=None, max_active_tasks=1000) as dag:
            for each in cases:
                add(each)
        globals()[dag_id] = dag
