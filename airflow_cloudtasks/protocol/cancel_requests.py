"""Build the requests that cancel tasks and read their answers. Pure: the caller sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import Cancel, TaskApi
from airflow_cloudtasks.spec.names import as_name, check_name
from airflow_cloudtasks.values import at, text


def cancel_requests(api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parameters of each request that cancels tasks.

    Args:
        api: The API of the tasks.
        ids: The ids of the tasks.
        known: Every other known parameter, by the vendor's names: those that identify the tasks, and more.

    Returns:
        One request for all tasks, if the action takes many ids; otherwise one for each.

    Raises:
        InvalidArguments: The vendor has no action that cancels a task, or a parameter that it needs is not known.
    """
    cancel = api.cancel
    if cancel is None:
        raise InvalidArguments(f"{api.name}: {api.service.product} has no action that cancels a task.")
    others = [name for name in cancel.action.params if name != cancel.id_param]
    for name in others:
        if known.get(name) in (None, ""):
            raise InvalidArguments(f"{api.name}: {cancel.action.name} needs {name}.")
        check_name(f"{api.name}: {cancel.action.name}", name, known[name])
    common = {name: as_name(known[name]) for name in others}
    if cancel.many:
        return [{**common, cancel.id_param: list(ids)}]
    return [{**common, cancel.id_param: task_id} for task_id in ids]


# The vendor documents a boolean. 0 is equal to False.
_NOES = (False, "false", "False", "0")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A task that the vendor did not cancel.

    Args:
        task_id: The task's id; None if the answer does not name it.
        why: The vendor's reason.
    """

    task_id: str | None
    why: str


def refusals(cancel: Cancel, answer: Any) -> list[str]:
    """Return the vendor's reason for each task that it did not cancel.

    Args:
        cancel: How tasks are canceled.
        answer: The answer without its envelope.
    """
    return [refusal.why for refusal in refused_tasks(cancel, answer)]


def refused_tasks(cancel: Cancel, answer: Any) -> list[Refusal]:
    """Return each task that the vendor did not cancel, with the reason.

    Args:
        cancel: How tasks are canceled.
        answer: The answer without its envelope.
    """
    if cancel.items is None:
        return []
    found = at(answer, cancel.items)
    results = found if isinstance(found, list) else [found]
    return [
        Refusal(
            task_id=text(at(result, cancel.item_id)),
            why=text(at(result, cancel.why_not or "")) or "the vendor does not say why",
        )
        for result in results
        if isinstance(result, Mapping) and at(result, cancel.ok) in _NOES
    ]
