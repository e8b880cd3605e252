"""A DAG without a worker, started by the ends of workflow runs."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG
from airflow.providers.standard.operators.empty import EmptyOperator
from ended_cases import DAG_ID, watched

with DAG(dag_id=DAG_ID, schedule=watched(), max_active_runs=100, catchup=False):
    EmptyOperator(task_id="nothing")
