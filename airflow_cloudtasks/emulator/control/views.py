"""What the emulator shows of its memory, as plain JSON values. Secrets and tokens are left out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import position
from airflow_cloudtasks.emulator.vendor.gateway import HIDDEN

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject


def show_task_entry(task: Task, now: float) -> JsonObject:
    """Show a task and where it stands.

    Args:
        task: The task.
        now: The tasks' time, in Unix seconds.

    Returns:
        The task with its status at that time.
    """
    where = position(task.script, task.created_at, now)
    return {
        "api": task.api,
        "id": task.id,
        "status": where.step.status,
        "step": where.index,
        "is_last": where.is_last,
        "created_at": task.created_at,
        "script": _show_script(task.script),
        "fields": {**task.scope, **task.fields},
    }


def show_tasks(state: State) -> list[JsonObject]:
    """Show every task.

    Args:
        state: The emulator's memory, locked.

    Returns:
        One object a task.
    """
    now = state.task_now()
    return [show_task_entry(task, now) for task in state.tasks]


def show_noticed(state: State, api: str | None) -> list[JsonObject]:
    """Show the tasks that an answer has shown in their last step.

    Args:
        state: The emulator's memory, locked.
        api: Only those of this API; None for all.

    Returns:
        One object a task: when its last step began, and when the first answer went out that showed it.
    """
    return [
        {
            "api": task.api,
            "id": task.id,
            "ended_at": position(task.script, task.created_at, task.noticed_at).entered_at,
            "noticed_at": task.noticed_at,
        }
        for task in state.tasks
        if task.noticed_at is not None and api in (None, task.api)
    ]


def show_plans(state: State) -> list[JsonObject]:
    """Show how the tasks that requests start will go.

    Args:
        state: The emulator's memory, locked.

    Returns:
        One object a plan, those for the next tasks first.
    """
    return [
        {"api": api, "script": _show_script(plan.script), "fields": plan.fields, "for_all": for_all}
        for api, plan, for_all in state.plans.describe()
    ]


def show_keys(state: State) -> list[JsonObject]:
    """Show every key without its secret and token.

    Args:
        state: The emulator's memory, locked.

    Returns:
        One object a cloud and key.
    """
    return [
        {"cloud": cloud, "id": key.id, "account": key.account, "temporary": key.token is not None}
        for cloud, key in state.keys
    ]


def show_sts(state: State) -> JsonObject:
    """Show the settings of the token services and the metadata services.

    Args:
        state: The emulator's memory, locked.

    Returns:
        The settings, with the identity provider's token hidden, and how many issued keys are good at present.
    """
    now = state.now()
    settings = asdict(state.sts)
    return {
        **settings,
        "oidc_token": None if state.sts.oidc_token is None else HIDDEN,
        "issued": sum(key.session is not None and not key.has_expired(now) for _, key in state.keys),
    }


def _show_script(script: tuple[Step, ...]) -> list[JsonObject]:
    return [{"status": step.status, "seconds": step.seconds, "fields": step.fields} for step in script]
