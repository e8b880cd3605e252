"""Actions that read several tasks by their ids in one request. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.spec.template import placeholders


@dataclass(frozen=True, kw_only=True)
class ManyIds:
    """An action that reads several tasks by their ids in one request.

    Args:
        action: The action. It takes the ids, and perhaps parameters that the tasks of one request share. Those that do
            not identify a task are optional in ``api_params``; without them, its tasks are read one by one. Its
            template sets the size of the page, if the vendor's default is smaller than ``most``.
        tasks: The path of the list of task objects in the answer.
        ids_param: The parameter of ``action`` that takes the list of ids. Its template converts them where the vendor
            takes no list of texts: ``"{Ids:comma}"``, ``"{Ids:integers}"``.
        most: The number of ids that the vendor allows in one request.
        complete: Whether a task object holds everything that a single read returns. If not, the task is read singly
            once it has ended.

    Raises:
        ValueError: The action does not take the ids, its template takes them for a single value, or ``most`` is less
            than 2.
    """

    action: Action
    tasks: str
    ids_param: str = "Ids"
    most: int
    complete: bool = True

    def __post_init__(self) -> None:
        if problem := next(self._problems(), None):
            raise ValueError(f"{self.action.name}: {problem}")

    def _problems(self) -> Iterator[str]:
        if self.ids_param not in self.action.params:
            yield f"ids_param {self.ids_param!r} is none of its params {self.action.params}."
        if self.ids_param in self.action.path_params:
            yield f"{self.ids_param} takes several ids, so it cannot be in the path {self.action.path!r}."
        if (self.ids_param, "integer") in placeholders(self.action.template):
            yield f"its template has {{{self.ids_param}:integer}}; expected integers, because it takes several ids."
        if self.most < 2:
            yield f"most is {self.most!r}; expected 2 ids or more."

    @property
    def shared(self) -> tuple[str, ...]:
        """The parameters that the tasks of one request share, required ones first."""
        return tuple(name for name in self.action.accepted if name != self.ids_param)

    @property
    def needs(self) -> tuple[str, ...]:
        """The parameters without which the action cannot be called, besides the ids."""
        return tuple(name for name in self.action.params if name != self.ids_param)
