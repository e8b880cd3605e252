"""The tasks that exist, and how a request finds one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_cloudtasks.emulator.scripts import Step
    from airflow_cloudtasks.emulator.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Task:
    """One task.

    Attributes:
        api: The emulator's name of the API that reads it, e.g. ``ice.workflow_task``.
        id: The id that a request names it by.
        script: Its statuses in order.
        created_at: When it was created, in Unix seconds.
        fields: What its object shows besides the example's fields.
        scope: What else a request must name to find it, e.g. ``{"ProjectId": "…"}``; a parameter that is not
            listed may have any value.
    """

    api: str
    id: str
    script: tuple[Step, ...]
    created_at: float
    fields: JsonObject = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)


class TaskStore:
    """All tasks. Ids are unique within one API and scope, as LKE's small numbers are within one application."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], Task]] = {}

    def add(self, task: Task) -> None:
        """Add a task, or put it in the place of the one with its API, id and scope.

        Args:
            task: The task.
        """
        self._tasks.setdefault((task.api, task.id), {})[tuple(sorted(task.scope.items()))] = task

    def find(self, api: str, task_id: str, parameters: Mapping[str, Any]) -> Task | None:
        """Find the task that a request means.

        Args:
            api: The API asked.
            task_id: The id asked for.
            parameters: All the request's parameters, held against the task's scope.

        Returns:
            The task, or None. Of several that fit, the one that says most about where it belongs.
        """
        fitting = [
            task
            for task in self._tasks.get((api, task_id), {}).values()
            if all(parameters.get(name) == value for name, value in task.scope.items())
        ]
        return max(fitting, key=lambda task: len(task.scope), default=None)

    def __iter__(self) -> Iterator[Task]:
        for tasks in self._tasks.values():
            yield from tasks.values()

    def clear(self) -> None:
        """Forget every task."""
        self._tasks.clear()
