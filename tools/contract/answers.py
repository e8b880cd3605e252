"""Compare the paths that the spec reads with the definitions of the vendor's answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.spec import Action, Feed, ManyIds, Percentages, Start, TaskApi, TaskList
from contract.definitions import ANYTHING, UNDESCRIBED, defined_actions, shapes_at, types_at
from contract.findings import Findings
from contract.requests import requests

Types = frozenset[str]
TEXT: Types = frozenset({"string"})
# Vendors also write these as numbers.
WORD: Types = frozenset({"string", "integer", "number"})
NUMBER: Types = frozenset({"integer", "number"})
COUNT: Types = frozenset({"integer"})
LIST: Types = frozenset({"array"})
OBJECTS: Types = frozenset({"array", "object"})
ANY: Types = frozenset({"string", "integer", "number", "boolean", "array", "object"})
# Where an answer is, and a path there: the action, the path of the object, the path in it, and the types that fit.
Read = tuple[Action, str, str, Types]


def task_fields(api: TaskApi) -> Iterator[tuple[str, Types]]:
    """Yield the paths that an API reads in a task object, with the types that fit.

    Args:
        api: The API.
    """
    texts: list[str | None] = [api.task_name, api.message, *api.json_fields]
    words = [api.id, api.created_at, api.started_at, api.finished_at]
    numbers = [api.progress, api.progress_whole if isinstance(api.progress_whole, str) else None]
    if isinstance(api.status, Percentages):
        numbers += [api.status.complete, api.status.succeeded]
    else:
        words.append(api.status)
    for paths, types in ((texts, TEXT), (words, WORD), (numbers, NUMBER)):
        yield from ((path, types) for path in paths if path is not None)
    for failure in api.failures:
        yield failure.path, WORD | {"boolean"} if failure.values else ANY


def reads(api: TaskApi) -> Iterator[Read]:
    """Yield everything that an API reads in its actions' answers.

    Args:
        api: The API.
    """
    yield api.read, "", api.task_path, frozenset({"object"})
    if api.first_ended is not None:
        yield api.read, "", api.first_ended, LIST
    yield from ((api.read, api.task_path, path, types) for path, types in task_fields(api))
    if api.list_tasks is not None:
        yield from _of_list(api.list_tasks, _listed_fields(api, api.list_tasks))
    if (together := api.read_many) is not None:
        yield together.action, "", together.tasks, LIST
        fields = _listed_fields(api, together)
        yield from ((together.action, f"{together.tasks}.*", path, types) for path, types in fields)
    if api.feed is not None:
        yield from _of_list(api.feed.tasks, _feed_fields(api, api.feed))
    for request in requests(api):
        yield from _of_any(request.action)
    for start in api.starts:
        yield from _of_start(start)
    yield from _of_cancel(api)
    yield from _of_parts(api)
    yield from _of_results(api)


def _of_any(action: Action) -> Iterator[Read]:
    """Yield how the answer to an action tells an error."""
    if action.success is not None:
        yield action, "", action.success.flag, WORD | {"boolean"}
        yield from ((action, "", path, WORD) for path in (action.success.code, action.success.message) if path)
    if action.error_beside is not None:
        yield action, "", action.error_beside, ANY


def _listed_fields(api: TaskApi, listing: TaskList | ManyIds) -> Iterator[tuple[str, Types]]:
    """Yield what is read of a task in a list or a batch: everything, or what tells whether it has ended."""
    needed = {api.id} | ({api.status.complete} if isinstance(api.status, Percentages) else {api.status})
    yield from ((path, types) for path, types in task_fields(api) if listing.complete or path in needed)


def _feed_fields(api: TaskApi, feed: Feed) -> Iterator[tuple[str, Types]]:
    """Yield what is read of an entry of a feed: everything, or what tells which task has ended, and when."""
    statuses = {api.status.complete} if isinstance(api.status, Percentages) else {api.status}
    own = {feed.id or api.id, feed.ended_at or api.finished_at, *({feed.status} if feed.status else statuses)}
    yield from ((path, WORD) for path in own if path is not None)
    if feed.tasks.complete:
        yield from task_fields(api)


def _of_list(listing: TaskList, fields: Iterable[tuple[str, Types]]) -> Iterator[Read]:
    action = listing.action
    yield action, "", listing.tasks, LIST
    for path, types in ((listing.next_page, TEXT), (listing.page_count, COUNT), (listing.total, COUNT)):
        if path is not None:
            yield action, "", path, types
    yield from ((action, f"{listing.tasks}.*", path, types) for path, types in fields)


def _of_start(start: Start) -> Iterator[Read]:
    for path in (start.id, start.job):
        if path is not None:
            yield start.action, "", path, WORD
    if start.job_ids is not None and start.job_api in APIS:
        job = APIS[start.job_api or ""]
        yield job.read, job.task_path, start.job_ids, WORD | LIST
    if start.find is not None:
        shown = ((path, ANY) for path in start.find.shows)
        fields = ((path, WORD) for path in (start.find.id, start.find.created_at, *start.find.fields))
        yield from _of_list(start.find.tasks, (*fields, *shown))


def _of_cancel(api: TaskApi) -> Iterator[Read]:
    cancel = api.cancel
    if cancel is None:
        return
    yield from ((api.read, api.task_path, path, WORD) for path in cancel.found.values())
    if cancel.items is not None:
        yield cancel.action, "", cancel.items, OBJECTS
        at = cancel.items
        if types_at(_answer(api, cancel.action), at) == {"array"}:
            at = f"{at}.*"
            yield cancel.action, at, cancel.item_id, WORD
        yield cancel.action, at, cancel.ok, WORD | {"boolean"}
        if cancel.why_not is not None:
            yield cancel.action, at, cancel.why_not, TEXT


def _of_parts(api: TaskApi) -> Iterator[Read]:
    parts = api.parts
    if parts is None:
        return
    fields = [(path, WORD) for path in (parts.status, parts.id, *parts.name) if path]
    fields += [(path, ANY) for path in parts.message]
    fields += [(parts.output, TEXT)] if parts.output else []
    yield from ((api.read, api.task_path, path, WORD) for path in parts.found.values())
    if parts.fan_out is not None:
        yield api.read, api.task_path, parts.fan_out[1], LIST
    if parts.listed is not None:
        yield from _of_list(parts.listed, fields)
    elif parts.at:
        yield api.read, api.task_path, parts.at, TEXT if parts.at in api.json_fields else OBJECTS
        yield from ((api.read, f"{api.task_path}.{parts.at}.*".lstrip("."), path, types) for path, types in fields)
    else:
        yield from ((api.read, api.task_path, path, types) for path, types in fields)
    if parts.log is not None:
        yield parts.log.action, "", parts.log.text, TEXT
        yield from ((parts.log.action, "", path, WORD) for path in (parts.log.cursor, parts.log.total) if path)


def _of_results(api: TaskApi) -> Iterator[Read]:
    results = api.results
    if results is None:
        return
    if results.action is None:
        action, at = api.read, f"{api.task_path}.{results.at}.*"
        yield action, "", f"{api.task_path}.{results.at}", LIST
    else:
        action, at = results.action, results.at
        yield from ((action, "", path, TEXT) for path in (results.next_page,) if path)
        yield from ((action, at, path, WORD) for path in (results.status,) if path)
    yield action, at, results.columns, LIST
    yield action, f"{at}.{results.columns}.*", results.column_name, TEXT
    yield from ((action, at, path, TEXT | LIST) for path in results.rows)
    if results.values:
        yield from ((action, f"{at}.{path}.*", results.values, LIST) for path in results.rows)


def _answer(api: TaskApi, action: Action) -> Any:
    """Return the definition of an answer; None if the vendor defines no such action."""
    return defined_actions(api.service).get(action.name, {}).get("answer")


def compare_answers(api: TaskApi, found: Findings) -> None:
    """Compare every path that an API reads with the definition of the answer.

    Args:
        api: The API.
        found: Takes the comparisons.
    """
    for action, at, path, types in reads(api):
        if (answer := _answer(api, action)) is None:
            continue  # a deviation of the action's request
        kinds = {kind for shape in shapes_at(answer, at) for kind in types_at(shape, path)}
        found.compare("paths", f"{action.name} {_joined(at, path) or 'answer'}", _mismatch(kinds, types))
    for listing in (api.list_tasks, api.read_many):
        if listing is not None:
            _compare_listed(api, listing, found)
    if api.feed is not None and api.feed.tasks.complete:
        _compare_listed(api, api.feed.tasks, found)


def _joined(*paths: str) -> str:
    return ".".join(filter(None, paths))


def _mismatch(kinds: set[str], types: Types) -> str | None:
    if not kinds:
        return "is read, and the vendor's answer has no such field"
    if kinds == {UNDESCRIBED}:
        return "is read, and no definition describes it"
    if kinds & {*types, ANYTHING}:
        return None
    return f"is read as {' or '.join(sorted(types))}; the vendor defines {' or '.join(sorted(kinds))}"


def _compare_listed(api: TaskApi, listing: TaskList | ManyIds, found: Findings) -> None:
    """Compare a task in a list or a batch with that of a single read: ``complete`` says whether it has every field."""
    single, listed = (
        shapes_at(_answer(api, api.read), api.task_path),
        shapes_at(_answer(api, listing.action), f"{listing.tasks}.*"),
    )
    if single and listed and all(isinstance(shape, dict) for shape in (single[0], listed[0])):
        lacking = sorted(single[0].keys() - listed[0].keys())
        problem = f"is complete, and lacks {', '.join(lacking)}" if lacking else "has every field, and is not complete"
        found.compare(
            "paths", f"{listing.action.name} complete", None if listing.complete is not bool(lacking) else problem
        )
