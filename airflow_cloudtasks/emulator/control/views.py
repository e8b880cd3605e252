"""The emulator's memory as plain JSON values, without secrets and tokens. The caller holds the state's lock."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.vendor.gateway import HIDDEN

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.scripts import Step
    from airflow_cloudtasks.emulator.engine.state import State
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject


def show_task_entry(task: Task, now: float) -> JsonObject:
    """Return a task with its status at ``now``."""
    where = task.position(now)
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


def show_noticed(state: State, api: str | None) -> list[JsonObject]:
    """Return when each task entered its last step, and when the first answer was sent that showed it there."""
    return [
        {
            "api": task.api,
            "id": task.id,
            "ended_at": task.position(task.noticed_at).entered_at,
            "noticed_at": task.noticed_at,
        }
        for task in state.tasks
        if task.noticed_at is not None and api in (None, task.api)
    ]


def show_plans(state: State) -> list[JsonObject]:
    """Return the plans for tasks that requests will start, those for the next tasks first."""
    return [
        {"api": api, "script": _show_script(plan.script), "fields": plan.fields, "for_all": for_all}
        for api, plan, for_all in state.plans.describe()
    ]


def show_keys(state: State) -> list[JsonObject]:
    """Return the keys of each cloud."""
    return [
        {"cloud": cloud, "id": key.id, "account": key.account, "temporary": key.token is not None}
        | ({} if key.actions is None else {"actions": list(key.actions)})
        for cloud, key in state.keys
    ]


def show_sts(state: State) -> JsonObject:
    """Return the settings of the token and metadata services, and the number of issued keys that are valid."""
    now = state.now()
    return {
        **asdict(state.sts),
        "oidc_token": None if state.sts.oidc_token is None else HIDDEN,
        "issued": sum(key.session is not None and not key.has_expired(now) for _, key in state.keys),
    }


def _show_script(script: tuple[Step, ...]) -> list[JsonObject]:
    return [{"status": step.status, "seconds": step.seconds, "fields": step.fields} for step in script]
