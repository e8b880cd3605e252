"""A wait on each connection that the environment names, in poke and in deferrable mode."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG

from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor


def note_failure(context: Any) -> None:
    """Leave the exception, with its traceback and all its causes, where the test finds it."""
    with Path(os.environ["AIRFLOW_HOME"], "secrets-failures.txt").open("a") as noted:
        noted.write("".join(traceback.format_exception(context["exception"])))


with DAG(dag_id="secrets_found", schedule=None) as dag:
    for conn_id in json.loads(os.environ.get("SECRET_CONNECTIONS", "[]")):
        alibaba = conn_id.startswith("alibaba")
        for deferrable in (False, True):
            CloudTaskSensor(
                task_id=f"{conn_id}-{'deferrable' if deferrable else 'poke'}",
                api="ice.workflow_task" if alibaba else "wedata.task",
                cloud_task_id=f"task-{deferrable}",
                api_params={} if alibaba else {"ProjectId": "1"},
                conn_id=conn_id,
                deferrable=deferrable,
                poke_interval=0.1,
                timeout=2,
                on_failure_callback=note_failure,
            )
