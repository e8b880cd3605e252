"""What a start request and its answer mean: the new task's names, the mark that it is found by. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.task_ids import task_ids
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.values import at, embedded_json, load_json, moment, text

# How far this machine's clock may be before the vendor's.
CLOCK_SLACK = timedelta(seconds=60)
# How far it is at most as a rule, with the second that the vendor's times are cut to.
_CLOCK_ERROR = timedelta(seconds=2)

_MARK = "airflow_start"


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """What the answer to a start request says.

    Args:
        ids: The ids of the tasks.
        job: The id of the job that has to end before they have begun; None where there is none.
    """

    ids: tuple[str, ...]
    job: str | None = None


def naming_params(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Give what names the new task besides its id: the ``api_params`` to wait for it with.

    Args:
        api: The API that reads the task.
        start: The action that starts it.
        parameters: The parameters of the start request.
    """
    known = {**parameters, **start.names}
    return {name: str(known[name]) for name in api.task_params if known.get(name) is not None}


def read_start_answer(api: TaskApi, start: Start, parameters: Mapping[str, Any], answer: Any) -> StartAnswer:
    """Read the answer to a start request.

    Args:
        api: The API that reads the task.
        start: The action.
        parameters: The parameters of the request.
        answer: The answer, out of its envelope.

    Raises:
        MalformedAnswer: It has no id where the new one should stand; names the api and the field.
    """
    ids = requested_ids(api, start, parameters) if start.ids_param else (_id(api, start, answer, start.id),)
    return StartAnswer(ids, None if start.job is None else _id(api, start, answer, start.job))


def requested_ids(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the ids of the tasks that a request starts anew.

    Args:
        api: The API that reads the tasks.
        start: The action; it has an ``ids_param``.
        parameters: The parameters of the request.

    Raises:
        InvalidArguments: There are none, or they are no ids.
    """
    return task_ids(encode(api, start, parameters)[start.ids_param or ""])


def with_mark(start: Start, parameters: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Put into the parameters what the vendor, or a look-up, knows the request by.

    Args:
        start: The action.
        parameters: Its parameters, before they are encoded.
        token: A token of this start alone.

    Returns:
        The parameters: with the client token, if the action has one and the user gave none; with the mark, where the
        user gave nothing or a JSON object with room for it.
    """
    marked = dict(parameters)
    if start.client_token is not None and not marked.get(start.client_token):
        marked[start.client_token] = token
    if start.mark is not None:
        given = marked.get(start.mark)
        holder = load_json(given) if isinstance(given, str) and given else (given or {})
        if isinstance(holder, Mapping):
            candidate = {**holder, _MARK: token}
            if len(json.dumps(candidate, ensure_ascii=False, default=str).encode()) <= start.mark_bytes:
                marked[start.mark] = candidate
    return marked


def can_find(start: Start, parameters: Mapping[str, Any]) -> bool:
    """Whether a task that was started with these parameters is in a list of the vendor."""
    return start.find is not None and all(parameters.get(name) for name in start.find.tasks.action.params)


def earliest_creation(sent_at: float) -> datetime:
    """Give the earliest time of creation that a task may show whose start was asked for then.

    Args:
        sent_at: Unix seconds, by this machine's clock.
    """
    return datetime.fromtimestamp(sent_at, UTC) - CLOCK_SLACK


def created_at(api: TaskApi, start: Start, task: Mapping[str, Any]) -> datetime | None:
    """Give the time of creation of a listed task; None where it shows none.

    Args:
        api: The API that reads the task.
        start: The action; it has a ``find``.
        task: The task object of the list, decoded.
    """
    return None if start.find is None else moment(at(task, start.find.created_at), api.zone)


def predates_request(created: datetime | None, sent_at: float) -> bool:
    """Whether a task may well be one that was there when its start was asked for, whatever else speaks for it.

    Args:
        created: The time of its creation.
        sent_at: Unix seconds, by this machine's clock.
    """
    return created is None or created < datetime.fromtimestamp(sent_at, UTC) - _CLOCK_ERROR


def expected_fields(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Give what a listed task has to show, if a request has started it.

    Args:
        api: The API that reads the task.
        start: The action; it has a ``find``.
        parameters: What was asked for, before it was encoded, with its mark.

    Returns:
        Where the task shows it, with what was asked for and what of that was sent. Whether the vendor shows what it
        got, or what it made of that, is not always documented.
    """
    sent = encode(api, start, parameters)
    shows = {} if start.find is None else start.find.shows
    return {path: (_json(parameters.get(name)), _json(sent.get(name))) for path, name in shows.items()}


def may_be_started_by(
    start: Start,
    asked: Mapping[str, tuple[Any, Any]],
    task: Mapping[str, Any],
    created: datetime | None,
    since: datetime,
) -> bool:
    """Decide whether a listed task may be one that a request started.

    Args:
        start: The action; it has a ``find``.
        asked: What :func:`asked_for` gave.
        task: The task object of the list, decoded.
        created: The time of its creation. A task without one has been created just now, for all that is known.
        since: What :func:`earliest` gave.
    """
    find = start.find
    return (
        find is not None
        and (created is None or created >= since)
        and all(text(at(task, path)) == value for path, value in find.fields.items())
        and all(
            any(_agrees(each, at(task, path), *start.key_and_value) for each in either)
            for path, either in asked.items()
        )
    )


def _agrees(asked: Any, shown: Any, key: str, value: str) -> bool:
    """Whether what is shown holds all that was asked for; what was not asked for may be anything."""
    shown = embedded_json(shown)
    if asked is None or asked == "":
        return True
    if isinstance(asked, list) and isinstance(shown, dict):
        asked = {each.get(key): each.get(value) for each in asked if isinstance(each, dict)}
    match asked, shown:
        case dict(), dict():
            return all(name in shown and _same(item, shown[name]) for name, item in asked.items())
        case list(), list():
            return all(any(_same(item, other) for other in shown) for item in asked)
        case _, list():
            return any(_same(asked, other) for other in shown)
        case _:
            return _same(asked, shown)


def _same(one: Any, other: Any) -> bool:
    return one == other or (text(one) is not None and text(one) == text(other))


def _json(value: Any) -> Any:
    """Give a value as it comes back from JSON."""
    return embedded_json(value if isinstance(value, str) else json.loads(json.dumps(value, default=str)))


def _id(api: TaskApi, start: Start, answer: Any, path: str | None) -> str:
    found = text(at(answer, path or ""))
    if found is None:
        raise MalformedAnswer(
            f"{api.name}: {path} holds no id of a new task",
            api=api.name,
            field=path or "",
            action=start.action.name,
            request_id=text(at(answer, "RequestId")),
        )
    return found
