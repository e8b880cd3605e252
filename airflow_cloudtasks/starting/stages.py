"""What an operator waits for after a start, in order: the job that sets the tasks going, then the tasks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.protocol.start_requests import earliest_end, identifying_params
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.starting.attempt import Attempt


@dataclass(frozen=True, slots=True)
class Stage:
    """Tasks that are waited for together.

    Args:
        api: The API that reads them.
        ids: Their ids.
        api_params: The other parameters that identify them, in the vendor's spelling.
        ended_since: For tasks that run again: Unix seconds of the earliest end of the run that was started. None for
            others.
    """

    api: TaskApi
    ids: tuple[str, ...]
    api_params: dict[str, str]
    ended_since: float | None = None


def stages(api: TaskApi, start: Start, parameters: Mapping[str, Any], attempt: Attempt) -> list[Stage]:
    """Return the stages of a wait in order; the last one is that of the tasks, once their ids are known.

    Args:
        api: The API that reads the tasks.
        start: The action that starts them.
        parameters: Its parameters, by the vendor's names. Those that the attempt stores replace them: an earlier try
            may have started the tasks with other parameters.
        attempt: The start, which has begun.
    """
    known = {**parameters, **attempt.asked.params}
    since = earliest_end(attempt.sent_at) if api.restarts else None
    found = [Stage(api, attempt.ids, identifying_params(api, start, known), since)] if attempt.ids else []
    if attempt.job is not None and start.job_api is not None:
        job_api = find_api(start.job_api)
        found.insert(0, Stage(job_api, (attempt.job,), identifying_params(job_api, start, known)))
    return found
