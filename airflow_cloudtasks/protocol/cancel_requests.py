"""What the requests are that cancel tasks, and what their answers mean. Pure: the caller sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import Cancel, TaskApi
from airflow_cloudtasks.values import at, text


def cancel_requests(api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the parameters of the requests that cancel tasks.

    Args:
        api: The API; it has a ``cancel``.
        ids: The ids of the tasks.
        known: What names them besides, and what else the action needs.

    Raises:
        InvalidArguments: The vendor has no such action, or something that it needs is not known.
    """
    cancel = api.cancel
    if cancel is None:
        raise InvalidArguments(f"{api.name}: {api.service.product} has no action that cancels a task.")
    others = [name for name in cancel.action.params if name != cancel.id_param]
    for name in others:
        if known.get(name) in (None, ""):
            raise InvalidArguments(f"{api.name}: {cancel.action.name} needs {name}.")
    common = {name: str(known[name]) for name in others}
    if cancel.many:
        return [{**common, cancel.id_param: list(ids)}]
    return [{**common, cancel.id_param: each} for each in ids]


def refusals(cancel: Cancel, answer: Any) -> list[str]:
    """Give what the vendor says of tasks that it did not cancel.

    Args:
        cancel: The action.
        answer: The answer, out of its envelope.
    """
    if cancel.items is None:
        return []
    told = at(answer, cancel.items)
    items = told if isinstance(told, list) else [told]
    return [
        text(at(item, cancel.why_not or "")) or "the vendor does not say why"
        for item in items
        if isinstance(item, Mapping) and at(item, cancel.ok) is False
    ]
