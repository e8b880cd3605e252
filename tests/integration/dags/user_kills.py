"""Two starts that wait, on a worker and in the triggerer, until the user clears them or deletes their run."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG
from user_kills_cases import DAG_ID, PROJECT, TASKS, workflow_of

from airflow_cloudtasks.operators.tencent import WeDataRunWorkflowOperator

with DAG(dag_id=DAG_ID, schedule=None, max_active_runs=10, max_active_tasks=100):
    for task_id, deferrable in TASKS.items():
        WeDataRunWorkflowOperator(
            task_id=task_id,
            project_id=PROJECT,
            workflow_id=workflow_of("{{ run_id }}", task_id),
            deferrable=deferrable,
            poke_interval=0.5,
            timeout=600,
            retries=1,
            retry_delay=timedelta(seconds=1),
        )
