"""One Airflow task for each start whose worker is killed, or whose answer is lost."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import DAG
from crash_cases import BETWEEN, CASES, WAVES, notes_in


def wait_for_the_moment(context: Any) -> None:
    """Write down which process the test may kill, and wait until the test has prepared the cloud for it."""
    task_instance = context["ti"]
    if task_instance.try_number > 1:
        return
    notes = notes_in(Path(os.environ["AIRFLOW_HOME"]))
    noted = notes / f"{task_instance.task_id}.pid"
    noted.with_suffix(".part").write_text(str(os.getpid()))
    noted.with_suffix(".part").rename(noted)
    moment = notes / task_instance.task_id.partition("__")[0]
    while not moment.exists():
        time.sleep(0.1)


with DAG(
    dag_id="crash",
    schedule=None,
    max_active_tasks=100,
    default_args={"poke_interval": 0.5, "timeout": 900, "retries": 3, "retry_delay": timedelta(seconds=1)},
):
    before: list[Any] = []
    for wave in WAVES:
        operators = [
            case.operator(
                task_id=case.task_id,
                pre_execute=wait_for_the_moment,
                deferrable=case.moment == BETWEEN,
                trigger_rule="all_done",
                **case.arguments,
            )
            for case in CASES
            if case.moment in wave
        ]
        for operator in operators:
            operator.set_upstream(before)
        before = operators
