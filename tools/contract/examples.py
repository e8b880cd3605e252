"""Read the vendor's examples as the package reads requests and answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.cancel_requests import refusals
from airflow_cloudtasks.protocol.normalise import normalise, normalise_object
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.start_requests import read_start_answer
from airflow_cloudtasks.spec import Action, Cancel, Find, Start, TaskApi, TaskList
from airflow_cloudtasks.values import at, text
from contract.definitions import examples, parse_input
from contract.findings import Findings
from contract.requests import parameters_of

# Takes the parameters and the answer of an example; returns what is wrong.
Check = Callable[[dict[str, Any], Any], str | None]


def compare_examples(api: TaskApi, found: Findings) -> None:
    """Read every example that the vendor ships of an API's actions.

    Args:
        api: The API.
        found: Takes the comparisons.
    """
    for use, action, check in _checks(api):
        for number, example in enumerate(examples(api.service, action.name), 1):
            found.compare("examples", f"{action.name} example {number} of {use}", _problem(action, example, check))


def _problem(action: Action, example: dict[str, str], check: Check) -> str | None:
    try:
        return check(parameters_of(action, parse_input(example["input"])), json.loads(example["output"])["Response"])
    except CloudTasksError as error:
        return str(error)
    except ValueError as error:
        return f"is no JSON: {error}"


def _checks(api: TaskApi) -> Iterator[tuple[str, Action, Check]]:
    yield "a read", api.read, lambda given, answer: _read(api, given, answer)
    if api.list_tasks is not None:
        yield "a list", api.list_tasks.action, _list(api, api.list_tasks)
    for start in api.starts:
        yield "a start", start.action, _start(api, start)
        if start.find is not None:
            yield "a look-up", start.find.tasks.action, _look_up(api, start.find)
    if api.cancel is not None:
        yield "a cancel", api.cancel.action, _cancel(api.cancel)
    if api.parts is not None and api.parts.listed is not None:
        yield "parts", api.parts.listed.action, _parts(api, api.parts.listed)


def _read(api: TaskApi, given: dict[str, Any], answer: Any) -> str | None:
    if at(answer, api.task) is None and api.task.endswith(".0"):
        return None  # a list without tasks
    task = normalise(api, answer, parameters={**given, api.id_param: given.get(api.id_param) or "asked-for"})
    return _unknown(task.status) if task.state is TaskState.UNKNOWN else None


def _unknown(status: str | None) -> str:
    return f"shows the status {status!r}, for which no state is decided"


def _list(api: TaskApi, listing: TaskList) -> Check:
    def check(given: dict[str, Any], answer: Any) -> str | None:
        for each in Pages(listing, {}, api.name).take(answer):
            task = normalise_object(api, each, answer, parameters={})
            if listing.complete and task.state is TaskState.UNKNOWN:
                return _unknown(task.status)
        return None

    return check


def _look_up(api: TaskApi, find: Find) -> Check:
    def check(given: dict[str, Any], answer: Any) -> str | None:
        listed = Pages(find.tasks, {}, api.name).take(answer)
        blank = [path for each in listed for path in (find.id, find.created_at) if text(at(each, path)) is None]
        return f"shows a task without {blank[0]}" if blank else None

    return check


def _parts(api: TaskApi, listing: TaskList) -> Check:
    def check(given: dict[str, Any], answer: Any) -> str | None:
        Pages(listing, {}, api.name).take(answer)
        return None

    return check


def _start(api: TaskApi, start: Start) -> Check:
    def check(given: dict[str, Any], answer: Any) -> str | None:
        start.check(given)
        read_start_answer(api, start, given, answer)
        return None

    return check


def _cancel(cancel: Cancel) -> Check:
    def check(given: dict[str, Any], answer: Any) -> str | None:
        refused = refusals(cancel, answer)
        return f"is read as refused: {refused}" if refused else None

    return check
