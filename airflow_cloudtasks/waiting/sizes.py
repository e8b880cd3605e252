"""How much of the tasks a trigger's event and an XCom hold. Pure.

A vendor's task object may have megabytes, and a wait may be on hundreds of tasks. Airflow keeps events and XComs in its
database. The same limit holds in every mode, so that every mode returns the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airflow_cloudtasks.errors import CloudApiError, Invalid, error_from_dict
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.waiting.verdicts import Broken, Finished, Verdict, Waiting

# Characters of JSON, for the details and the messages of all tasks of one wait together.
MOST_CHARACTERS = 250_000

# In a detail that is too large, lists with more items and texts with more characters are emptied.
_LONG_LIST = 100
_LONG_TEXT = 1_000

# A message keeps at least this much, however many tasks there are, and at most the other, if it has to be cut.
_SHORTEST_MESSAGE = 200
_LONGEST_MESSAGE = 2_000


def fitted(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts of one wait with as much of their tasks as an event and an XCom hold.

    If all details and messages together have more than :data:`MOST_CHARACTERS`, each task keeps at most an equal share.
    A larger detail loses its long lists and texts, or everything if that is not enough.

    Args:
        verdicts: The verdict on each task.
    """
    room = MOST_CHARACTERS
    for verdict in verdicts:
        if (room := room - size_of(_parts(verdict), room)) < 0:
            share = MOST_CHARACTERS // len(verdicts)
            return [_shortened(verdict, share) for verdict in verdicts]
    return list(verdicts)


def fitted_task(task: CloudTask) -> CloudTask:
    """Return a task with as much of its detail and message as an event holds.

    Args:
        task: The task.
    """
    return _shortened_task(task, MOST_CHARACTERS)


def left_out(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a line for the log about each task that :func:`fitted` shortens.

    Args:
        verdicts: The verdict on each task.
    """
    return [
        f"{verdict.task.api} {verdict.task.id}: the detail is too large for an XCom, so its long lists and texts are "
        "left out. A hook's read_task returns the whole task."
        for verdict in fitted(verdicts)
        if isinstance(verdict, Finished) and verdict.is_shortened
    ]


def size_of(value: Any, most: int) -> int:
    """Return about how many characters of JSON a value has; stop counting above a limit.

    Args:
        value: Plain JSON types.
        most: The limit.
    """
    size, rest = 0, [value]
    while rest and size <= most:
        match each := rest.pop():
            case str():
                size += len(each) + 2
            case dict():
                size += 2 + sum(len(name) + 6 for name in each)
                rest.extend(each.values())
            case list() | tuple():
                size += 2 + 2 * len(each)
                rest.extend(each)
            case _:
                size += len(str(each))
    return size


def _parts(verdict: Verdict) -> Any:
    match verdict:
        case Finished(task) | Waiting(CloudTask() as task):
            return [task.detail, task.message]
        case Broken(CloudApiError() as error) | Waiting(CloudApiError() as error):
            return error.message
        case Broken(error):
            return str(error)
        case _:
            return None


def _shortened(verdict: Verdict, most: int) -> Verdict:
    if size_of(_parts(verdict), most) <= most:
        return verdict
    match verdict:
        case Finished(task):
            return Finished(_shortened_task(task, most), is_shortened=True)
        case Waiting(CloudTask() as task):
            return Waiting(_shortened_task(task, most))
        case Broken(error):
            return Broken(_shortened_error(error, most))
        case Waiting(CloudApiError() as error):
            return Waiting(_shortened_error(error, most))
        case _:
            return verdict


def _shortened_task(task: CloudTask, most: int) -> CloudTask:
    if size_of([task.detail, task.message], most) <= most:
        return task
    message = None if task.message is None else _shortened_text(task.message, most)
    room = most - len(message or "")
    detail = _without_long_parts(task.detail)
    return replace(task, message=message, detail=detail if size_of(detail, room) <= room else {})


def _shortened_error(error: CloudApiError | Invalid, most: int) -> CloudApiError | Invalid:
    if isinstance(error, Invalid):
        return type(error)(_shortened_text(str(error), most))
    return error_from_dict(error.as_dict() | {"message": _shortened_text(error.message, most)})


def _shortened_text(text: str, most: int) -> str:
    """Return the beginning and the end of a text that is too long."""
    length = max(_SHORTEST_MESSAGE, min(most, _LONGEST_MESSAGE))
    return text if len(text) <= length else f"{text[: length // 2]} … {text[-length // 2 :]}"


def _without_long_parts(value: Any) -> Any:
    match value:
        case str():
            return value if len(value) <= _LONG_TEXT else ""
        case dict():
            return {name: _without_long_parts(each) for name, each in value.items()}
        case list():
            return [_without_long_parts(each) for each in value] if len(value) <= _LONG_LIST else []
        case _:
            return value
