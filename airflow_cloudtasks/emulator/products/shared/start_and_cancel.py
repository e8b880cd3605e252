"""Start and cancel tasks, and record both in the ledger. A started task follows its plan until it is canceled."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.ledger import Canceled, Started
from airflow_cloudtasks.emulator.engine.tasks import Task
from airflow_cloudtasks.emulator.products.shared.answers import merge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.plans import Plan
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Call


def new_uuid() -> str:
    """Return a new UUID in lower case, the id of a task in most of the products."""
    return str(uuid.uuid4())


def new_number(call: Call) -> str:
    """Return a new number in a string."""
    return str(next(call.state.numbers))


def sent(call: Call, *names: str) -> JsonObject:
    """Return those of the named parameters that a call has."""
    return {name: call.parameters[name] for name in names if name in call.parameters}


def plan_for(call: Call, reader: Action) -> Plan:
    """Return the plan for a task that a call starts. A plan for one task is used only once."""
    return call.state.plans.take(reader.api, reader.shape.script)


def add(
    call: Call,
    reader: Action,
    task_id: str,
    plan: Plan,
    fields: JsonObject,
    scope: Mapping[str, str] | None = None,
) -> Task:
    """Add a task that a call creates, without recording a start.

    Args:
        call: The call.
        reader: The action that reads the task.
        task_id: The task's id.
        plan: The task's script and fields. These fields take precedence over ``fields``.
        fields: Fields of its object that the request sets.
        scope: Its scope; None for the one in the call's parameters.
    """
    task_scope = sent(call, *reader.shape.scope) if scope is None else scope
    task = Task(reader.api, task_id, plan.script, call.now, merge(fields, plan.fields), task_scope)
    call.state.tasks.add(task)
    return task


def start(call: Call, reader: Action, task_id: str, fields: JsonObject, scope: Mapping[str, str] | None = None) -> Task:
    """Start a task by its plan, and record the start; the arguments are those of :func:`add`."""
    note_start(call, reader, task_id)
    return add(call, reader, task_id, plan_for(call, reader), fields, scope)


def start_again(call: Call, reader: Action, task: Task) -> None:
    """Restart a task by its plan, and record the start."""
    note_start(call, reader, task.id)
    plan = plan_for(call, reader)
    task.restart(plan.script, merge(task.fields, plan.fields), call.now)


def note_start(call: Call, reader: Action, task_id: str) -> None:
    """Record that a call starts a task."""
    entry = Started(reader.api, task_id, call.action.name, dict(call.parameters), call.now)
    call.state.ledger.started.append(entry)


def find(call: Call, reader: Action, task_id: str) -> Task | None:
    """Return the task of an id that a call can see, or None."""
    return call.state.tasks.find(reader.api, task_id, call.parameters)


def cancel(call: Call, reader: Action, task_id: str) -> bool:
    """Cancel the task of an id; see :func:`cancel_task`."""
    return cancel_task(call, reader, task_id, find(call, reader, task_id))


def cancel_task(call: Call, reader: Action, task_id: str, task: Task | None) -> bool:
    """End a task as a canceled one, record the request, and return whether it ended the task.

    A task that has ended stays as it is.

    Args:
        call: The call.
        reader: The action that reads the task; its shape has the step of a canceled task.
        task_id: The id in the request.
        task: The task of that id; None if there is none.
    """
    position = None if task is None else task.position(call.now)
    running = position is not None and not reader.shape.is_finished(position)
    status = None if position is None else position.step.status
    entry = Canceled(reader.api, task_id, call.action.name, dict(call.parameters), call.now, status, running)
    call.state.ledger.canceled.append(entry)
    if task is not None and running:
        end_as_canceled(call, reader, task)
    return running


def end_as_canceled(call: Call, reader: Action, task: Task) -> None:
    """End a running task as a canceled one, without recording a request.

    Raises:
        TypeError: The shape of the task declares no canceled step.
    """
    ending = reader.shape.canceled
    if ending is None:
        raise TypeError(f"{reader.api} can be canceled: declare the canceled step of its task")
    task.end(ending, call.now)
