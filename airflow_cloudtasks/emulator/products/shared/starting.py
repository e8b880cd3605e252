"""What start and cancel actions share: a task begins by its plan, or ends before its time, and either is noted."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.ledger import Canceled, Started
from airflow_cloudtasks.emulator.engine.scripts import cut, position
from airflow_cloudtasks.emulator.engine.tasks import Task
from airflow_cloudtasks.emulator.products.shared.answers import is_finished, merge, shape_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.plans import Plan
    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Call


def new_uuid() -> str:
    """Make an id as most of the products do.

    Returns:
        A fresh UUID in lower case.
    """
    return str(uuid.uuid4())


def new_number(call: Call) -> str:
    """Make an id that is a number.

    Args:
        call: The call.

    Returns:
        A number that no other call got, in a string.
    """
    return str(next(call.state.numbers))


def given(call: Call, *names: str) -> JsonObject:
    """Give those of a call's parameters that a task's object shows under their own names.

    Args:
        call: The call.
        *names: Their names.

    Returns:
        Those that the call has.
    """
    return {name: call.parameters[name] for name in names if name in call.parameters}


def plan_for(call: Call, reader: Action) -> Plan:
    """Take the plan for a task that is being started.

    Args:
        call: The call that starts it.
        reader: The action that reads it.

    Returns:
        The plan.
    """
    return call.state.plans.take(reader.api, shape_of(reader).script)


def add(
    call: Call,
    reader: Action,
    task_id: str,
    plan: Plan,
    fields: JsonObject,
    scope: Mapping[str, str] | None = None,
) -> Task:
    """Add a task that a request brought about, without noting it as started.

    Args:
        call: The call.
        reader: The action that reads it.
        task_id: Its id.
        plan: How it will go. Its fields win over the others.
        fields: What its object shows of the request.
        scope: Where it belongs; None for what the call says.

    Returns:
        The task.
    """
    where = given(call, *shape_of(reader).scope) if scope is None else scope
    task = Task(reader.api, task_id, plan.script, call.now, merge(fields, plan.fields), where)
    call.state.tasks.add(task)
    return task


def start(call: Call, reader: Action, task_id: str, fields: JsonObject, scope: Mapping[str, str] | None = None) -> Task:
    """Start a task by its plan, and note it.

    Args:
        call: The call.
        reader: The action that reads it.
        task_id: Its id.
        fields: What its object shows of the request.
        scope: Where it belongs; None for what the call says.

    Returns:
        The task.
    """
    note_start(call, reader, task_id)
    return add(call, reader, task_id, plan_for(call, reader), fields, scope)


def start_again(call: Call, reader: Action, task: Task) -> None:
    """Let a task that exists begin anew, and note it.

    Args:
        call: The call.
        reader: The action that reads it.
        task: The task.
    """
    note_start(call, reader, task.id)
    plan = plan_for(call, reader)
    task.script, task.fields = plan.script, merge(task.fields, plan.fields)
    task.created_at, task.noticed_at = call.now, None


def note_start(call: Call, reader: Action, task_id: str) -> None:
    """Note that a request starts a task.

    Args:
        call: The call.
        reader: The action that reads the task.
        task_id: Its id.
    """
    entry = Started(reader.api, task_id, call.action.name, dict(call.parameters), call.now)
    call.state.ledger.started.append(entry)


def cancel(call: Call, reader: Action, task_id: str, task: Task | None, ending: Step) -> bool:
    """End a task before its time, and note that it was asked for. One that has ended stays as it is.

    Args:
        call: The call.
        reader: The action that reads it.
        task_id: The id that the request names.
        task: The task of that id; None where there is none.
        ending: The step it ends on.

    Returns:
        Whether the call ended it.
    """
    where = None if task is None else position(task.script, task.created_at, call.now)
    running = where is not None and not is_finished(shape_of(reader), where)
    status = None if where is None else where.step.status
    entry = Canceled(reader.api, task_id, call.action.name, dict(call.parameters), call.now, status, running)
    call.state.ledger.canceled.append(entry)
    if task is not None and running:
        end(call, task, ending)
    return running


def end(call: Call, task: Task, ending: Step) -> None:
    """End a task before its time, without noting it.

    Args:
        call: The call.
        task: A task that has not ended.
        ending: The step it ends on.
    """
    task.script = cut(task.script, task.created_at, call.now, ending)
    # A script may end on a running status, which an answer has shown by now as the last.
    task.noticed_at = None
