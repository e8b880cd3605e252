"""Triggers that Airflow cancels: because the user has killed their task, or because their triggerer ends."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from airflow.triggers.base import BaseTrigger
from asgiref.sync import sync_to_async

from airflow_cloudtasks.start_from_trigger import AIRFLOW

# Airflow that calls on_kill by itself, and then only.
AIRFLOW_TELLS = hasattr(BaseTrigger, "on_kill")

# In these, Airflow itself goes on with a task: after the event of a trigger, or with a retry because it took a worker
# for dead. A task that the user has cleared comes by some of them too; its next run then goes on with the cloud's task.
_GOING_ON = frozenset({"deferred", "scheduled", "queued", "running", "up_for_retry"})

# As long as Airflow lets on_kill take, if nothing interrupts it.
_SECONDS = 30.0


async def end_of(work: asyncio.Future[None]) -> None:
    """Wait for the end of what is done on a kill: until then, Airflow cancels a killed trigger anew every second.

    Args:
        work: What is done.
    """
    until = time.monotonic() + _SECONDS
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled() or time.monotonic() > until:
                raise


async def was_killed(task_instance: Any) -> bool:
    """Tell whether the user has ended Airflow's task, for older Airflow: it cancels triggers for either reason.

    Args:
        task_instance: Airflow's, as the trigger has it.
    """
    state = await sync_to_async(_state_in_database if AIRFLOW < (3, 0) else _state_told)(task_instance)
    return state not in _GOING_ON


def _state_told(task_instance: Any) -> str | None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    states = RuntimeTaskInstance.get_task_states(
        dag_id=task_instance.dag_id,
        task_ids=[task_instance.task_id],
        run_ids=[task_instance.run_id],
        map_index=task_instance.map_index,
    )
    of_run = states.get(task_instance.run_id, {})
    return next(iter(of_run.values()), None)


def _state_in_database(task_instance: Any) -> str | None:
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        state: str | None = (
            session.query(TaskInstance.state)
            .filter_by(
                dag_id=task_instance.dag_id,
                task_id=task_instance.task_id,
                run_id=task_instance.run_id,
                map_index=task_instance.map_index,
            )
            .scalar()
        )
    return state
