"""One DAG a mode, with one sensor a case."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from airflow.providers.common.compat.sdk import DAG
from wait_cases import CASES, MODES, PARAMS, Case

from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor


def cloud_task_id(mode: str, case: Case) -> str:
    return f"{mode}/{case.name}"


def begin_at_the_cloud(mode: str, case: Case):
    """Make the cloud's task when the sensor begins; not again when a rescheduled sensor comes back."""

    def begin(context: Any) -> None:
        url = os.environ["CLOUDTASKS_EMULATOR"] + "/_control/tasks"
        task_id = cloud_task_id(mode, case)
        with urlopen(url) as listed:
            known = [task["id"] for task in json.load(listed)["tasks"]]
        if case.script and task_id not in known:
            task = {"api": case.api, "id": task_id, "script": case.script[:1], "fields": case.fields}
            urlopen(Request(url, json.dumps(task).encode(), {"Content-Type": "application/json"})).close()

    return begin


def note_failure(context: Any) -> None:
    """Leave the exception where the test finds it."""
    error = context["exception"]
    noted = Path(os.environ["AIRFLOW_HOME"], "failures", context["dag"].dag_id)
    noted.mkdir(parents=True, exist_ok=True)
    (noted / context["task"].task_id).write_text(json.dumps([type(error).__name__, str(error)]))


for mode in MODES:
    with DAG(dag_id=f"waits_{mode}", schedule=None) as dag:
        for case in CASES:
            CloudTaskSensor(
                task_id=case.name,
                api=case.api,
                cloud_task_id=cloud_task_id(mode, case),
                api_params=PARAMS.get(case.api),
                deferrable=mode == "deferrable",
                mode="reschedule" if mode == "reschedule" else "poke",
                pre_execute=begin_at_the_cloud(mode, case),
                on_failure_callback=note_failure,
                **{"poke_interval": 0.3, "timeout": 60, **case.sensor},
            )
    globals()[dag.dag_id] = dag
