"""How an answer that shows a task is put together. Pure: nothing it is given is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Position, began_at, position
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Call, Moment, TaskShape

_EXPIRES_AFTER_SECONDS = 7 * 86_400


def put(tree: JsonObject, path: tuple[str, ...], value: Any) -> JsonObject:
    """Set one leaf of a tree.

    Args:
        tree: The tree, left as it is.
        path: The keys to the leaf; objects missing on the way are made.
        value: The leaf.

    Returns:
        A tree with the leaf set, sharing with the old one all that did not change.
    """
    head, *rest = path
    child = tree.get(head)
    return {**tree, head: put(child if isinstance(child, dict) else {}, tuple(rest), value) if rest else value}


def merge(tree: JsonObject, changes: JsonObject) -> JsonObject:
    """Lay changes over a tree: objects are merged, anything else is replaced.

    Args:
        tree: The tree, left as it is.
        changes: What to lay over it.

    Returns:
        The merged tree.
    """
    merged = dict(tree)
    for name, change in changes.items():
        old = merged.get(name)
        merged[name] = merge(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return merged


def merge_fields(shape: TaskShape, body: JsonObject, fields: JsonObject) -> JsonObject:
    """Lay a task's fields over its answer, each where it belongs.

    Args:
        shape: The answer's shape.
        body: The answer so far.
        fields: Fields of the task's object, or whole parts beside it by their names.

    Returns:
        The answer with the fields.
    """
    for name, value in fields.items():
        if name in shape.left_out:
            continue
        at = shape.task_at
        if shape.parts_at is not None and name in _at(shape.example, shape.parts_at):
            at = shape.parts_at
        body = merge(body, _nest(at, {name: value}))
    return body


def show_task(shape: TaskShape, task: Task, where: Position, parameters: Mapping[str, Any]) -> JsonObject:
    """Build the answer that shows a task, or one entry of an answer that shows many.

    Args:
        shape: The answer's shape.
        task: The task.
        where: Where it stands.
        parameters: The request's parameters; those of the scope that the task's object shows are shown as asked for.

    Returns:
        The answer, without RequestId and envelope. What the task's and the step's own fields say wins over all else.
    """
    finished = is_finished(shape, where)
    # One copy, filled in place: a page of a list has 500 of these.
    shown = dict(_at(shape.example, shape.task_at))
    shown[shape.id_at] = shape.format_id(task.id)
    shown.update(_status(shape, where.step.status))
    for name in shape.scope:
        if name in shown:
            shown[name] = parameters[name]
    for stamp in shape.stamps:
        moment = _moment(stamp.moment, shape, task, where)
        if moment is not None:
            shown[stamp.name] = stamp.format(moment)
    if shape.progress_at:
        shown[shape.progress_at] = _progress(where, shape.progress_full, finished=finished)
    body = put(shape.example, shape.task_at, shown) if shape.task_at else shown
    body = merge_fields(shape, body, task.fields)
    return merge_fields(shape, body, where.step.fields)


def is_finished(shape: TaskShape, where: Position) -> bool:
    """Tell whether a task has ended.

    Args:
        shape: The shape of its answer.
        where: Where it stands.

    Returns:
        Whether nothing comes any more.
    """
    if shape.percents_at is not None:
        return where.is_last and str(where.step.status).startswith("100/")
    return where.is_last and where.step.status not in shape.unfinished


def shape_of(action: Action) -> TaskShape:
    """Give the shape of the task that an action shows.

    Args:
        action: The action.

    Returns:
        Its shape.

    Raises:
        TypeError: The action is declared without one.
    """
    if action.task is None:
        raise TypeError(f"{action.api} shows a task: declare its shape")
    return action.task


def find_task(call: Call, reader: Action, task_id: str) -> Task:
    """Find a task that a request means, or refuse.

    Args:
        call: The call.
        reader: The action that reads such tasks, which declares how one that does not exist is refused.
        task_id: The task's id.

    Returns:
        The task.

    Raises:
        VendorError: There is no such task.
        TypeError: The action is declared without ``not_found``.
    """
    task = call.state.tasks.find(reader.api, task_id, call.parameters)
    if task is not None:
        return task
    not_found = reader.not_found
    if not_found is None:
        raise TypeError(f"{reader.api} shows a task: declare its not_found")
    raise VendorError(not_found.code, not_found.message, not_found.status)


def answer_task(call: Call) -> JsonObject:
    """Answer an action that reads one task by its id: the ``answer`` of most actions.

    Args:
        call: The call, of an action that declares ``task`` and ``not_found``.

    Returns:
        The answer, without RequestId and envelope.

    Raises:
        VendorError: There is no such task.
    """
    shape = shape_of(call.action)
    return answer_with(call, shape, find_task(call, call.action, call.parameters[shape.asked_by]))


def answer_with(call: Call, shape: TaskShape, task: Task) -> JsonObject:
    """Show a task to a caller.

    Args:
        call: The call.
        shape: How it is shown.
        task: The task.

    Returns:
        The answer or the entry of a list.
    """
    where = position(task.script, task.created_at, call.now)
    call.shows(task, where)
    return show_task(shape, task, where, call.parameters)


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
        return {shape.status_at: status}
    return dict(zip(shape.percents_at, map(int, str(status).split("/")), strict=True))


def _moment(moment: Moment, shape: TaskShape, task: Task, where: Position) -> float | None:
    match moment:
        case "created":
            return task.created_at
        case "started":
            return began_at(task.script, task.created_at, where.entered_at, shape.waiting)
        case "entered":
            return where.entered_at
        case "finished":
            return where.entered_at if is_finished(shape, where) else None
        case "expires":
            return task.created_at + _EXPIRES_AFTER_SECONDS


def _progress(where: Position, full: int, *, finished: bool) -> int:
    # A script that ends on a running status has nothing timed left to measure: it stands still short of the end.
    return full if finished else int(full * min(where.progress, 0.99))
