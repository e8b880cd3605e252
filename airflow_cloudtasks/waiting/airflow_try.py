"""What Airflow knows of the current try of a task: when it began, and whether Airflow itself ended its deferral."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.values import aware
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

# The method that Airflow resumes if a deferral failed, and the error if a timeout ended it: Airflow 3's and 2's.
_FAIL = "__fail__"
_TIMEOUTS = frozenset({"Trigger timeout", "Trigger/execution timeout"})


@dataclass(frozen=True, slots=True)
class Try:
    """One try of an Airflow task.

    Args:
        started_at: Unix seconds at which it began.
        reschedules: How often it has given its worker back, to continue later in another one.
    """

    started_at: float
    reschedules: int = 0


def current_try(context: Context, *, reschedules: bool = False) -> Try:
    """Return the try that runs in this worker. Of a deferred task, only Airflow 2.11 and 3.2 keep the start.

    Args:
        context: Airflow's context.
        reschedules: Whether the task may have been rescheduled, as sensors in reschedule mode are.
    """
    task_instance: Any = context.get("ti")
    first, count = _reschedules(context, task_instance) if reschedules else (None, 0)
    starts = [unix for each in (first, _start_of(task_instance)) if (unix := _unix(each)) is not None]
    return Try(min(starts, default=time.time()), count)


def is_trigger_timeout(next_method: str, next_kwargs: Mapping[str, Any] | None) -> bool:
    """Return whether Airflow resumes a task only because nothing ended its deferral in time.

    Args:
        next_method: What Airflow passes to ``resume_execution``.
        next_kwargs: What Airflow passes to ``resume_execution``.
    """
    return next_method == _FAIL and (next_kwargs or {}).get("error") in _TIMEOUTS


def _start_of(task_instance: Any) -> Any:
    # dag.test() of Airflow 2 starts a task again without a new start: the end tells that the start is an earlier one's.
    if getattr(task_instance, "end_date", None) is not None:
        return None
    return getattr(task_instance, "start_date", None)


def _reschedules(context: Context, task_instance: Any) -> tuple[Any, int]:
    """Return when the try first had a worker, if it gave that back, and how often it did so."""
    if IS_AIRFLOW_2:
        return _reschedules_in_database(task_instance)
    count: int = context.get("task_reschedule_count", 0)
    return (task_instance.get_first_reschedule_date(context) if count else None), count


def _reschedules_in_database(task_instance: Any) -> tuple[Any, int]:
    # Airflow's own sensor counts from the first try on. Here, as in the other modes, each try has its own time.
    from airflow.models.taskreschedule import TaskReschedule
    from airflow.utils.session import create_session

    with create_session() as session:
        starts = [row.start_date for row in session.scalars(TaskReschedule.stmt_for_task_instance(task_instance))]
    return min(starts, default=None), len(starts)


def _unix(moment: Any) -> float | None:
    return aware(moment, UTC).timestamp() if isinstance(moment, datetime) else None
