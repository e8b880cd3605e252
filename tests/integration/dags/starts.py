"""Each operator that starts something: one Airflow task for each way in which it may end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.common.compat.sdk import DAG, task
from starts_cases import (
    CASES,
    DAY,
    FAILS,
    KEPT,
    KEPT_TASKS,
    KILLED_IN_TRIGGERER,
    KILLS,
    LEFT,
    LEFT_TASK,
    PROJECT,
    SUCCEEDS,
)

from airflow_cloudtasks.operators.cloud_task import CancelCloudTaskOperator, GetCloudTaskOperator

with DAG(
    dag_id="starts",
    schedule=None,
    params={"day": DAY},
    max_active_tasks=100,
    default_args={"poke_interval": 0.5, "timeout": 600},
):

    @task
    def next_task(values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return what a downstream task gets from each operator."""
        return values

    handed_on = {}
    for case in CASES:
        # The retries are for Airflow: if a trigger fires within a second, its scheduler on a busy machine may take the
        # task for killed. A retry goes on with what the first try started. None follows a kill by the user.
        again = {"retries": 2, "retry_delay": timedelta(seconds=1)}
        succeeds = case.operator(task_id=case.task_id(SUCCEEDS), deferrable=True, **again, **case.arguments)
        if not case.is_list:
            handed_on[case.name] = {name: succeeds.output[name] for name in ("id", "detail", *case.outputs)}
        for kill in KILLS:
            case.operator(task_id=case.task_id(kill), deferrable=kill == KILLED_IN_TRIGGERER, **again, **case.arguments)
        # The emulator hands out failures in the order in which tasks are started: these come when all others have been.
        fails = case.operator(
            task_id=case.task_id(FAILS), deferrable=False, trigger_rule="all_done", retries=0, **case.arguments
        )
        succeeds >> fails
    next_task(handed_on)

    for task_id, kill in zip(KEPT_TASKS, KILLS, strict=True):
        KEPT.operator(task_id=task_id, deferrable=kill == KILLED_IN_TRIGGERER, cancel_on_kill=False, **KEPT.arguments)

    left = LEFT.operator(task_id=LEFT_TASK, wait_for_completion=False, **LEFT.arguments)
    named = {"api": LEFT.api, "cloud_task_id": left.output["id"], "api_params": {"ProjectId": PROJECT}}
    canceled = CancelCloudTaskOperator(task_id="canceled", **named)
    canceled >> GetCloudTaskOperator(task_id="read", **named)
