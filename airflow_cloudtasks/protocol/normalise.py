"""Turn a vendor's answer into a CloudTask by the API's declaration (TaskApi). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from airflow_cloudtasks.errors import MalformedAnswer, NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.spec import Failure, Percentages, TaskApi
from airflow_cloudtasks.values import (
    at,
    embedded_json,
    every_at,
    fold,
    fraction,
    moment,
    number,
    plain,
    request_id,
    text,
)

# Vendors count in 64-bit integers. JSON allows larger integers, and dividing a float by a very large one fails.
_LARGEST_COUNT = 2**64
_WHOLE = 100

_STATUS_TYPES = (str, int, float)


def normalise(
    api: TaskApi,
    answer: Any,
    *,
    parameters: Mapping[str, Any],
    region: str | None = None,
    overrides: StatusOverrides = NO_OVERRIDES,
    copy: bool = True,
) -> CloudTask:
    """Return the task that an answer describes.

    Args:
        api: The API that was called.
        answer: The decoded answer without its envelope (for Tencent Cloud: the value of ``Response``).
        parameters: The parameters of the request; they identify the task if the answer does not.
        region: The region of the request, for the console link.
        overrides: Statuses that this wait treats differently from the catalog.
        copy: Whether ``detail`` is a copy, see :func:`airflow_cloudtasks.values.plain`. False if the answer comes from
            :func:`airflow_cloudtasks.values.load_json` and has no other use: copying takes as long as all the rest.

    Returns:
        The task. Its state is ``unknown`` if the status is missing, or is neither in the catalog nor overridden.

    Raises:
        NotFound: The call succeeded, but the answer holds no task.
        MalformedAnswer: The task is not a JSON object, its status is not a text or number, or nothing identifies it;
            the error names the api and the field.
    """
    task = task_object(api, answer, parameters, overrides)
    if task is None:
        raise NotFound(
            f"{api.name}: {api.task or 'the answer'} holds nothing instead of a task",
            code="NotFound",
            action=api.read.name,
            request_id=request_id(answer),
        )
    if not isinstance(task, Mapping):
        raise _malformed(api, answer, api.task or "the answer", task, "an object")
    return normalise_object(api, task, answer, parameters=parameters, region=region, overrides=overrides, copy=copy)


def task_object(
    api: TaskApi, answer: Any, parameters: Mapping[str, Any], overrides: StatusOverrides = NO_OVERRIDES
) -> Any:
    """Return the task object in an answer; None if it holds none.

    Args:
        api: The API that was called.
        answer: The decoded answer without its envelope.
        parameters: The parameters that identify the task.
        overrides: Statuses that this wait treats differently from the catalog.

    Returns:
        What the path ``api.task`` leads to. With ``api.first_ended``, the first task of that list that has ended, if
        there is one. With ``api.find_in_list``, the listed task that has the id.
    """
    if api.find_in_list and api.list_tasks is not None:
        return _listed(api, at(answer, api.list_tasks.tasks), text(parameters.get(api.id_param)))
    first = at(answer, api.task)
    found = None if api.first_ended is None else at(answer, api.first_ended)
    if not isinstance(found, list):
        return first
    tasks = [task for task in found if isinstance(task, Mapping)]
    return next((task for task in tasks if _has_ended(api, task, answer, overrides)), first)


def _listed(api: TaskApi, tasks: Any, task_id: str | None) -> Mapping[str, Any] | None:
    listed = (task for task in tasks if isinstance(task, Mapping)) if isinstance(tasks, list) else ()
    return next((task for task in listed if task_id is not None and _text_at(task, api.id) == task_id), None)


def _has_ended(api: TaskApi, task: Mapping[str, Any], answer: Any, overrides: StatusOverrides) -> bool:
    try:
        return _state(api, _status(api, task, answer), task, overrides).done
    except MalformedAnswer:  # one task that cannot be read does not hide the others
        return False


def normalise_object(
    api: TaskApi,
    task: Mapping[str, Any],
    answer: Any,
    *,
    parameters: Mapping[str, Any],
    region: str | None = None,
    overrides: StatusOverrides = NO_OVERRIDES,
    copy: bool = True,
) -> CloudTask:
    """Return the task that a task object describes, e.g. an item of a list.

    Args:
        api: The API of the task.
        task: The task object.
        answer: The answer that holds it.
        parameters: The parameters of the request that reads this task alone.
        region: The region of the request, for the console link.
        overrides: Statuses that this wait treats differently from the catalog.
        copy: Whether ``detail`` is a copy, see :func:`airflow_cloudtasks.values.plain`. False if the answer comes from
            :func:`airflow_cloudtasks.values.load_json` and has no other use: copying takes as long as all the rest.

    Raises:
        MalformedAnswer: The status is not a text or number, or nothing identifies the task; the error names the api
            and the field.
    """
    status = _status(api, task, answer)
    state = _state(api, status, task, overrides)
    shows_end = state.done or not api.restarts
    task_id = _text_at(task, api.id) or text(parameters.get(api.id_param))
    if task_id is None:
        raise _malformed(api, answer, api.id or api.id_param, None, "the task's id")
    return CloudTask(
        api=api.name,
        cloud=api.cloud,
        id=task_id,
        name=_text_at(task, api.task_name),
        state=state,
        status=status,
        progress=_progress(api, task),
        message=_message(api, task),
        created_at=_moment_at(api, task, api.created_at),
        started_at=_moment_at(api, task, api.started_at),
        finished_at=_moment_at(api, task, api.finished_at) if shows_end else None,
        request_id=request_id(answer),
        console_url=_console_url(api, parameters, region),
        detail=decoded(api, plain(task) if copy else task),
    )


def listed_state(api: TaskApi, task: Mapping[str, Any], status: str | None = None) -> TaskState:
    """Return the state that an entry of a list shows; ``unknown`` if its status cannot be read.

    Args:
        api: The API of the task.
        task: The task object.
        status: The path of the status in an entry; None for that of a single read.
    """
    try:
        found = _status(api, task, None) if status is None else text(at(task, status))
    except MalformedAnswer:
        return TaskState.UNKNOWN
    return _state(api, found, task, NO_OVERRIDES)


def fingerprint(api: TaskApi, task: Any) -> tuple[Any, ...]:
    """Return the values of the fields that may change while a task runs, as the vendor sends them.

    If two answers have equal values, the task has not changed in between, and the caller need not normalise it again.

    Args:
        api: The API of the task.
        task: The task object.
    """
    status = (api.status.complete, api.status.succeeded) if isinstance(api.status, Percentages) else (api.status,)
    times = (api.started_at, api.finished_at) if api.restarts else ()
    paths = (*status, api.progress, api.message, *times)
    values = [at(task, path) for path in paths if path is not None]
    return (*values, *(every_at(task, failure.path) for failure in api.failures))


def _status(api: TaskApi, task: Mapping[str, Any], answer: Any) -> str | None:
    if isinstance(api.status, Percentages):
        return _status_of_percentages(api.status, task)
    status = at(task, api.status)
    if status is not None and not isinstance(status, _STATUS_TYPES):
        raise _malformed(api, answer, ".".join(filter(None, (api.task_path, api.status))), status, "a status")
    return text(status)


def _status_of_percentages(percentages: Percentages, task: Mapping[str, Any]) -> str | None:
    complete, succeeded = number(at(task, percentages.complete)), _success(percentages, task)
    if complete is None or (complete >= _WHOLE and succeeded is None):
        return None
    if complete < _WHOLE:
        return percentages.INCOMPLETE
    return percentages.COMPLETE if succeeded == _WHOLE else percentages.FAILURES


def _success(percentages: Percentages, task: Mapping[str, Any]) -> float | None:
    """Return the percentage that has succeeded; None for a number that is no percentage: 250 is no success."""
    succeeded = number(at(task, percentages.succeeded))
    return succeeded if succeeded is not None and 0 <= succeeded <= _WHOLE else None


def _state(api: TaskApi, status: str | None, task: Mapping[str, Any], overrides: StatusOverrides) -> TaskState:
    state = _meaning(api, status, task, overrides)
    return TaskState.RUNNING if state.done and _is_of_earlier_run(api, task, overrides) else state


def _is_of_earlier_run(api: TaskApi, task: Mapping[str, Any], overrides: StatusOverrides) -> bool:
    """Return whether the end that a task object shows is that of an earlier run."""
    if not api.restarts or (finished := _moment_at(api, task, api.finished_at)) is None:
        return False
    started = _moment_at(api, task, api.started_at)
    if started is not None and finished < started:
        return True
    return overrides.ended_since is not None and finished.timestamp() < overrides.ended_since


def _meaning(api: TaskApi, status: str | None, task: Mapping[str, Any], overrides: StatusOverrides) -> TaskState:
    if status is None:
        return TaskState.UNKNOWN
    if (overridden := overrides.state(status)) is not None:
        return overridden
    state = api.folded_states.get(fold(status), TaskState.UNKNOWN)
    if state is TaskState.SUCCEEDED and any(_shows(failure, task) for failure in api.failures):
        return TaskState.FAILED
    return state


def _shows(failure: Failure, task: Mapping[str, Any]) -> bool:
    """Return whether a task object shows a failure."""
    values = every_at(task, failure.path)
    if not failure.values:
        return not all(map(_blank, values))
    words = {fold(word) for word in failure.values}
    return any(word is not None and fold(word) in words for word in map(_word, values))


def _word(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else text(value)


def _progress(api: TaskApi, task: Mapping[str, Any]) -> float | None:
    if api.progress is None:
        return None
    whole = at(task, api.progress_whole) if isinstance(api.progress_whole, str) else api.progress_whole
    if not isinstance(whole, int | float) or not 0 < whole < _LARGEST_COUNT:
        return None
    return fraction(at(task, api.progress), whole)


def _message(api: TaskApi, task: Mapping[str, Any]) -> str | None:
    if isinstance(api.status, Percentages) and api.message is None:
        succeeded = _success(api.status, task)
        return None if succeeded is None else f"{succeeded:.0f}% succeeded"
    return _text_at(task, api.message)


def _blank(value: Any) -> bool:
    return not (value.strip() if isinstance(value, str) else value)


def decoded(api: TaskApi, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task object with JSON inside strings decoded: the ``detail`` of the task.

    Args:
        api: The API of the task.
        task: The task object. It is not changed; the result shares everything with it that is not decoded.
    """
    detail = dict(task)
    for path in api.json_fields:
        key, _, rest = path.partition(".")
        if key in detail:
            detail[key] = _with_decoded(detail[key], rest)
    return detail


def _with_decoded(value: Any, path: str) -> Any:
    """Return a value decoded, or with the string at a dotted path in it decoded."""
    if not path:
        return embedded_json(value)
    key, _, rest = path.partition(".")
    if not isinstance(value, dict) or key not in value:
        return value
    return value | {key: _with_decoded(value[key], rest)}


def _console_url(api: TaskApi, parameters: Mapping[str, Any], region: str | None) -> str | None:
    if api.console_url is None:
        return None
    known = {**parameters, "id": parameters.get(api.id_param, ""), "region": region or ""}
    return api.console_url.format_map(
        {name: quote(str(value), safe="", errors="replace") for name, value in known.items()}
    )


def _text_at(data: Any, path: str | None) -> str | None:
    return None if path is None else text(at(data, path))


def _moment_at(api: TaskApi, task: Mapping[str, Any], path: str | None) -> datetime | None:
    return None if path is None else moment(at(task, path), api.zone)


def _malformed(api: TaskApi, answer: Any, field: str, found: Any, expected: str) -> MalformedAnswer:
    return MalformedAnswer(
        f"{api.name}: {field} holds {_kind(found)} instead of {expected}",
        api=api.name,
        field=field,
        action=api.read.name,
        request_id=request_id(answer),
    )


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a JSON {type(value).__name__}"
