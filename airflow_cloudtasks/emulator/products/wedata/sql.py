"""WeData's runs of SQL scripts: started, read with their rows, stopped, and listed by their script.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships. Of the two ends TERMINATED and CANCELED they
do not say which one a stop leads to; the emulator's is TERMINATED ("has been stopped").

Of the list they say little. Its example tells a success as ``S``, as an older one of RunSQLScript does; here a run has
the same status as in GetSQLRunResult. JobExecutionList is null, as in that example. Undocumented, and so ours: the
newest come first, SearchWord is part of the text as it is written, and StartTime and EndTime bound CreateTime, in
Beijing's time and with the bounds themselves.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step, position
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_with, find_task, is_finished, show_task
from airflow_cloudtasks.emulator.products.wedata.contract import JSON, NOT_FOUND, PROJECT, optional, wedata
from airflow_cloudtasks.emulator.products.wedata.lists import find_entries, show_entries
from airflow_cloudtasks.emulator.vendor.contract import Parameter, Stamp, TaskShape
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_STOPPED = Step("TERMINATED")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
# "Has a value in any status": what it says is for people, in the language of the caller.
_STATUS_MESSAGES = {
    "QUEUED": "The run has not finished and has no results yet. Ask again later with the same JobId.",
    "RUNNING": "The run has not finished and has no results yet. Ask again later with the same JobId.",
    "SUCCESS": "The run has succeeded; these are all of its results.",
    "FAILED": "The run has failed and has no results.",
    "TERMINATED": "The run was stopped and has no results.",
    "CANCELED": "The run was canceled and has no results.",
}
# What GetSQLRunResult and JobDto both have. All else is shown by one of them alone.
_IN_BOTH = frozenset({"JobId", "Status"})
_JOB_EXAMPLE = {
    "JobId": "emulated",
    "JobName": "emulated_run",
    "JobType": "EXECUTOR",
    "ScriptId": None,
    "ScriptContent": "SELECT 1;",
    "Status": "QUEUED",
    "CreateTime": None,
    "UpdateTime": None,
    "EndTime": None,
    "OwnerUin": "100000000001",
    "UserUin": "100000000001",
    "TimeCost": None,
    "ScriptContentTruncate": False,
    "JobExecutionList": None,
}
# What a JobExecutionDto has of its JobDto.
_OF_JOB = (
    *("JobId", "ScriptContent", "ScriptContentTruncate", "Status"),
    *("CreateTime", "UpdateTime", "EndTime", "TimeCost"),
)

_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="JobId",
    status_at="Status",
    asked_by="JobId",
    scope=("ProjectId",),
    waiting=frozenset({"QUEUED"}),
    unfinished=frozenset({"QUEUED", "RUNNING"}),
    script=(Step("QUEUED", 1), Step("RUNNING", 2), Step("SUCCESS")),
    left_out=frozenset(_JOB_EXAMPLE) - _IN_BOTH,
    example={
        "Data": {
            "JobId": "emulated",
            "Status": "QUEUED",
            "StatusMessage": "",
            "CostMs": 0,
            "Truncated": False,
            "Results": [
                {
                    "JobExecutionId": "emulated_0",
                    "Status": "SUCCESS",
                    "Columns": [
                        {"ColumnName": "day", "ColumnType": "date"},
                        {"ColumnName": "orders", "ColumnType": "bigint"},
                    ],
                    "Rows": [{"Values": ["2026-01-01", "17"]}, {"Values": ["2026-01-02", None]}],
                    "Total": 2,
                    "CostMs": 12,
                    "Truncated": False,
                }
            ],
        }
    },
)
_JOB = replace(
    _SHAPE,
    task_at=(),
    stamps=(
        Stamp("CreateTime", "created", beijing_time),
        Stamp("UpdateTime", "entered", beijing_time),
        Stamp("EndTime", "finished", beijing_time),
    ),
    left_out=frozenset(_SHAPE.example["Data"]) - _IN_BOTH,
    example=_JOB_EXAMPLE,
)


def _get_result(call: Call) -> JsonObject:
    task = find_task(call, SQL_RUN, call.parameters["JobId"])
    shown = answer_with(call, _SHAPE, task)["Data"]
    told = {**task.fields, **position(task.script, task.created_at, call.now).step.fields}
    # Documented: an empty list as long as the run goes on, and for one that is no success.
    results = shown["Results"] if shown["Status"] == "SUCCESS" else []
    if "Results" not in told:
        results = [{**one, "JobExecutionId": f"{task.id}_0"} for one in results]
    only = call.parameters.get("JobExecutionId")
    return {
        "Data": {
            **shown,
            "CostMs": told.get("CostMs", _cost(call, task)),
            "StatusMessage": told.get("StatusMessage", _STATUS_MESSAGES.get(shown["Status"], "")),
            "Results": [one for one in results if only in (None, one.get("JobExecutionId"))],
        }
    }


def _cost(call: Call, task: Task) -> int:
    where = position(task.script, task.created_at, call.now)
    until = where.entered_at if is_finished(_SHAPE, where) else call.now
    return int((until - task.created_at) * 1000)


def _run_script(call: Call) -> JsonObject:
    script_id, content = call.parameters.get("ScriptId"), _text_of(call.parameters.get("ScriptContent"))
    if script_id is None:
        # Documented: both are needed without a saved script, and in the configuration a data source.
        config = call.parameters.get("ScriptConfig", {})
        for name, value in (("ScriptContent", content), ("ScriptConfig.DatasourceId", config.get("DatasourceId"))):
            if not value:
                raise VendorError("MissingParameter", f"The request is missing a required parameter `{name}`.")
    fields = {"ScriptId": script_id or f"adhoc-{starting.new_uuid()}", "ScriptContent": content or "SELECT 1;"}
    task = starting.start(call, SQL_RUN, starting.new_number(call), fields)
    where = position(task.script, task.created_at, call.now)
    job = _complete(call, task, show_task(_JOB, task, where, call.parameters))
    return {"Data": {**job, "JobExecutionList": [_execution(job)]}}


def _text_of(content: str | None) -> str | None:
    """Take a script's text as WeData does: what might be Base64 is taken for that, whatever was meant."""
    if not content or len(content) % 4 or not _BASE64.fullmatch(content):
        return content
    return b64decode(content).decode(errors="replace")


def _complete(call: Call, task: Task, job: JsonObject) -> JsonObject:
    # A run that goes on has no cost yet.
    if job["EndTime"] is None or job["TimeCost"] is not None:
        return job
    return {**job, "TimeCost": _cost(call, task)}


def _execution(job: JsonObject) -> JsonObject:
    return {
        **{name: job[name] for name in _OF_JOB},
        "JobExecutionId": f"{job['JobId']}_0",
        "JobExecutionName": "Result1",
        "ExecuteStageInfo": None,
        "LogFilePath": None,
        "ResultFilePath": None,
        "ResultPreviewFilePath": None,
        "SchemaInfoFilePath": None,
        "ResultTotalCount": 0,
        "ResultEffectCount": 0,
        "ResultPreviewCount": 0,
        "ContextScriptContent": None,
        "CollectingTotalResult": False,
        "CollectedPreviewResult": False,
    }


def _list_runs(call: Call) -> JsonObject:
    found = find_entries(call, SQL_RUN.api, lambda job: _wanted(call.parameters, job), complete=_complete)
    return {"Data": show_entries(call, found)}


def _wanted(asked: Mapping[str, Any], job: JsonObject) -> bool:
    return (
        job["ScriptId"] == asked["ScriptId"]
        and asked.get("JobId", job["JobId"]) == job["JobId"]
        and asked.get("SearchWord", "") in (job["ScriptContent"] or "")
        and asked.get("ExecuteUserUin", job["UserUin"]) == job["UserUin"]
        # Texts of this format compare as the times they tell.
        and asked.get("StartTime", "") <= job["CreateTime"] <= asked.get("EndTime", "9999")
    )


def _stop_run(call: Call) -> JsonObject:
    job_id = call.parameters["JobId"]
    task = call.state.tasks.find(SQL_RUN.api, job_id, call.parameters)
    stopped = starting.cancel(call, SQL_RUN, job_id, task, _STOPPED)
    find_task(call, SQL_RUN, job_id)
    # Documented as "whether it succeeded"; undocumented whether it does for a run that has ended.
    return {"Data": {"Status": stopped}}


SQL_RUN = wedata(
    "wedata.sql_run",
    "GetSQLRunResult",
    parameters=(PROJECT, Parameter("JobId", JSON), *optional("JobExecutionId")),
    answer=_get_result,
    not_found=NOT_FOUND,
    task=_SHAPE,
)
SQL_RUN_START = wedata(
    "wedata.sql_run_start",
    "RunSQLScript",
    parameters=(
        PROJECT,
        *optional("ScriptId", "ScriptContent", "Params"),
        Parameter(
            "ScriptConfig",
            JSON,
            required=False,
            type="object",
            members=optional(
                *("DatasourceId", "DatasourceEnv", "ComputeResource", "ExecutorGroupId", "Params", "AdvanceConfig")
            ),
        ),
    ),
    answer=_run_script,
)
SQL_RUN_CANCEL = wedata(
    "wedata.sql_run_cancel",
    "StopSQLScriptRun",
    parameters=(Parameter("JobId", JSON), PROJECT),
    answer=_stop_run,
)
SQL_RUN_LIST = wedata(
    "wedata.sql_run_list",
    "ListSQLScriptRuns",
    parameters=(
        PROJECT,
        Parameter("ScriptId", JSON),
        *optional("JobId", "SearchWord", "ExecuteUserUin", "StartTime", "EndTime"),
    ),
    answer=_list_runs,
    task=_JOB,
)

SQL_ACTIONS = (SQL_RUN_START, SQL_RUN_CANCEL, SQL_RUN_LIST)
