"""Plans: the scripts and fields of the tasks that later requests start."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(frozen=True, slots=True)
class Plan:
    """The script and the fields of a task.

    Attributes:
        script: Its statuses in order.
        fields: Fields of its object that the request does not set.
    """

    script: tuple[Step, ...]
    fields: JsonObject = field(default_factory=dict)


class Plans:
    """The plans by API. A plan for the next task comes before the plan for all tasks."""

    def __init__(self) -> None:
        self._next: dict[str, deque[Plan]] = {}
        self._all: dict[str, Plan] = {}

    def add(self, api: str, plan: Plan) -> None:
        """Plan one task, after those that are planned already."""
        self._next.setdefault(api, deque()).append(plan)

    def set(self, api: str, plan: Plan) -> None:
        """Plan every task that has no plan of its own."""
        self._all[api] = plan

    def take(self, api: str, default: tuple[Step, ...]) -> Plan:
        """Return the plan for a task that starts now, and remove it if it is for one task; else the default script."""
        planned = self._next.get(api)
        if planned:
            return planned.popleft()
        return self._all.get(api) or Plan(default)

    def describe(self) -> list[tuple[str, Plan, bool]]:
        """Return API, plan, and whether it is for all tasks; plans for the next tasks come first, in order."""
        coming = [(api, plan, False) for api, plans in self._next.items() for plan in plans]
        return coming + [(api, plan, True) for api, plan in self._all.items()]

    def clear(self) -> None:
        """Remove every plan."""
        self._next.clear()
        self._all.clear()
