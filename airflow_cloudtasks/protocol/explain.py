"""Find out why a task failed: its failed parts, and the end of their logs. Pure: the caller sends the requests."""

from __future__ import annotations

import base64
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import zip_longest
from string import Formatter
from typing import Any, TypeVar

from airflow_cloudtasks.errors import CloudTasksError, MalformedAnswer
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.spec.parts import Log, Parts
from airflow_cloudtasks.values import at, every_at, fold, number, plain, text

# The limits of the message. The task's detail holds more.
_MAX_PARTS_IN_MESSAGE = 5
_MAX_LOG_LINES = 20
_MAX_LOG_CHARACTERS = 2_000

_MAX_PARTS_IN_DETAIL = 100
_MAX_LOGS = 3
# How much text of a log is kept while its pages are read. Only its end is needed, and lines are rarely longer.
_KEPT_LOG_CHARACTERS = 4 * _MAX_LOG_CHARACTERS
# A page holds some kilobytes. A longer log is cut here.
_MAX_LOG_PAGES = 100
_MAX_LIST_PAGES = 50
# A log is read from this long before the task was created until this long after it has ended.
_CLOCKS_DIFFER = timedelta(minutes=1)

FAILED_PARTS = "failed_parts"
"""The key of the failed parts in a task's detail."""

Request = tuple[Action, dict[str, Any]]
Answer = dict[str, Any] | CloudTasksError

_Result = TypeVar("_Result")
# Yields requests, is sent the answer to each, and returns a result.
_Requests = Generator[Request, Answer | None, _Result]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a task as the vendor sends it, with its key where the parts are objects by name."""

    fields: Mapping[str, Any]
    key: str | None = None


def explanation(
    api: TaskApi, task: CloudTask, parameters: Mapping[str, Any]
) -> Generator[Request, Answer | None, CloudTask]:
    """Find out why a task failed.

    Args:
        api: The API of the task.
        task: The task as it was read.
        parameters: The parameters of the request that read it.

    Yields:
        An action and its parameters. The caller sends back the answer, or the error that the call raised.

    Returns:
        The task with its failed parts in ``message`` and, as ``failed_parts``, in ``detail``: each has a ``name``,
        ``id``, ``status``, ``message`` and ``log`` (the last lines). The same task if no failed part is found.
    """
    parts = api.parts
    if parts is None or task.state is not TaskState.FAILED or FAILED_PARTS in task.detail:
        return task
    if parts.listed is None:
        found = _parts_in(task.detail, parts.at)
    else:
        found = yield from _listed_parts(parts, parts.listed, task, parameters)
    failed = [part for part in found if _has_failed(part, parts)]
    if not failed:
        return task
    if parts.log is not None:
        logs = yield from _logs(parts.log, failed[:_MAX_LOGS], task, parameters)
    else:
        logs = _outputs(parts, failed)
    reports = [_report(part, parts, log) for part, log in zip_longest(failed, logs)]
    message = "; ".join(filter(None, (task.message, *_lines(parts, reports))))
    return replace(task, message=message, detail={**task.detail, FAILED_PARTS: reports[:_MAX_PARTS_IN_DETAIL]})


def _parts_in(detail: Mapping[str, Any], path: str) -> list[_Part]:
    """Return the parts at a path of the task object; the empty path is the task object itself."""
    holders = every_at(detail, path) if path else [[detail]]
    return [part for holder in holders for part in _parts_of(holder)]


def _parts_of(holder: Any) -> Iterator[_Part]:
    """Yield the parts in a list of them, or in an object that has them by name."""
    if isinstance(holder, Mapping):
        yield from (_Part(fields, key) for key, fields in holder.items() if isinstance(fields, Mapping))
    if isinstance(holder, list):
        yield from (_Part(fields) for fields in holder if isinstance(fields, Mapping))


def _listed_parts(
    parts: Parts, listed: TaskList, task: CloudTask, parameters: Mapping[str, Any]
) -> _Requests[list[_Part]]:
    """Read the parts from a list; a list that cannot be read ends at its last readable page."""
    found: list[_Part] = []
    pages_left = _MAX_LIST_PAGES
    for scope in _scopes(parts, listed, task, parameters):
        pages = Pages(listed, scope, task.api)
        while pages.next_page is not None and pages_left:
            pages_left -= 1
            answer = yield listed.action, pages.next_page
            try:
                found += map(_Part, plain(pages.take(answer)))
            except MalformedAnswer:  # also raised for an error in place of an answer
                break
    return found


def _scopes(parts: Parts, listed: TaskList, task: CloudTask, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parameters of each list to read: one list, or one for each value of ``fan_out``."""
    found = {name: at(task.detail, path) for name, path in parts.found.items()}
    common = {name: parameters[name] for name in listed.action.accepted if name in parameters} | found
    if parts.fan_out is None:
        yield common
        return
    name, path = parts.fan_out
    values = at(task.detail, path)
    yield from ({**common, name: value} for value in (values if isinstance(values, list) else []))


def _has_failed(part: _Part, parts: Parts) -> bool:
    if not parts.failed:
        return _first_text(part.fields, parts.message) is not None
    return fold(text(at(part.fields, parts.status)) or "") in map(fold, parts.failed)


def _outputs(parts: Parts, failed: Sequence[_Part]) -> list[list[str] | None]:
    """Return the end of what each of the first failed parts has written, if the parts hold it."""
    if parts.output is None:
        return []
    written = (text(at(part.fields, parts.output)) for part in failed[:_MAX_LOGS])
    return [_last_lines(_from_base64(each)) or None if each else None for each in written]


def _from_base64(encoded: str) -> str:
    try:
        return base64.b64decode(encoded).decode(errors="replace")
    except ValueError:  # not Base64; the text itself may still explain the failure
        return encoded


def _logs(
    log: Log, parts: Sequence[_Part], task: CloudTask, parameters: Mapping[str, Any]
) -> _Requests[list[list[str] | None]]:
    """Read the end of each part's log; None for a part without one."""
    tails: list[list[str] | None] = []
    for part in parts:
        request = _log_request(log, task, {**parameters, **part.fields})
        tail = None if request is None else (yield from _log_tail(log, request))
        tails.append(tail)
    return tails


def _log_request(log: Log, task: CloudTask, known: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the parameters that name a part's log; None if the part lacks a field that identifies its log."""
    request: dict[str, Any] = {}
    for name, template in log.params.items():
        value = _formatted(template, known)
        if value:
            request[name] = value
        elif name not in log.action.optional:
            return None
    if log.times is not None:
        if task.created_at is None or task.finished_at is None:
            return None
        times = (task.created_at - _CLOCKS_DIFFER, task.finished_at + _CLOCKS_DIFFER)
        request |= {name: int(time.timestamp() * 1000) for name, time in zip(log.times, times, strict=True)}
    if log.page_size_param is not None:
        request[log.page_size_param] = log.page_size
    return request


class _Fields(Formatter):
    """Fills the fields of a part in; a field that is null is as good as missing."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        found = super().get_field(field_name, args, kwargs)
        if found[0] is None:
            raise KeyError(field_name)
        return found


def _formatted(template: str, known: Mapping[str, Any]) -> str:
    try:
        return _Fields().vformat(template, (), known)
    except (KeyError, TypeError):  # a field, or the object that should have it, is missing
        return ""


def _log_tail(log: Log, request: dict[str, Any]) -> _Requests[list[str] | None]:
    written = yield from (_log_text(log, request) if log.total is None else _last_page(log, log.total, request))
    return _last_lines(written.replace(log.line_end, "\n")) or None


def _last_page(log: Log, total: str, request: dict[str, Any]) -> _Requests[str]:
    """Read the last page of a log whose pages begin at any line. Its first page tells where the last one is."""
    answer = yield log.action, request
    lines = number(at(answer, total)) or 0
    if lines > log.page_size:
        answer = yield log.action, {**request, log.offset_param or "": int(lines) - log.page_size}
    return "" if isinstance(answer, CloudTasksError) else _page(log, answer)


def _log_text(log: Log, request: dict[str, Any]) -> _Requests[str]:
    """Read a log page by page, to its last readable page, and return its end."""
    written, cursor = "", None
    for _ in range(_MAX_LOG_PAGES):
        answer = yield log.action, request if cursor is None else {**request, log.cursor_param or "": cursor}
        if isinstance(answer, CloudTasksError):
            break
        page = _page(log, answer)
        written = (written + page)[-_KEPT_LOG_CHARACTERS:]
        next_cursor = None if log.cursor is None else text(at(answer, log.cursor))
        if log.newest_first or not page or next_cursor in (None, cursor):
            break
        cursor = next_cursor
    return written


def _page(log: Log, answer: Any) -> str:
    """Return the text of one page of a log."""
    if "*" not in log.text:
        page = at(answer, log.text)
        return page if isinstance(page, str) else ""
    lines = [line for line in every_at(answer, log.text) if isinstance(line, str)]
    return "".join(f"{line}\n" for line in (reversed(lines) if log.newest_first else lines))


def _last_lines(written: str) -> list[str]:
    """Return the last lines that are not blank, within the limits; of a last line that is too long, its start."""
    lines = [line.rstrip() for line in written.split("\n") if line.strip()]
    tail: list[str] = plain(lines[-_MAX_LOG_LINES:])
    while len(tail) > 1 and sum(map(len, tail)) > _MAX_LOG_CHARACTERS:
        del tail[0]
    return [line[:_MAX_LOG_CHARACTERS] for line in tail]


def _report(part: _Part, parts: Parts, log: list[str] | None) -> dict[str, Any]:
    return {
        "name": _first_text(part.fields, parts.name) or part.key,
        "id": text(at(part.fields, parts.id)) if parts.id else None,
        "status": text(at(part.fields, parts.status)),
        "message": _first_text(part.fields, parts.message),
        "log": log,
    }


def _lines(parts: Parts, reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the task's message says of its failed parts."""
    # Without a list and a path, the only part is the task itself, whose message already says how it ended.
    is_task_itself = parts.listed is None and not parts.at
    for report in reports[:_MAX_PARTS_IN_MESSAGE]:
        ending = None if is_task_itself else _ending(report)
        log = report["log"] and "\n  ".join(("the end of its log:", *report["log"]))
        yield "; ".join(filter(None, (ending, log)))
    if len(reports) > _MAX_PARTS_IN_MESSAGE:
        yield f"and {len(reports) - _MAX_PARTS_IN_MESSAGE} more"


def _ending(report: Mapping[str, Any]) -> str:
    name = " ".join(filter(None, (report["name"], report["id"] and f"({report['id']})")))
    ending = f"{name or 'a part'} is {report['status']}"
    return f"{ending}: {report['message']}" if report["message"] else ending


def _first_text(part: Mapping[str, Any], paths: tuple[str, ...]) -> str | None:
    return next((found for path in paths if (found := text(at(part, path)))), None)
