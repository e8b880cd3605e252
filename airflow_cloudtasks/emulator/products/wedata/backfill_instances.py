"""The task instances of a WeData backfill plan, derived from the plan's two percentages.

The definitions of WeData 2025-08-06 that tccli ships do not state the order in which a plan's instances run; the
example of ListDataBackfillInstances has the states of task instances. Here the instances run task by task and, for each
task, day by day, whatever DataTimeOrder is. In a plan at "60/50", the first 60 of a hundred instances have ended, the
first 50 of them successfully. The next one runs, and the others wait. Every task has one instance a day. A day that is
in two ranges counts once. A range has no instances unless its two days have the documented format (yyyy-MM-dd).
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby, product
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.tasks import Task
from airflow_cloudtasks.emulator.products.shared.answers import show_task
from airflow_cloudtasks.emulator.products.wedata.backfill import BACKFILL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_cloudtasks.emulator.vendor.contract import Call


def planned_instances(call: Call, plan: Task, task_id: str) -> list[Task]:
    """Return the instances of one task of a plan by day; none for a task that is not in the plan.

    They are tasks of ``wedata.task_instance`` that the store does not hold. Each script ends with the present step.
    """
    shown = show_task(BACKFILL.shape, plan, call.now, call.parameters)["Data"]
    all_of_plan = list(product(shown["TaskIds"], dict.fromkeys(_days(shown["DataBackfillRangeList"]))))
    so_far = plan.script[: plan.position(call.now).index + 1]
    return [
        Task(
            "wedata.task_instance",
            f"{owner}_{day}",
            _script(so_far, index, len(all_of_plan)),
            plan.created_at,
            {"TaskId": owner, "CurRunDate": day},
            plan.scope,
        )
        for index, (owner, day) in enumerate(all_of_plan)
        if owner == task_id
    ]


def find_planned(call: Call, key: str) -> Task | None:
    """Return the instance of a key, ``{TaskId}_{CurRunDate}``, from the newest plan that has it, or None."""
    task_id = key.rpartition("_")[0]
    plans = (plan for plan in call.state.tasks.newest(BACKFILL.api) if plan.is_inside(call.parameters))
    instances = (instance for plan in plans for instance in planned_instances(call, plan, task_id))
    return next((instance for instance in instances if instance.id == key), None)


def _days(ranges: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in ranges:
        try:
            first, last = (date.fromisoformat(one.get(name) or "") for name in ("StartDate", "EndDate"))
        except ValueError:
            continue
        for number in range((last - first).days + 1):
            yield f"{first + timedelta(number)} 00:00:00"


def _script(steps: Iterable[Step], index: int, count: int) -> tuple[Step, ...]:
    states = [(_state(str(step.status), index, count), step.seconds or 0.0) for step in steps]
    # Merge equal neighbours, so that a state that lasts over several steps of the plan begins once.
    merged = [Step(state, sum(seconds for _, seconds in same)) for state, same in groupby(states, itemgetter(0))]
    return (*merged[:-1], Step(merged[-1].status))


def _state(percents: str, index: int, count: int) -> str:
    complete, success = map(int, percents.split("/"))
    if complete >= 100:
        return "COMPLETED" if index < round(count * success / 100) else "EXPIRED"
    ended, succeeded = count * complete // 100, count * success // 100
    if index < ended:
        return "COMPLETED" if index < succeeded else "EXPIRED"
    return "RUNNING" if index == ended else "WAIT_RUN"
