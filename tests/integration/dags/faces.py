"""Each operator that has a product's own module, once."""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG
from faces_cases import CASES

with DAG(
    dag_id="faces",
    schedule=None,
    # The retries are for Airflow, as in starts.py.
    default_args={
        "deferrable": True,
        "poke_interval": 0.5,
        "timeout": 300,
        "retries": 2,
        "retry_delay": timedelta(seconds=1),
    },
):
    for case in CASES:
        case.operator(task_id=case.task_id, **case.arguments)
