"""One start, for `airflow dags test` with the same date again and again."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.operators.tencent import WeDataRunWorkflowOperator

with DAG(dag_id="one_start", schedule=None):
    WeDataRunWorkflowOperator(task_id="start", project_id="1", workflow_id="w", poke_interval=0.2, timeout=60)
