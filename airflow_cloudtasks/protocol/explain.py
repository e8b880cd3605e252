"""Finds out why a task failed: which part of it, and the end of that part's log. Pure: the caller sends requests."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from airflow_cloudtasks.errors import CloudTasksError, MalformedAnswer
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.spec.parts import Log, Parts
from airflow_cloudtasks.values import at, fold, plain, text

# What a person reads; the task's detail has more.
_TOLD = 5
_LOG_LINES = 20
_LOG_CHARACTERS = 2_000

_MOST_PARTS = 100
_MOST_LOGS = 3
# A page holds some kilobytes; a log whose end is further away is cut there.
_MOST_LOG_PAGES = 100
_MOST_PAGES = 50

FAILED_PARTS = "failed_parts"

Request = tuple[Action, dict[str, Any]]
Answer = dict[str, Any] | CloudTasksError


def explanation(
    api: TaskApi, task: CloudTask, parameters: Mapping[str, Any]
) -> Generator[Request, Answer | None, CloudTask]:
    """Find out why a task failed.

    Args:
        api: The API of the task.
        task: The task as it was read.
        parameters: The parameters of the request that read it.

    Yields:
        An action and its parameters; the answer, or the error in its place, is to be sent.

    Returns:
        The task with the failed parts in its message and, as ``failed_parts``, in its detail: ``name``, ``id``,
        ``status``, ``message`` and ``log``, the last lines, of each. The task itself where nothing more is to be had.
    """
    parts = api.parts
    if parts is None or task.state is not TaskState.FAILED or FAILED_PARTS in task.detail:
        return task
    failed: list[dict[str, Any]] = []
    objects = yield from _objects(parts, task, parameters)
    for name, part in objects:
        if fold(text(at(part, parts.status)) or "") not in map(fold, parts.failed):
            continue
        log = None
        if parts.log is not None and len(failed) < _MOST_LOGS:
            log = yield from _tail(parts.log, {**parameters, **part})
        failed.append(
            {
                "name": _first(part, parts.name) or name,
                "id": text(at(part, parts.id)) if parts.id else None,
                "status": text(at(part, parts.status)),
                "message": _first(part, parts.message),
                "log": log,
            }
        )
    if not failed:
        return task
    message = "; ".join(filter(None, (task.message, *_lines(parts, failed))))
    return replace(task, message=message, detail={**task.detail, FAILED_PARTS: failed[:_MOST_PARTS]})


def _objects(
    parts: Parts, task: CloudTask, parameters: Mapping[str, Any]
) -> Generator[Request, Answer | None, list[tuple[str | None, Mapping[str, Any]]]]:
    if parts.listed is None:
        found = at(task.detail, parts.at)
        return [(None, task.detail)] if not parts.at else list(_named(found))
    objects: list[tuple[str | None, Mapping[str, Any]]] = []
    pages_left = _MOST_PAGES
    for scope in _scopes(parts, parts.listed, task, parameters):
        pages = Pages(parts.listed, scope, task.api)
        while pages.next_page is not None and pages_left:
            pages_left -= 1
            answer = yield parts.listed.action, pages.next_page
            try:
                objects.extend((None, part) for part in plain(pages.take(answer)))
            except MalformedAnswer:  # or an error in the place of an answer
                break
    return objects


def _scopes(parts: Parts, listed: TaskList, task: CloudTask, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = {name: at(task.detail, path) for name, path in parts.found.items()}
    common = {name: parameters[name] for name in listed.action.params if name in parameters} | found
    if parts.fan_out is None:
        yield common
        return
    name, path = parts.fan_out
    values = at(task.detail, path)
    yield from ({**common, name: value} for value in (values if isinstance(values, list) else []))


def _named(found: Any) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    if isinstance(found, Mapping):
        yield from ((name, part) for name, part in found.items() if isinstance(part, Mapping))
    elif isinstance(found, list):
        yield from ((None, part) for part in found if isinstance(part, Mapping))


def _tail(log: Log, known: Mapping[str, Any]) -> Generator[Request, Answer | None, list[str] | None]:
    """Read the end of a log; None where there is none to be had."""
    try:
        request = {name: made_of.format_map(known) for name, made_of in log.params.items()}
    except KeyError:
        return None
    written, cursor = "", None
    for _ in range(_MOST_LOG_PAGES):
        answer = yield log.action, request if cursor is None else {**request, log.cursor_param: cursor}
        if isinstance(answer, CloudTasksError):
            break
        page = at(answer, log.text)
        # Only the end counts, and a line is seldom longer than all that is told.
        written = (written + (page if isinstance(page, str) else ""))[-4 * _LOG_CHARACTERS :]
        following = text(at(answer, log.cursor))
        if not page or following in (None, cursor):
            break
        cursor = following
    lines = [line.rstrip() for line in written.replace(log.line_end, "\n").split("\n") if line.strip()]
    tail = plain(lines[-_LOG_LINES:])
    while len(tail) > 1 and sum(map(len, tail)) > _LOG_CHARACTERS:
        del tail[0]
    return [line[:_LOG_CHARACTERS] for line in tail] or None


def _lines(parts: Parts, failed: list[dict[str, Any]]) -> Iterator[str]:
    for part in failed[:_TOLD]:
        name = " ".join(filter(None, (part["name"], part["id"] and f"({part['id']})")))
        told = f"{name or 'a part'} is {part['status']}"
        if part["message"]:
            told += f": {part['message']}"
        log = part["log"] and "\n  ".join(("the end of its log:", *part["log"]))
        # The task itself has said already what it is.
        is_part = parts.listed is not None or parts.at
        yield "; ".join(filter(None, (told if is_part else None, log)))
    if len(failed) > _TOLD:
        yield f"and {len(failed) - _TOLD} more"


def _first(part: Mapping[str, Any], paths: tuple[str, ...]) -> str | None:
    return next((found for path in paths if (found := text(at(part, path)))), None)
