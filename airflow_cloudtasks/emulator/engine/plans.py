"""How the tasks that requests start will go: what a test has planned for the next ones, or for all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(frozen=True, slots=True)
class Plan:
    """How a task will go.

    Attributes:
        script: Its statuses in order.
        fields: What its object shows besides what the request says.
    """

    script: tuple[Step, ...]
    fields: JsonObject = field(default_factory=dict)


class Plans:
    """What is planned, by API. A plan for the next task goes before the one for all."""

    def __init__(self) -> None:
        self._next: dict[str, deque[Plan]] = {}
        self._all: dict[str, Plan] = {}

    def add(self, api: str, plan: Plan) -> None:
        """Plan one task, behind those that are planned already.

        Args:
            api: The API that reads it.
            plan: How it will go.
        """
        self._next.setdefault(api, deque()).append(plan)

    def set(self, api: str, plan: Plan) -> None:
        """Plan all tasks that nothing else is planned for.

        Args:
            api: The API that reads them.
            plan: How they will go.
        """
        self._all[api] = plan

    def take(self, api: str, default: tuple[Step, ...]) -> Plan:
        """Give the plan for a task that is being started, and use it up.

        Args:
            api: The API that reads it.
            default: Its script if nothing is planned.

        Returns:
            The plan.
        """
        planned = self._next.get(api)
        if planned:
            return planned.popleft()
        return self._all.get(api) or Plan(default)

    def describe(self) -> list[tuple[str, Plan, bool]]:
        """Tell what is planned.

        Returns:
            API, plan, and whether it is for all tasks; those for the next ones come first, in order.
        """
        coming = [(api, plan, False) for api, plans in self._next.items() for plan in plans]
        return coming + [(api, plan, True) for api, plan in self._all.items()]

    def clear(self) -> None:
        """Forget every plan."""
        self._next.clear()
        self._all.clear()
