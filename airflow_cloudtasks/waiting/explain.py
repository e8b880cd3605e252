"""Why tasks failed, found out when a wait is over: the same in a worker and in the triggerer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.waiting.verdicts import Finished, Verdict

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import TaskApi

# Of a list of tasks; each may take several requests.
_MOST = 10


def explain_failures(
    hook: CloudTasksHook, api: TaskApi, ends: Sequence[Verdict], api_params: Mapping[str, Any] | None
) -> list[Verdict]:
    """Let the tasks that did not end well say why.

    Args:
        hook: What calls the cloud.
        api: The API of the tasks.
        ends: How each task's wait ended.
        api_params: The other parameters that name them, in the vendor's spelling.
    """
    explained = list(ends)
    for index, end in _failed(ends):
        explained[index] = replace(end, task=hook.explain(api, end.task, api_params))
    return explained


async def aexplain_failures(
    hook: CloudTasksHook, api: TaskApi, ends: Sequence[Verdict], api_params: Mapping[str, Any] | None
) -> list[Verdict]:
    """Let the tasks say why, as :func:`with_reasons`, without blocking the event loop."""
    explained = list(ends)
    for index, end in _failed(ends):
        explained[index] = replace(end, task=await hook.aexplain(api, end.task, api_params))
    return explained


def _failed(ends: Sequence[Verdict]) -> list[tuple[int, Finished]]:
    failed = [(index, end) for index, end in enumerate(ends) if isinstance(end, Finished) and not end.task.ok]
    return failed[:_MOST]
