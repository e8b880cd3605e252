"""How a task is canceled. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_cloudtasks.spec.action import Action


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """An action that cancels a running task.

    Args:
        action: The action. Its parameters come from those that identify the task, from ``found`` and from ``needs``.
            An optional parameter is sent if it identifies the task.
        id_param: The parameter of the task's id.
        many: Whether ``id_param`` takes a list of ids.
        found: Parameters that do not identify the task, with the path of each in the task object.
        needs: Parameters that do not identify the task and are not in its object. A start request has them; users of a
            task that was started elsewhere add them to ``api_params``. An optional one is sent if it is known.
        items: The path of the result of each task in the answer; empty for the whole answer, None if the answer
            reports nothing.
        item_id: The path of the task's id in a result.
        ok: The path in a result that says whether the task was canceled.
        why_not: The path in a result that says why it was not.
        removes: Whether a canceled task can no longer be read.

    Raises:
        ValueError: ``id_param``, or a name in ``found`` or ``needs``, is no parameter of the action, or is optional and
            not in ``needs``.
    """

    action: Action
    id_param: str = "TaskId"
    many: bool = False
    found: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    items: str | None = None
    item_id: str = "ItemId"
    ok: str = ""
    why_not: str | None = None
    removes: bool = False

    def __post_init__(self) -> None:
        for name in (self.id_param, *self.found):
            if name not in self.action.params:
                raise ValueError(f"{self.action.name}: {name!r} is none of its params {self.action.params}.")
        for name in self.needs:
            if name not in self.action.accepted:
                raise ValueError(f"{self.action.name}: {name!r} is none of its parameters {self.action.accepted}.")
