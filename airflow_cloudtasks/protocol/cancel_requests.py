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
    sent = {name: known[name] for name in others}
    # Only what api_params takes: a start request may have a parameter of that name that means something else.
    sent |= {name: value for name, value in api.known_params(known).items() if name in cancel.action.optional}
    if not ids:
        return []
    common = {name: as_name(value) for name, value in sent.items()}
    if cancel.many:
        return [{**common, cancel.id_param: list(ids)}]
    return [{**common, cancel.id_param: task_id} for task_id in ids]


# The vendor documents a boolean. 0 is equal to False.
_NOES = (False, "false", "False", "0")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the vendor did not cancel.

    Args:
        ids: The task's id. Several ids if the answer does not say which of them was refused; none if the ids of the
            request are not known.
        why: The vendor's reason.
    """

    ids: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        """Return the refusal as a message names it."""
        if not self.ids:
            return self.why
        if len(self.ids) == 1:
            return f"{self.ids[0]} was not canceled: {self.why}"
        return f"At least one of {', '.join(self.ids)} was not canceled, and the vendor does not say which: {self.why}"


def refusals(cancel: Cancel, answer: Any) -> list[str]:
    """Return the vendor's reason for each task that it did not cancel.

    Args:
        cancel: How tasks are canceled.
        answer: The answer without its envelope.
    """
    return [_why(cancel, result) for result in _results(cancel, answer) if at(result, cancel.ok) in _NOES]


def refused_tasks(cancel: Cancel, answer: Any, ids: Sequence[str]) -> list[Refusal]:
    """Return what the vendor did not cancel, each task once.

    Args:
        cancel: How tasks are canceled.
        answer: The answer without its envelope.
        ids: The tasks of the request.
    """
    reasons: dict[str, list[str]] = {}
    unnamed: list[str] = []
    unclear = list(dict.fromkeys(ids))
    for result in _results(cancel, answer):
        task_id, is_refused = text(at(result, cancel.item_id)), at(result, cancel.ok) in _NOES
        if is_refused and task_id is not None and task_id in ids:
            reasons.setdefault(task_id, []).append(_why(cancel, result))
        elif is_refused:
            unnamed.append(_why(cancel, result) if task_id is None else f"{task_id}: {_why(cancel, result)}")
        if task_id in unclear:
            unclear.remove(task_id)
    refused = [Refusal((task_id,), _joined(why)) for task_id, why in reasons.items()]
    if not unnamed:
        return refused
    if 0 < len(unclear) <= len(unnamed):
        return [*refused, *(Refusal((task_id,), _joined(unnamed)) for task_id in unclear)]
    return [*refused, Refusal(tuple(unclear or ids), _joined(unnamed))]


def _results(cancel: Cancel, answer: Any) -> list[Mapping[str, Any]]:
    """Return the result of each task in an answer; empty if the answer reports nothing."""
    found = None if cancel.items is None else at(answer, cancel.items)
    return [result for result in (found if isinstance(found, list) else [found]) if isinstance(result, Mapping)]


def _why(cancel: Cancel, result: Mapping[str, Any]) -> str:
    return text(at(result, cancel.why_not or "")) or "the vendor does not say why"


def _joined(reasons: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(reasons))
