"""Build start requests, read their answers, and recognise the task of a request that got no answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.task_ids import one_task_id, task_ids
from airflow_cloudtasks.spec import Start, TaskApi
from airflow_cloudtasks.values import at, embedded_json, load_json, moment, request_id, text

# How far this machine's clock may be ahead of the vendor's.
CLOCK_SLACK = timedelta(seconds=60)
# The usual difference, including the fraction of a second that the vendor's times lack.
_CLOCK_ERROR = timedelta(seconds=2)

# The field of a start's ``mark`` that holds its token.
_MARK = "airflow_start"


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """What the answer to a start request says.

    Args:
        ids: The ids of the started tasks; empty if only their job knows them.
        job: The id of the job that must end before the tasks begin; None for no job.
    """

    ids: tuple[str, ...]
    job: str | None = None


def identifying_params(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the ``api_params`` of the new task: what identifies it besides its id, and what its cancellation needs.

    Args:
        api: The API that reads the task.
        start: The action that starts it.
        parameters: The parameters of the start request.
    """
    known = api.known_params({**parameters, **start.names})
    # A parameter may have the name of another kind of thing in the two requests.
    return {name: str(value) for name, value in known.items() if start.encodings.get(name, "id") == "id"}


def read_start_answer(api: TaskApi, start: Start, parameters: Mapping[str, Any], answer: Any) -> StartAnswer:
    """Return what the answer to a start request says.

    Args:
        api: The API that reads the task.
        start: The action that starts it.
        parameters: The parameters of the request.
        answer: The answer without its envelope.

    Raises:
        MalformedAnswer: The answer has no id of the new task, or of its job; the error names the api and the field.
    """
    if start.ids_param is not None:
        ids = requested_ids(api, start, parameters)
    elif start.named_by is not None:
        ids = (named_id(api, start, parameters),)
    else:
        ids = () if start.job_ids is not None else (_id(api, start, answer, start.id),)
    return StartAnswer(ids, None if start.job is None else _id(api, start, answer, start.job))


def ids_from_job(start: Start, job: CloudTask) -> tuple[str, ...]:
    """Return the ids of the tasks that a job has made; empty if it shows none.

    Args:
        start: The action that starts the job; it has ``job_ids``.
        job: The job, which has ended.
    """
    found = at(job.detail or {}, start.job_ids or "")
    ids = map(text, found if isinstance(found, list) else [found])
    return tuple(dict.fromkeys(filter(None, ids)))


def requested_ids(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the tasks that a request restarts.

    Args:
        api: The API that reads the tasks.
        start: The action that restarts the tasks; it has an ``ids_param``.
        parameters: The parameters of the request.

    Raises:
        InvalidArguments: The parameters hold no ids, or something that cannot be an id.
    """
    return task_ids(encode(api, start, parameters)[start.ids_param or ""], api)


def named_id(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> str:
    """Return the id that a request gives the new task.

    Args:
        api: The API that reads the task.
        start: The action; it has ``named_by``.
        parameters: The parameters of the request with its mark.

    Raises:
        InvalidArguments: The user's value cannot be an id.
    """
    return one_task_id(parameters[start.named_by or ""], api)


def with_mark(start: Start, parameters: Mapping[str, Any], token: str) -> dict[str, Any]:
    """Return the parameters of a start request with a token that identifies the request.

    Args:
        start: The action.
        parameters: Its parameters, before they are encoded.
        token: A token that no other start has.

    Returns:
        A copy of the parameters. The token is the client token, if the action has one and the user set none. It is
        also added to the ``mark`` parameter, if the action has one and the user's value is blank or a JSON object with
        enough room. The new task's id is made of it, if the request names the task and the user has not.
    """
    marked = dict(parameters)
    if start.named_by is not None and not marked.get(start.named_by):
        marked[start.named_by] = _made_id(token)
    if start.client_token is not None and not marked.get(start.client_token):
        marked[start.client_token] = token
    if start.mark is not None:
        value = _marked_value(marked.get(start.mark), token)
        if value is not None and _json_bytes(value) <= start.mark_bytes:
            marked[start.mark] = value
    return marked


def with_queue(start: Start, parameters: Mapping[str, Any], queue: str) -> Mapping[str, Any]:
    """Return the parameters of a start request with the queue that the vendor is to send the end of the task to.

    Args:
        start: The action.
        parameters: Its parameters with the token, before they are encoded.
        queue: The queue's name.

    Returns:
        A copy of the parameters; or the parameters themselves if the action names no queue, if they name one already,
        or if there is no room for it: a queue only makes ends known sooner.
    """
    name, _, field = (start.notify or "").partition(".")
    value = parameters.get(name)
    holder = load_json(value) if isinstance(value, str) and value else (value or {})
    if start.notify is None or not isinstance(holder, Mapping) or field in holder:
        return parameters
    notified = {**holder, field: queue}
    return {**parameters, name: notified} if _json_bytes(notified) <= start.mark_bytes else parameters


def shows_mark(start: Start, parameters: Mapping[str, Any], token: str) -> bool:
    """Return whether a listed task that matches a request must show the request's token.

    Args:
        start: The action; it has a ``find``.
        parameters: The parameters of the request without its mark.
        token: The token.
    """
    if start.named_by is not None:
        return bool(with_mark(start, parameters, token)[start.named_by] == _made_id(token))
    if start.mark is None or start.find is None or start.mark not in start.find.shows.values():
        return False
    value = with_mark(start, parameters, token).get(start.mark)
    return isinstance(value, Mapping) and value.get(_MARK) == token


def _made_id(token: str) -> str:
    """Return the id that a new task gets; vendors' ids may have to begin with a letter."""
    return f"a{token}"


def _marked_value(value: Any, token: str) -> dict[str, Any] | None:
    """Return a value of the mark parameter with the token; None if it cannot hold one."""
    holder = load_json(value) if isinstance(value, str) and value else (value or {})
    return {**holder, _MARK: token} if isinstance(holder, Mapping) else None


def _json_bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode())


def can_find(start: Start, parameters: Mapping[str, Any]) -> bool:
    """Return whether the task of a start without an answer can be looked up: by its id, or in a list of the vendor.

    Args:
        start: The action.
        parameters: The parameters of the start request; the list needs some of them.
    """
    if start.named_by is not None:
        return True
    return start.find is not None and all(parameters.get(name) for name in start.find.tasks.action.params)


def earliest_creation(sent_at: float) -> datetime:
    """Return the earliest creation time that the vendor may record for the task of a start request.

    Args:
        sent_at: When the request was sent, in Unix seconds by this machine's clock.
    """
    return datetime.fromtimestamp(sent_at, UTC) - CLOCK_SLACK


def earliest_end(sent_at: float) -> float:
    """Return the earliest end, in Unix seconds, that the vendor may record for a run that a start request began.

    Args:
        sent_at: When the request was sent, in Unix seconds by this machine's clock.
    """
    return sent_at - _CLOCK_ERROR.total_seconds()


def created_at(api: TaskApi, start: Start, task: Mapping[str, Any]) -> datetime | None:
    """Return the creation time of a listed task; None if it shows none.

    Args:
        api: The API that reads the task.
        start: The action; it has a ``find``.
        task: The task object of the list, decoded.
    """
    return None if start.find is None else moment(at(task, start.find.created_at), api.zone)


def may_predate_request(created: datetime | None, sent_at: float) -> bool:
    """Return whether a task may have existed before a start request, so that another request started it.

    Args:
        created: The task's creation time; None if it shows none.
        sent_at: When the request was sent, in Unix seconds by this machine's clock.
    """
    return created is None or created < datetime.fromtimestamp(sent_at, UTC) - _CLOCK_ERROR


def expected_fields(api: TaskApi, start: Start, parameters: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what a listed task shows if a start request has started it.

    Args:
        api: The API that reads the task.
        start: The action that starts it; it has a ``find``.
        parameters: The parameters of the request with its mark, before they are encoded.

    Returns:
        By path in the task object: the parameter's value before and after it was encoded. Vendors do not always
        document which of the two they show.
    """
    sent = encode(api, start, parameters)
    shows = {} if start.find is None else start.find.shows
    return {path: (_json(parameters.get(name)), _json(sent.get(name))) for path, name in shows.items()}


def look_up_scope(start: Start, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return what every task has in common that a look-up may take for the task of a start request.

    A parameter that the request omits matches any value, and a list does not show all parameters. So requests whose
    other parameters differ may find each other's tasks.

    Args:
        start: The action that starts the task.
        parameters: The parameters of the request.

    Returns:
        The parameters of the list, and the ids that a listed task shows. Empty without a look-up.
    """
    if start.find is None:
        return {}
    shown = start.find.shows.values()
    ids = {name for name in shown if name in start.action.params and start.encodings.get(name) == "id"}
    names = {*start.find.tasks.action.params, *ids}
    return {name: str(parameters[name]) for name in sorted(names) if name in parameters}


def look_up_texts(start: Start, parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that a listed task shows, if a request gives all of them.

    Two requests that give all texts, and differ in one, cannot find each other's tasks. A request that omits one can.

    Args:
        start: The action that starts the task.
        parameters: The parameters of the request.
    """
    names = () if start.find is None else start.find.shows.values()
    texts = {name: embedded_json(parameters.get(name)) for name in names}
    are_given = all(isinstance(value, str) and value.strip() for value in texts.values())
    return {name: value.strip() for name, value in texts.items()} if are_given else {}


def is_candidate(
    start: Start,
    expected: Mapping[str, tuple[Any, Any]],
    task: Mapping[str, Any],
    created: datetime | None,
    since: datetime,
) -> bool:
    """Return whether a start request may have started a listed task.

    Args:
        start: The action; it has a ``find``.
        expected: The result of :func:`expected_fields`.
        task: The task object of the list, decoded.
        created: The task's creation time. A task without one may have been created at any time.
        since: The result of :func:`earliest_creation`.
    """
    find = start.find
    if find is None or (created is not None and created < since):
        return False
    has_fields = all(text(at(task, path)) == value for path, value in find.fields.items())
    return has_fields and all(
        any(_shows(at(task, path), value, start.key_and_value) for value in values) for path, values in expected.items()
    )


def _shows(shown: Any, expected: Any, key_and_value: tuple[str, str]) -> bool:
    """Return whether a field of a task shows an expected value; it may show more than that."""
    if expected is None or expected == "":
        return True
    shown = embedded_json(shown)
    if isinstance(shown, dict) and isinstance(expected, list):
        expected = _dict_of_pairs(expected, key_and_value)
    match expected, shown:
        case dict(), dict():
            return all(name in shown and _is_same(value, shown[name]) for name, value in expected.items())
        case list(), list():
            return all(_contains(shown, item) for item in expected)
        case _, list():
            return _contains(shown, expected)
        case _:
            return _is_same(expected, shown)


def _dict_of_pairs(pairs: list[Any], key_and_value: tuple[str, str]) -> dict[Any, Any]:
    """Return as a dict what the request sent as a list of objects with a key and a value."""
    key, value = key_and_value
    return {pair.get(key): pair.get(value) for pair in pairs if isinstance(pair, dict)}


def _contains(items: list[Any], expected: Any) -> bool:
    return any(_is_same(expected, item) for item in items)


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two values are equal, or equal as text: vendors show numbers as text and text as numbers."""
    return one == other or (text(one) is not None and text(one) == text(other))


def _json(value: Any) -> Any:
    """Return a value as it is after a round trip through JSON."""
    return embedded_json(value if isinstance(value, str) else json.loads(json.dumps(value, default=str)))


def _id(api: TaskApi, start: Start, answer: Any, path: str | None) -> str:
    found = text(at(answer, path or ""))
    if found is None:
        raise MalformedAnswer(
            f"{api.name}: {path} holds no id of a new task",
            api=api.name,
            field=path or "",
            action=start.action.name,
            request_id=request_id(answer),
        )
    return found
