"""A DAG without a worker, started by the ends of workflow runs. Airflow 2 starts no DAG by events."""

from __future__ import annotations

from ended_cases import DAG_ID, watched

from airflow_cloudtasks.version_compat import HAS_EVENT_TRIGGERS

if HAS_EVENT_TRIGGERS:
    from airflow.providers.standard.operators.empty import EmptyOperator
    from airflow.sdk import DAG

    with DAG(dag_id=DAG_ID, schedule=watched(), max_active_runs=100, catchup=False):
        EmptyOperator(task_id="nothing")
