"""Find out why tasks failed once a wait is over; alike in a worker and in the triggerer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.waiting.verdicts import Finished, Verdict

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.model import CloudTask
    from airflow_cloudtasks.spec import TaskApi

# Failed tasks of one wait that are explained. Each may take several requests.
_MOST_EXPLAINED = 10


class AsyncExplainer(Protocol):
    """What can find out the reason of a failure in an event loop."""

    async def aexplain(self, api: TaskApi, task: CloudTask, api_params: Mapping[str, Any] | None = None) -> CloudTask:
        """Return a failed task together with the reason for its failure."""


def explain_failures(
    hook: CloudTasksHook, api: TaskApi, ends: Sequence[Verdict], api_params: Mapping[str, Any] | None
) -> list[Verdict]:
    """Return the verdicts with the reasons of failures.

    Args:
        hook: Asks the cloud.
        api: The API of the tasks.
        ends: How the wait on each task ended.
        api_params: The other parameters that identify the tasks, in the vendor's spelling.
    """
    explained = list(ends)
    for index, end in _failed(ends):
        task = end.task
        with suppress(CloudTasksError):
            task = whole_task(hook, api, end, api_params)
        explained[index] = replace(end, task=hook.explain(api, task, api_params))
    return explained


async def aexplain_failures(
    hook: AsyncExplainer, api: TaskApi, ends: Sequence[Verdict], api_params: Mapping[str, Any] | None
) -> list[Verdict]:
    """Return the verdicts with the reasons, like :func:`explain_failures`, without blocking the event loop."""
    explained = list(ends)
    for index, end in _failed(ends):
        explained[index] = replace(end, task=await hook.aexplain(api, end.task, api_params))
    return explained


def needs_reasons(ends: Sequence[Verdict]) -> bool:
    """Return whether a task failed whose reason can be asked for.

    Args:
        ends: How the wait on each task ended.
    """
    return bool(_failed(ends))


def whole_task(hook: CloudTasksHook, api: TaskApi, end: Finished, api_params: Mapping[str, Any] | None) -> CloudTask:
    """Return a task that has ended with all of its detail and message; read them again if the event left parts out.

    Args:
        hook: Hook with the connection of the task.
        api: The API of the task.
        end: The verdict on the task.
        api_params: The other parameters that identify it, in the vendor's spelling.

    Raises:
        CloudApiError: The cloud returned no usable answer; the subclass says why.
    """
    if not end.is_shortened:
        return end.task
    read = hook.read_task(api, end.task.id, api_params)
    return replace(end.task, detail=read.detail, message=read.message)


def _failed(ends: Sequence[Verdict]) -> list[tuple[int, Finished]]:
    failed = [(index, end) for index, end in enumerate(ends) if isinstance(end, Finished) and not end.task.ok]
    return failed[:_MOST_EXPLAINED]
