"""Who waits: for each side its trigger, the words of its API, and how to read the event it fires."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

TIMEOUT_FAR_AWAY = 4e9
# A percent of a task that takes an hour. A minute's task would show another progress at every poll.
_PERCENT_SECONDS = 36.0
LKE_PARAMS = {"TaskType": "ExportAttributeLabel", "BotBizId": "1846203758192640000"}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to wait.

    Args:
        title: What the tables call it.
        server: ``emulator`` or ``jobs``: who serves its API.
        api: The server's name of the API.
        words: The API's words for a task that runs, one that succeeded and one that failed.
        trigger: Module and class of the trigger.
        kwargs: Its arguments, of a task's id and the poke interval; plain JSON, as Airflow stores them.
        told: Tells ``success`` or ``failure`` of the task from an event's payload; None for a wait that broke.
        percent: Field of the API's tasks that shows their progress, and what it shows at one percent; or None.
    """

    title: str
    server: str
    api: str
    words: tuple[Any, Any, Any]
    trigger: tuple[str, str]
    kwargs: Callable[[int, float], dict[str, Any]]
    told: Callable[[Any], str | None]
    percent: tuple[str, int] | None = None

    def make_trigger(self, task_id: int, poke: float) -> Any:
        """Make the trigger as Airflow's triggerer does: of arguments that come out of JSON, so nothing is shared."""
        module, name = self.trigger
        return getattr(import_module(module), name)(**json.loads(json.dumps(self.kwargs(task_id, poke))))

    def task(self, task_id: int, seconds: float, succeeds: bool) -> dict[str, Any]:
        """Give the task that the server is to play: it runs so many seconds, the last ones of an hour, and ends."""
        running, success, failure = self.words
        steps = [{"status": running, "seconds": seconds}]
        if self.percent is not None:
            field, one = self.percent
            count = int(seconds // _PERCENT_SECONDS)
            # What is left over comes first, so that not all tasks show progress at the same moment.
            parts = [seconds - count * _PERCENT_SECONDS, *[_PERCENT_SECONDS] * count]
            steps = [
                {"status": running, "seconds": part, "fields": {field: one * (100 - len(parts) + number)}}
                for number, part in enumerate(parts)
                if part
            ]
        return {"api": self.api, "id": str(task_id), "script": [*steps, {"status": success if succeeds else failure}]}


def _ours(api: str, params: Mapping[str, str]) -> Callable[[int, float], dict[str, Any]]:
    def kwargs(task_id: int, poke: float) -> dict[str, Any]:
        return {"api": api, "cloud_task_id": str(task_id), "api_params": params, "poke_interval": poke}

    return kwargs


def _ours_told(payload: Any) -> str | None:
    return {"succeeded": "success", "failed": "failure"}.get(payload.get("task", {}).get("state"))


def _dbt_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {
        "conn_id": "dbt_cloud_default",
        "run_id": task_id,
        "end_time": TIMEOUT_FAR_AWAY,
        "poll_interval": poke,
        "account_id": 1,
    }


def _dbt_told(payload: Any) -> str | None:
    # "error" is said of a job that failed and of a wait that failed; only the text tells one from the other.
    job_failed = payload["status"] == "error" and payload["message"].endswith("has failed.")
    return "failure" if job_failed else {"success": "success"}.get(payload["status"])


def _databricks_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {"run_id": task_id, "databricks_conn_id": "databricks_default", "polling_period_seconds": poke}


def _databricks_told(payload: Any) -> str | None:
    return {"SUCCESS": "success", "FAILED": "failure"}.get(json.loads(payload["run_state"])["result_state"])


def _sdk_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {"parameters": {"TaskId": str(task_id), **LKE_PARAMS}, "poke_interval": poke}


_LKE: dict[str, Any] = {"server": "emulator", "api": "lke.task", "words": ("RUNNING", "SUCCESS", "FAILED")}
_BDRC: dict[str, Any] = {
    "server": "emulator",
    "api": "bdrc.task",
    "words": ("RUNNING", "COMPLETE", "FAILED"),
    "percent": ("Progress", 100),
}
_OURS = ("airflow_cloudtasks.triggers.cloud_task", "CloudTaskTrigger")

SIDES = {
    "cloudtasks": Side(
        title="this package", **_LKE, trigger=_OURS, kwargs=_ours("lke.task", LKE_PARAMS), told=_ours_told
    ),
    "dbt": Side(
        title="dbt Cloud",
        server="jobs",
        api="dbt",
        words=(3, 10, 20),
        trigger=("airflow.providers.dbt.cloud.triggers.dbt", "DbtCloudRunJobTrigger"),
        kwargs=_dbt_kwargs,
        told=_dbt_told,
    ),
    "databricks": Side(
        title="Databricks",
        server="jobs",
        api="databricks",
        words=("RUNNING", "SUCCESS", "FAILED"),
        trigger=("airflow.providers.databricks.triggers.databricks", "DatabricksExecutionTrigger"),
        kwargs=_databricks_kwargs,
        told=_databricks_told,
    ),
    "sdk": Side(
        title="vendor's SDK",
        **_LKE,
        trigger=("waiting.plain_triggers", "SdkTrigger"),
        kwargs=_sdk_kwargs,
        told=lambda payload: {"SUCCESS": "success", "FAILED": "failure"}.get(payload["status"]),
    ),
    "cloudtasks-list": Side(
        title="this package", **_BDRC, trigger=_OURS, kwargs=_ours("bdrc.task", {}), told=_ours_told
    ),
    "idle": Side(
        title="triggers that sleep",
        **_BDRC,
        trigger=("waiting.plain_triggers", "IdleTrigger"),
        kwargs=_ours("bdrc.task", {}),
        told=lambda payload: None,
    ),
}
