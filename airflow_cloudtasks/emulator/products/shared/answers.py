"""Build the answer that shows a task. Pure: no argument is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.scripts import Position
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Call, Moment, TaskShape

_EXPIRES_AFTER_SECONDS = 7 * 86_400


def put(tree: JsonObject, path: tuple[str, ...], value: Any) -> JsonObject:
    """Return a tree with one leaf set, which shares everything else with the old tree; missing objects are created."""
    head, *rest = path
    child = tree.get(head)
    return {**tree, head: put(child if isinstance(child, dict) else {}, tuple(rest), value) if rest else value}


def without(tree: JsonObject, path: tuple[str, ...]) -> JsonObject:
    """Return a tree without the member at a path; nothing changes if there is none."""
    head, *rest = path
    if not rest:
        return {name: value for name, value in tree.items() if name != head}
    child = tree.get(head)
    return {**tree, head: without(child, tuple(rest))} if isinstance(child, dict) else tree


def merge(tree: JsonObject, changes: JsonObject) -> JsonObject:
    """Return a tree with changes: objects are merged, any other value is replaced."""
    merged = dict(tree)
    for name, change in changes.items():
        old = merged.get(name)
        merged[name] = merge(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return merged


def merge_fields(shape: TaskShape, body: JsonObject, fields: JsonObject) -> JsonObject:
    """Return an answer with a task's fields: members of its object, or whole parts beside it, by their names."""
    for name, value in fields.items():
        if name in shape.left_out:
            continue
        at = shape.task_at
        if shape.parts_at is not None and name in _at(shape.example, shape.parts_at):
            at = shape.parts_at
        body = merge(body, _nest(at, {name: value}))
    return body


def show_task(shape: TaskShape, task: Task, now: float, parameters: Mapping[str, Any]) -> JsonObject:
    """Return the answer that shows a task, or its entry in a list, without RequestId and envelope.

    The fields of the task and of its step take precedence.

    Args:
        shape: The answer's shape.
        task: The task.
        now: The tasks' time, in Unix seconds.
        parameters: The request's parameters; the task's object shows those of its scope as they were sent.
    """
    where = task.position(now)
    finished = shape.is_finished(where)
    shown = dict(_at(shape.example, shape.task_at))
    if shape.id_at:
        shown = put(shown, tuple(shape.id_at.split(".")), shape.format_id(task.id))
    for name, value in _status(shape, where.step.status).items():
        shown = put(shown, tuple(name.split(".")), value)
    for name in shape.scope:
        if name in shown and name in parameters:
            shown[name] = parameters[name]
    for stamp in shape.stamps:
        moment = _moment(stamp.moment, shape, task, where)
        if moment is not None:
            shown = put(shown, tuple(stamp.name.split(".")), stamp.format(moment))
    if shape.progress_at:
        shown[shape.progress_at] = _progress(where, shape.progress_full, finished=finished)
    body = put(shape.example, shape.task_at, shown) if shape.task_at else shown
    body = merge_fields(shape, body, task.fields)
    return merge_fields(shape, body, where.step.fields)


def show_time(shape: TaskShape, task: Task, now: float, name: str) -> Any:
    """Return one time of a task's object as :func:`show_task` shows it, at a fraction of the cost.

    Args:
        shape: The shape of the object; it has a stamp of this name.
        task: The task.
        now: The tasks' time, in Unix seconds.
        name: The name of the time.
    """
    where = task.position(now)
    if name in where.step.fields or name in task.fields:
        return where.step.fields.get(name, task.fields.get(name))
    stamp = next(stamp for stamp in shape.stamps if stamp.name == name)
    moment = _moment(stamp.moment, shape, task, where)
    return shape.example.get(name) if moment is None else stamp.format(moment)


def find_task(call: Call, reader: Action, task_id: str) -> Task:
    """Return the task that a request means.

    Args:
        call: The call.
        reader: The action that reads such tasks, which declares the refusal.
        task_id: The task's id.

    Raises:
        VendorError: There is no such task.
        TypeError: The action is declared without ``not_found``.
    """
    task = call.state.tasks.find(reader.api, task_id, call.parameters)
    if task is not None:
        return task
    not_found = reader.not_found
    if not_found is None:
        raise TypeError(f"{reader.api} reads a task: declare its not_found")
    raise VendorError(not_found.code, not_found.message, not_found.status)


def answer_task(call: Call) -> JsonObject:
    """Return the answer of an action that reads one task by its id.

    Raises:
        VendorError: There is no such task.
    """
    shape = call.action.shape
    return answer_with(call, shape, find_task(call, call.action, asked_one(call, shape.asked_by)))


def asked(parameters: Mapping[str, Any], path: str) -> list[str]:
    """Return the ids in a request, as text.

    Args:
        parameters: The parameters of the request.
        path: The parameter with an id, a list of ids, or ids with commas between them; as ``Filters[task-id]``, a
            filter of this name; as ``Jobs[].JobId``, a field of each object of a list; as ``Flow.Id``, a field of an
            object.
    """
    name, _, rest = path.partition("[")
    first, _, field = name.partition(".")
    value = parameters.get(first)
    if isinstance(value, str) and value.startswith(("[", "{")):
        value = json.loads(value)
    if field:
        value = value.get(field) if isinstance(value, dict) else None
    items = value if isinstance(value, list) else []
    if rest.startswith("]."):
        value = [item[rest[2:]] for item in items]
    elif rest:
        value = next((item.get("Values") for item in items if item.get("Name") == rest.rstrip("]")), None)
    if value is None or value == "":
        return []
    return [str(each) for each in value] if isinstance(value, list) else str(value).split(",")


def asked_one(call: Call, path: str) -> str:
    """Return the only id in a request, as text; the path is that of :func:`asked`."""
    value = call.parameters.get(path)
    return str(value) if isinstance(value, str | int) else next(iter(asked(call.parameters, path)), "")


def answer_with(call: Call, shape: TaskShape, task: Task) -> JsonObject:
    """Return the answer that shows a task by a shape, and note that the call shows it."""
    call.shows(task)
    return show_task(shape, task, call.now, call.parameters)


def _at(tree: JsonObject, path: tuple[str, ...]) -> JsonObject:
    for name in path:
        tree = tree[name]
    return tree


def _nest(path: tuple[str, ...], value: JsonObject) -> JsonObject:
    for name in reversed(path):
        value = {name: value}
    return value


def _status(shape: TaskShape, status: str | None) -> JsonObject:
    if shape.percents_at is None:
        return {shape.status_at: status if status is None else shape.format_status(status)}
    return dict(zip(shape.percents_at, map(int, str(status).split("/")), strict=True))


def _moment(moment: Moment, shape: TaskShape, task: Task, where: Position) -> float | None:
    match moment:
        case "created":
            return task.created_at
        case "started":
            return task.began_at(where.entered_at, shape.waiting)
        case "entered":
            return where.entered_at
        case "finished":
            return where.entered_at if shape.is_finished(where) else None
        case "expires":
            return task.created_at + _EXPIRES_AFTER_SECONDS


def _progress(where: Position, full: int, *, finished: bool) -> int:
    # A script that ends on a running status has no timed step left to measure: its progress stays below the end.
    return full if finished else int(full * min(where.progress, 0.99))
