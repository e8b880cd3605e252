"""The tasks that exist, and how a request finds one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(slots=True)
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
        number: Its place among all tasks ever added; the store gives it.
        noticed_at: When an answer first showed it in its last step, in Unix seconds; None until then.
    """

    api: str
    id: str
    script: tuple[Step, ...]
    created_at: float
    fields: JsonObject = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    noticed_at: float | None = None

    def is_inside(self, parameters: Mapping[str, Any]) -> bool:
        """Tell whether it belongs where a request looks.

        Args:
            parameters: All the request's parameters.

        Returns:
            Whether they say nothing else than its scope does.
        """
        return all(parameters.get(name) == value for name, value in self.scope.items())


class TaskStore:
    """All tasks. Ids are unique within one API and scope, as LKE's small numbers are within one application."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], Task]] = {}
        self._by_number: dict[str, dict[int, Task]] = {}
        # Never starts again, so that a list's token stays good for as long as it may be held.
        self._numbers = itertools.count(1)

    def add(self, task: Task) -> None:
        """Add a task, or put it in the place of the one with its API, id and scope.

        Args:
            task: The task.
        """
        scope = tuple(sorted(task.scope.items()))
        namesakes = self._tasks.setdefault((task.api, task.id), {})
        numbered = self._by_number.setdefault(task.api, {})
        if scope in namesakes:
            del numbered[namesakes[scope].number]
        task.number = next(self._numbers)
        namesakes[scope] = numbered[task.number] = task

    def remove(self, task: Task) -> None:
        """Remove a task.

        Args:
            task: One that is there.
        """
        del self._tasks[task.api, task.id][tuple(sorted(task.scope.items()))]
        del self._by_number[task.api][task.number]

    def find(self, api: str, task_id: str, parameters: Mapping[str, Any]) -> Task | None:
        """Find the task that a request means.

        Args:
            api: The API asked.
            task_id: The id asked for.
            parameters: All the request's parameters, held against the task's scope.

        Returns:
            The task, or None. Of several that fit, the one that says most about where it belongs.
        """
        fitting = [task for task in self._tasks.get((api, task_id), {}).values() if task.is_inside(parameters)]
        return max(fitting, key=lambda task: len(task.scope), default=None)

    def newest(self, api: str, before: int | None = None) -> Iterator[Task]:
        """Go through the tasks of one API, the newest first.

        Args:
            api: The API.
            before: Only those with a lower number; None for all.

        Yields:
            The tasks.
        """
        for number, task in reversed(self._by_number.get(api, {}).items()):
            if before is None or number < before:
                yield task

    def notice(self, tasks: Iterable[Task], now: float) -> None:
        """Note that an answer which shows tasks in their last step goes out.

        Args:
            tasks: The tasks; those that another answer has shown so by now keep its time.
            now: The tasks' time, in Unix seconds.
        """
        for task in tasks:
            if task.noticed_at is None:
                task.noticed_at = now

    def __iter__(self) -> Iterator[Task]:
        for tasks in self._tasks.values():
            yield from tasks.values()

    def clear(self) -> None:
        """Forget every task."""
        self._tasks.clear()
        self._by_number.clear()
