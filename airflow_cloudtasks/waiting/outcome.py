"""What the ends of a wait come to: the result that XCom gets, or the error that the user sees. Pure.

The sensor in a worker and the trigger that ends a task by itself conclude alike by this.
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
    """Conclude a wait that is over.

    Args:
        ends: How each task's wait ended, in the order of the tasks.
        rules: What was waited for.
        many: Whether it was a wait on a list of tasks, if only of one.

    Returns:
        The task as :meth:`~airflow_cloudtasks.model.CloudTask.as_dict` gives it; for a list, the list of them in the
        order given. One that need not be waited for is there as last seen, or None if it was never seen. What is too
        large is left out.

    Raises:
        CloudApiError: A task could not be read; the text names each other task that did not end well.
        Invalid: The Airflow connection, or the arguments, cannot be used.
        CloudTaskFailed: Tasks did not end well; names them all.
        WaitTimedOut: The time was up.
    """
    any_is_enough = rules.wait_for == "any"
    if not (any_is_enough and any(isinstance(end, Finished) and end.task.ok for end in ends)):
        timed_out = is_timed_out(ends)
        failure = _failure(ends)
        # Of several of which one is enough, those that had not ended could still have been the one.
        if failure is not None and not (any_is_enough and timed_out and not rules.fail_fast):
            raise failure
        if timed_out:
            raise WaitTimedOut(_last_seen(ends))
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
        error: What :func:`conclude` raised.
        soft_fail: Airflow's; skips where the task itself failed or took too long.
        never_fail: Airflow's; skips always.
    """
    return never_fail or (soft_fail and isinstance(error, CloudTaskFailed | WaitTimedOut))


def as_event(ends: Sequence[Verdict], *, many: bool) -> dict[str, Any]:
    """Give the ends as plain JSON types, for the event of a trigger."""
    payloads = [_as_dict(end) for end in fitted(ends)]
    return {"tasks": payloads} if many else payloads[0]


def from_event(event: Mapping[str, Any]) -> list[Verdict]:
    """Make the ends again of what :func:`as_event` gave."""
    return [_from_dict(payload) for payload in event.get("tasks", [event])]


def _failure(ends: Sequence[Verdict]) -> CloudTasksError | None:
    errors = [end.error for end in ends if isinstance(end, Broken)]
    failed = [end.task for end in ends if isinstance(end, Finished) and not end.task.ok]
    if errors:
        first, *others = errors
        more = dict.fromkeys((*map(str, others), *map(ending, failed)))
        return _with("\n".join(f"And: {text}" for text in more if text != str(first)), first)
    return CloudTaskFailed(*failed) if failed else None


def _with(more: str, error: CloudApiError | Invalid) -> CloudTasksError:
    """Give a copy with more to say: an error that was everyone's is one object for all."""
    if isinstance(error, Invalid):
        return type(error)("\n".join(filter(None, (str(error), more))))
    message = "\n".join(filter(None, (error.message, more)))
    return error_from_dict(error.as_dict() | {"message": message})


def _last_seen(ends: Sequence[Verdict]) -> str:
    waiting = [end for end in ends if isinstance(end, Waiting)]
    return "last seen: " + "; ".join(str(end.why or "no answer yet") for end in waiting)


def seen(end: Verdict) -> CloudTask | None:
    """Give the task as it was last seen; None if it never was.

    Args:
        end: How the wait on it ended.
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
