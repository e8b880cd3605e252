"""The sides of the comparison: for each its trigger, the statuses of its API, and how to read its event."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

TIMEOUT_FAR_AWAY = 4e9
# One percent of an hour. A task of one minute would show new progress at every poll.
_PERCENT_SECONDS = 36.0
_PROJECT = {"ProjectId": "1"}
LKE_PARAMS = {"TaskType": "ExportAttributeLabel", "BotBizId": "1846203758192640000"}


@dataclass(frozen=True, kw_only=True)
class Side:
    """One way to wait.

    Args:
        title: Name in the tables.
        server: The server of its API, ``emulator`` or ``jobs``.
        api: The server's name for the API.
        statuses: The API's statuses of a running, a succeeded and a failed task.
        trigger: Module and class of the trigger.
        kwargs: Returns the trigger's arguments for a task id and a poke interval, as plain JSON types.
        outcome: Returns ``success`` or ``failure`` of the task from an event's payload; None if the wait failed.
        percent: Field of the API's tasks with their progress, and its value at one percent; None for no such field.
        scope: The parameters that a request for a task must have.
    """

    title: str
    server: str
    api: str
    statuses: tuple[Any, Any, Any]
    trigger: tuple[str, str]
    kwargs: Callable[[int, float], dict[str, Any]]
    outcome: Callable[[Any], str | None]
    percent: tuple[str, int] | None = None
    scope: Mapping[str, str] = field(default_factory=dict)

    def make_trigger(self, task_id: int, poke: float) -> Any:
        """Return a trigger, made from decoded JSON as in Airflow's triggerer, so that triggers share nothing."""
        module, name = self.trigger
        return getattr(import_module(module), name)(**json.loads(json.dumps(self.kwargs(task_id, poke))))

    def task(self, task_id: int, seconds: float, succeeds: bool) -> dict[str, Any]:
        """Return the task for the server to simulate: it runs for these seconds, the last ones of an hour, and ends."""
        running, success, failure = self.statuses
        steps = [{"status": running, "seconds": seconds}]
        if self.percent is not None:
            field, one = self.percent
            count = int(seconds // _PERCENT_SECONDS)
            # The remainder comes first, so that tasks show progress at different moments.
            parts = [seconds - count * _PERCENT_SECONDS, *[_PERCENT_SECONDS] * count]
            steps = [
                {"status": running, "seconds": part, "fields": {field: one * (100 - len(parts) + number)}}
                for number, part in enumerate(parts)
                if part
            ]
        script = [*steps, {"status": success if succeeds else failure}]
        return {"api": self.api, "id": str(task_id), "script": script, **({"fields": self.scope} if self.scope else {})}


def _ours(api: str | dict[str, Any], params: Mapping[str, str], **more: Any) -> Callable[[int, float], dict[str, Any]]:
    def kwargs(task_id: int, poke: float) -> dict[str, Any]:
        return {"api": api, "cloud_task_id": str(task_id), "api_params": params, "poke_interval": poke, **more}

    return kwargs


def _ours_without(*parts: str) -> Callable[[int, float], dict[str, Any]]:
    """Return the arguments of waits on an API without some of its parts."""

    def kwargs(task_id: int, poke: float) -> dict[str, Any]:
        from airflow_cloudtasks.catalog import APIS

        api = replace(APIS["wedata.workflow_run"], **dict.fromkeys(parts)).as_dict()
        return _ours(api, _PROJECT)(task_id, poke)

    return kwargs


def _ours_outcome(payload: Any) -> str | None:
    return {"succeeded": "success", "failed": "failure"}.get(payload.get("task", {}).get("state"))


def _dbt_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {
        "conn_id": "dbt_cloud_default",
        "run_id": task_id,
        "end_time": TIMEOUT_FAR_AWAY,
        "poll_interval": poke,
        "account_id": 1,
    }


def _dbt_outcome(payload: Any) -> str | None:
    # The status "error" stands for a failed job and for a failed wait; only the text distinguishes them.
    job_failed = payload["status"] == "error" and payload["message"].endswith("has failed.")
    return "failure" if job_failed else {"success": "success"}.get(payload["status"])


def _databricks_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {"run_id": task_id, "databricks_conn_id": "databricks_default", "polling_period_seconds": poke}


def _databricks_outcome(payload: Any) -> str | None:
    return {"SUCCESS": "success", "FAILED": "failure"}.get(json.loads(payload["run_state"])["result_state"])


def _blocking_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {"task_id": str(task_id), "poke_interval": poke}


def _sdk_kwargs(task_id: int, poke: float) -> dict[str, Any]:
    return {"parameters": {"TaskId": str(task_id), **LKE_PARAMS}, "poke_interval": poke}


_LKE: dict[str, Any] = {"server": "emulator", "api": "lke.task", "statuses": ("RUNNING", "SUCCESS", "FAILED")}
_BDRC: dict[str, Any] = {
    "server": "emulator",
    "api": "bdrc.task",
    "statuses": ("RUNNING", "COMPLETE", "FAILED"),
    "percent": ("Progress", 100),
}
# A project of its own: to its feed, the tasks of other runs do not belong.
_RUNS: dict[str, Any] = {
    "server": "emulator",
    "api": "wedata.workflow_run",
    "statuses": ("RUNNING", "SUCCESS", "FAILED"),
    "scope": {"ProjectId": "1"},
}
_DLC: dict[str, Any] = {"server": "emulator", "api": "dlc.task", "statuses": ("1", "2", "-1")}
_OURS = ("airflow_cloudtasks.triggers.cloud_task", "CloudTaskTrigger")

SIDES = {
    "cloudtasks": Side(
        title="this package", **_LKE, trigger=_OURS, kwargs=_ours("lke.task", LKE_PARAMS), outcome=_ours_outcome
    ),
    "dbt": Side(
        title="dbt Cloud",
        server="jobs",
        api="dbt",
        statuses=(3, 10, 20),
        trigger=("airflow.providers.dbt.cloud.triggers.dbt", "DbtCloudRunJobTrigger"),
        kwargs=_dbt_kwargs,
        outcome=_dbt_outcome,
    ),
    "databricks": Side(
        title="Databricks",
        server="jobs",
        api="databricks",
        statuses=("RUNNING", "SUCCESS", "FAILED"),
        trigger=("airflow.providers.databricks.triggers.databricks", "DatabricksExecutionTrigger"),
        kwargs=_databricks_kwargs,
        outcome=_databricks_outcome,
    ),
    "sdk": Side(
        title="vendor's SDK",
        **_LKE,
        trigger=("waiting.plain_triggers", "SdkTrigger"),
        kwargs=_sdk_kwargs,
        outcome=lambda payload: {"SUCCESS": "success", "FAILED": "failure"}.get(payload["status"]),
    ),
    "cloudtasks-list": Side(
        title="this package", **_BDRC, trigger=_OURS, kwargs=_ours("bdrc.task", {}), outcome=_ours_outcome
    ),
    "feed": Side(
        title="a feed", **_RUNS, trigger=_OURS, kwargs=_ours("wedata.workflow_run", _PROJECT), outcome=_ours_outcome
    ),
    "sweeping": Side(
        title="sweeping the list",
        **_RUNS,
        trigger=_OURS,
        kwargs=_ours("wedata.workflow_run", _PROJECT, conn_id="without_feed"),
        outcome=_ours_outcome,
    ),
    "single": Side(
        title="single reads", **_RUNS, trigger=_OURS, kwargs=_ours_without("list_tasks", "feed"), outcome=_ours_outcome
    ),
    "feed-alone": Side(
        title="a feed", **_RUNS, trigger=_OURS, kwargs=_ours_without("list_tasks"), outcome=_ours_outcome
    ),
    "dlc": Side(title="dlc.task", **_DLC, trigger=_OURS, kwargs=_ours("dlc.task", {}), outcome=_ours_outcome),
    "emr": Side(
        title="emr_serverless_spark.job_run",
        server="emulator",
        api="emr_serverless_spark.job_run",
        statuses=("Running", "Success", "Failed"),
        trigger=_OURS,
        kwargs=_ours("emr_serverless_spark.job_run", {"workspaceId": "w-1"}),
        outcome=_ours_outcome,
    ),
    "dataworks": Side(
        title="dataworks.task_instance",
        server="emulator",
        api="dataworks.task_instance",
        statuses=("Running", "Success", "Failure"),
        trigger=_OURS,
        kwargs=_ours("dataworks.task_instance", {"ProjectId": "1", "Bizdate": "1764000000000"}),
        outcome=_ours_outcome,
    ),
    "dlc-operator": Side(
        title="DLCOperator",
        **_DLC,
        trigger=("waiting.blocking_operators", "DlcOperatorWait"),
        kwargs=_blocking_kwargs,
        outcome=lambda payload: payload["status"],
    ),
    "adb-operator": Side(
        title="AnalyticDBSparkSQLOperator",
        server="jobs",
        api="adb",
        statuses=("RUNNING", "COMPLETED", "FAILED"),
        trigger=("waiting.blocking_operators", "AdbOperatorWait"),
        kwargs=_blocking_kwargs,
        outcome=lambda payload: payload["status"],
    ),
    "idle": Side(
        title="triggers that sleep",
        **_BDRC,
        trigger=("waiting.plain_triggers", "IdleTrigger"),
        kwargs=_ours("bdrc.task", {}),
        outcome=lambda payload: None,
    ),
}
