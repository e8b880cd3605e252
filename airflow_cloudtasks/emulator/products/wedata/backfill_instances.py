"""The instances that a backfill plan of WeData makes, as far as its two percentages tell how each of them went.

The definitions of WeData 2025-08-06 that tccli ships do not say in which order a plan's instances run; the example of
ListDataBackfillInstances has the states of task instances. Here the instances come task by task and, in each, day by
day, whatever DataTimeOrder says: of a plan that is "60/50" the first 60 of a hundred have ended, the first 50 of them
well, the next one runs and the others wait. Every task has one instance a day; a day of two ranges counts once, and a
range without two days as documented (yyyy-MM-dd) has none.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby, product
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step, position
from airflow_cloudtasks.emulator.engine.tasks import Task
from airflow_cloudtasks.emulator.products.shared.answers import shape_of, show_task
from airflow_cloudtasks.emulator.products.wedata.backfill import BACKFILL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_cloudtasks.emulator.vendor.contract import Call


def planned_instances(call: Call, plan: Task, task_id: str) -> list[Task]:
    """Give the instances that a plan makes of one of its tasks.

    Args:
        call: The call.
        plan: The plan.
        task_id: The task's id.

    Returns:
        Them, as tasks of ``wedata.task_instance`` that the emulator does not hold, by day; none for a task that is not
        in the plan. Their scripts go up to now.
    """
    where = position(plan.script, plan.created_at, call.now)
    shown = show_task(shape_of(BACKFILL), plan, where, call.parameters)["Data"]
    all_of_plan = list(product(shown["TaskIds"], dict.fromkeys(_days(shown["DataBackfillRangeList"]))))
    so_far = plan.script[: where.index + 1]
    return [
        Task(
            "wedata.task_instance",
            f"{one}_{day}",
            _script(so_far, index, len(all_of_plan)),
            plan.created_at,
            {"TaskId": one, "CurRunDate": day},
            plan.scope,
        )
        for index, (one, day) in enumerate(all_of_plan)
        if one == task_id
    ]


def find_planned(call: Call, key: str) -> Task | None:
    """Find the instance of a plan that a request means.

    Args:
        call: The call.
        key: The instance's key: its task's id, an underscore and the time of its data.

    Returns:
        It, of the newest plan that has one; None where no plan has.
    """
    task_id = key.rpartition("_")[0]
    plans = (plan for plan in call.state.tasks.newest(BACKFILL.api) if plan.is_inside(call.parameters))
    instances = (one for plan in plans for one in planned_instances(call, plan, task_id))
    return next((one for one in instances if one.id == key), None)


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
    # A state that stays over several steps of the plan begins but once.
    merged = [Step(state, sum(seconds for _, seconds in same)) for state, same in groupby(states, itemgetter(0))]
    return (*merged[:-1], Step(merged[-1].status))


def _state(percents: str, index: int, count: int) -> str:
    complete, success = map(int, percents.split("/"))
    if complete >= 100:
        return "COMPLETED" if index < round(count * success / 100) else "EXPIRED"
    ended, well = count * complete // 100, count * success // 100
    if index < ended:
        return "COMPLETED" if index < well else "EXPIRED"
    return "RUNNING" if index == ended else "WAIT_RUN"
