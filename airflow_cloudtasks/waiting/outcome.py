"""The end of a wait: the result for XCom, or the error that the user sees; and its form in a trigger's event. Pure.

A sensor in a worker and a trigger that ends the Airflow task itself use the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import (
    CloudApiError,
    CloudTaskFailed,
    CloudTasksError,
    Invalid,
    InvalidArguments,
    InvalidConnection,
    WaitTimedOut,
    ending,
    error_from_dict,
)
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.waiting.group import GroupRules
from airflow_cloudtasks.waiting.sizes import fitted
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Verdict, Waiting


def conclude(ends: Sequence[Verdict], rules: GroupRules, *, many: bool) -> Any:
    """Return the result of a wait that is over, or raise its error.

    Args:
        ends: The last verdict on each task, in the order of the tasks.
        rules: When the wait is over.
        many: Whether a list of tasks was waited for, even a list of one.

    Returns:
        The task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it; for a list, the tasks in the same
        order. A task that had not ended appears as last seen, or as None. What is too large is left out.

    Raises:
        CloudApiError: A task could not be read; the text names each other task that did not succeed.
        Invalid: The Airflow connection, or the arguments, cannot be used.
        CloudTaskFailed: Tasks did not succeed; the text names them all.
        WaitTimedOut: The wait reached its timeout.
    """
    if (error := _error(ends, rules)) is not None:
        raise error
    return result_of(ends, many=many)


def result_of(ends: Sequence[Verdict], *, many: bool) -> Any:
    """Return the result for XCom, whatever became of the tasks.

    Args:
        ends: The verdict on each task.
        many: Whether the result is a list.

    Returns:
        The task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` returns it, or None if it was never read; for a
        list, the list of these. What is too large is left out, by :func:`~airflow_cloudtasks.waiting.sizes.fitted`.
    """
    tasks = [task.as_dict() if (task := seen(end)) else None for end in fitted(ends)]
    return tasks if many else tasks[0]


def is_timed_out(ends: Sequence[Verdict]) -> bool:
    """Return whether a wait that is over reached its deadline first.

    Args:
        ends: How each task's wait ended.
    """
    return any(isinstance(end, Waiting) for end in ends)


def is_skip(error: CloudTasksError, *, soft_fail: bool, never_fail: bool) -> bool:
    """Decide whether an error skips the Airflow task instead of failing it.

    Args:
        error: The error that :func:`conclude` raised.
        soft_fail: Airflow's ``soft_fail``: skip if the task failed or timed out.
        never_fail: Airflow's ``never_fail``: skip after any error.
    """
    return never_fail or (soft_fail and isinstance(error, CloudTaskFailed | WaitTimedOut))


def as_event(ends: Sequence[Verdict], *, many: bool) -> dict[str, Any]:
    """Return the verdicts as plain JSON types, for the event of a trigger."""
    payloads = [_as_dict(end) for end in fitted(ends)]
    return {"tasks": payloads} if many else payloads[0]


def from_event(event: Mapping[str, Any]) -> list[Verdict]:
    """Rebuild the verdicts from the result of :func:`as_event`."""
    return [_from_dict(payload) for payload in event.get("tasks", [event])]


def _error(ends: Sequence[Verdict], rules: GroupRules) -> CloudTasksError | None:
    if rules.wait_for == "any" and any(isinstance(end, Finished) and end.task.ok for end in ends):
        return None
    failure = _failure(ends)
    timed_out = WaitTimedOut(_last_seen(ends)) if is_timed_out(ends) else None
    # With "any", a task that had not ended could still have succeeded.
    failures_decide = rules.wait_for == "all" or rules.fail_fast
    return (failure or timed_out) if failures_decide else (timed_out or failure)


def _failure(ends: Sequence[Verdict]) -> CloudTasksError | None:
    errors = [end.error for end in ends if isinstance(end, Broken)]
    failed = [end.task for end in ends if isinstance(end, Finished) and not end.task.ok]
    if errors:
        first, *others = errors
        more = dict.fromkeys((*map(str, others), *map(ending, failed)))
        return _with("\n".join(f"And: {text}" for text in more if text != str(first)), first)
    return CloudTaskFailed(*failed) if failed else None


def _with(more: str, error: CloudApiError | Invalid) -> CloudTasksError:
    """Return a copy with a longer text: an error that concerns all waits is one object for all of them."""
    if isinstance(error, Invalid):
        return type(error)("\n".join(filter(None, (str(error), more))))
    message = "\n".join(filter(None, (error.message, more)))
    return error_from_dict(error.as_dict() | {"message": message})


def _last_seen(ends: Sequence[Verdict]) -> str:
    waiting = [end for end in ends if isinstance(end, Waiting)]
    return "last seen: " + "; ".join(str(end.why or "no answer yet") for end in waiting)


def seen(end: Verdict) -> CloudTask | None:
    """Return the task of a verdict as last seen; None if it was never seen.

    Args:
        end: The last verdict on the task.
    """
    match end:
        case Finished(task) | Waiting(CloudTask() as task):
            return task
        case _:
            return None


def _as_dict(end: Verdict) -> dict[str, Any]:
    match end:
        case Finished(task, is_shortened):
            return {"task": task.as_dict(), **({"shortened": True} if is_shortened else {})}
        case Broken(error):
            return _error_as_dict(error)
        case Waiting(CloudTask() as task):
            return {"timeout": str(task), "task": task.as_dict()}
        case Waiting(why):
            return {"timeout": str(why or "")}


def _error_as_dict(error: CloudApiError | Invalid) -> dict[str, Any]:
    if isinstance(error, CloudApiError):
        return {"error": error.as_dict()}
    return {"invalid": str(error), "arguments": isinstance(error, InvalidArguments)}


def _from_dict(payload: Mapping[str, Any]) -> Verdict:
    match payload:
        case {"timeout": _, "task": task}:
            return Waiting(CloudTask.from_dict(task))
        case {"timeout": text}:
            return Waiting(WaitTimedOut(text) if text else None)
        case {"task": task}:
            return Finished(CloudTask.from_dict(task), is_shortened=payload.get("shortened", False))
        case {"invalid": text}:
            return Broken((InvalidArguments if payload.get("arguments") else InvalidConnection)(text))
        case _:
            return Broken(error_from_dict(payload["error"]))
