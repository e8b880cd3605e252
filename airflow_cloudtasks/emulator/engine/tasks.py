"""The tasks, and how a request finds one."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import began_at, cut, position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from airflow_cloudtasks.emulator.engine.scripts import Position, Step
    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(slots=True)
class Task:
    """One task.

    Attributes:
        api: The emulator's name of the API that reads it, e.g. ``ice.workflow_task``.
        id: The id by which a request names it.
        script: Its statuses in order.
        created_at: When it was created, in Unix seconds.
        fields: Fields of its object that differ from the example's.
        scope: Parameters that a request must send besides the id, e.g. ``{"ProjectId": "…"}``. A parameter that is
            not listed may have any value.
        number: Its number in the order of creation; the store sets it.
        noticed_at: When an answer first showed its last step, in Unix seconds; None until then.
    """

    api: str
    id: str
    script: tuple[Step, ...]
    created_at: float
    fields: JsonObject = field(default_factory=dict)
    scope: Mapping[str, str] = field(default_factory=dict)
    number: int = 0
    noticed_at: float | None = None

    def position(self, now: float) -> Position:
        """Return the step that it is in."""
        return position(self.script, self.created_at, now)

    def began_at(self, now: float, waiting: frozenset[str]) -> float | None:
        """Return when it left the ``waiting`` statuses, in Unix seconds, or None if it has not by ``now``."""
        return began_at(self.script, self.created_at, now, waiting)

    def end(self, ending: Step, now: float) -> None:
        """Cut its script at ``now`` and let it end on a step."""
        self.script = cut(self.script, self.created_at, now, ending)
        # A script may end on a running status; an answer may have shown that as the last step.
        self.noticed_at = None

    def restart(self, script: tuple[Step, ...], fields: JsonObject, now: float) -> None:
        """Begin again with another script and other fields."""
        self.script, self.fields = script, fields
        self.created_at, self.noticed_at = now, None

    def is_inside(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether a request with these parameters names its scope."""
        return all(parameters.get(name) == value for name, value in self.scope.items())


class TaskStore:
    """All tasks. An id is unique within one API and scope: LKE, for example, numbers the tasks of each application.

    Args:
        added: Called with each task that is added.
    """

    def __init__(self, added: Callable[[Task], None] = lambda task: None) -> None:
        self._added = added
        self._tasks: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], Task]] = {}
        self._by_number: dict[str, dict[int, Task]] = {}
        # Never reset, so that the page token of a list stays valid for as long as a client may hold it.
        self._numbers = itertools.count(1)

    def add(self, task: Task) -> None:
        """Add a task; it replaces the one with its API, id and scope."""
        scope = tuple(sorted(task.scope.items()))
        namesakes = self._tasks.setdefault((task.api, task.id), {})
        numbered = self._by_number.setdefault(task.api, {})
        if scope in namesakes:
            del numbered[namesakes[scope].number]
        task.number = next(self._numbers)
        namesakes[scope] = numbered[task.number] = task
        self._added(task)

    def remove(self, task: Task) -> None:
        """Remove a task that was added."""
        del self._tasks[task.api, task.id][tuple(sorted(task.scope.items()))]
        del self._by_number[task.api][task.number]

    def find(self, api: str, task_id: str, parameters: Mapping[str, Any]) -> Task | None:
        """Return the task that a request means, or None; of several, the one with the narrowest scope."""
        fitting = [task for task in self._tasks.get((api, task_id), {}).values() if task.is_inside(parameters)]
        return max(fitting, key=lambda task: len(task.scope), default=None)

    def of_id(self, task_id: str, apis: Iterable[str]) -> list[Task]:
        """Return the tasks of an id in every scope of these APIs."""
        return [task for api in apis for task in self._tasks.get((api, task_id), {}).values()]

    def newest(self, api: str, before: int | None = None) -> Iterator[Task]:
        """Yield the tasks of one API, newest first; only those with a number below ``before`` if it is given."""
        for number, task in reversed(self._by_number.get(api, {}).items()):
            if before is None or number < before:
                yield task

    def notice(self, tasks: Iterable[Task], now: float) -> None:
        """Record that an answer shows these tasks in their last step; an earlier record stays."""
        for task in tasks:
            if task.noticed_at is None:
                task.noticed_at = now

    def __iter__(self) -> Iterator[Task]:
        for tasks in self._tasks.values():
            yield from tasks.values()

    def clear(self) -> None:
        """Remove every task."""
        self._tasks.clear()
        self._by_number.clear()
