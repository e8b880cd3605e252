"""What is waited for after a start, one stage after the other: the job that sets tasks going, then the tasks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.protocol.start_requests import identifying_params
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.starting.attempt import Attempt


@dataclass(frozen=True, slots=True)
class Stage:
    """What is waited for at a time.

    Args:
        api: The API that reads it.
        ids: The ids of the tasks.
        api_params: The other parameters that name them, in the vendor's spelling.
    """

    api: TaskApi
    ids: tuple[str, ...]
    api_params: dict[str, str]


def stages(api: TaskApi, start: Start, parameters: Mapping[str, Any], attempt: Attempt) -> list[Stage]:
    """Give what is waited for after a start.

    Args:
        api: The API that reads the tasks.
        start: The action that starts them.
        parameters: Its parameters, by the vendor's names.
        attempt: The start, which has begun.

    Returns:
        The stages in their order; the last is that of the tasks.
    """
    found = [Stage(api, attempt.ids, identifying_params(api, start, parameters))]
    if attempt.job is not None and start.job_api is not None:
        job_api = find_api(start.job_api)
        found.insert(0, Stage(job_api, (attempt.job,), identifying_params(job_api, start, parameters)))
    return found
