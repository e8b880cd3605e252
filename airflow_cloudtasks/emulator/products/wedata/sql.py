"""WeData's runs of SQL scripts: started, read with their rows, stopped, and listed by their script.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships. They do not state whether a stopped run is
TERMINATED or CANCELED; here it is TERMINATED ("has been stopped").

They say little about the list. Its example writes a success as ``S``, as an older one of RunSQLScript does; here a run
has the same status as in GetSQLRunResult. JobExecutionList is null, as in that example. Undocumented, and decided here:
the newest runs come first, SearchWord is a substring of the script's text, and StartTime and EndTime are inclusive
bounds of CreateTime in UTC+8.
"""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.answers import answer_with, find_task, show_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import cancel, new_number, new_uuid, start
from airflow_cloudtasks.emulator.products.wedata.lists import find_entries, show_entries
from airflow_cloudtasks.emulator.products.wedata.product import WEDATA
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
# Source: StatusMessage, "has a value in any status". It is a text for people, in the language of the caller.
_STATUS_MESSAGES = {
    "QUEUED": "The run has not finished and has no results yet. Ask again later with the same JobId.",
    "RUNNING": "The run has not finished and has no results yet. Ask again later with the same JobId.",
    "SUCCESS": "The run has succeeded; these are all of its results.",
    "FAILED": "The run has failed and has no results.",
    "TERMINATED": "The run was stopped and has no results.",
    "CANCELED": "The run was canceled and has no results.",
}
# The fields that GetSQLRunResult and JobDto share. Every other field belongs to one of them alone.
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
# The fields of JobExecutionDto that repeat its JobDto.
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
    failed=Step("FAILED"),
    canceled=Step("TERMINATED"),
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
    fields = {**task.fields, **task.position(call.now).step.fields}
    # As documented, the list is empty unless the run has succeeded.
    results = shown["Results"] if shown["Status"] == "SUCCESS" else []
    if "Results" not in fields:
        results = [{**one, "JobExecutionId": f"{task.id}_0"} for one in results]
    only = call.parameters.get("JobExecutionId")
    return {
        "Data": {
            **shown,
            "CostMs": fields.get("CostMs", _cost(call, task)),
            "StatusMessage": fields.get("StatusMessage", _STATUS_MESSAGES.get(shown["Status"], "")),
            "Results": [one for one in results if only in (None, one.get("JobExecutionId"))],
        }
    }


def _cost(call: Call, task: Task) -> int:
    where = task.position(call.now)
    until = where.entered_at if _SHAPE.is_finished(where) else call.now
    return int((until - task.created_at) * 1000)


def _run_script(call: Call) -> JsonObject:
    script_id, content = call.parameters.get("ScriptId"), _decode(call.parameters.get("ScriptContent"))
    if script_id is None:
        # As documented, a run without a saved script needs a text, and a data source in the configuration.
        config = call.parameters.get("ScriptConfig", {})
        for name, value in (("ScriptContent", content), ("ScriptConfig.DatasourceId", config.get("DatasourceId"))):
            if not value:
                raise VendorError("MissingParameter", f"The request is missing a required parameter `{name}`.")
    fields = {"ScriptId": script_id or f"adhoc-{new_uuid()}", "ScriptContent": content or "SELECT 1;"}
    task = start(call, SQL_RUN, new_number(call), fields)
    job = _complete(call, task, show_task(_JOB, task, call.now, call.parameters))
    return {"Data": {**job, "JobExecutionList": [_execution(job)]}}


def _decode(content: str | None) -> str | None:
    """Return a script's text. Like WeData, decode every text that can be Base64, even if it is not meant so."""
    if not content or len(content) % 4 or not _BASE64.fullmatch(content):
        return content
    return b64decode(content).decode(errors="replace")


def _complete(call: Call, task: Task, job: JsonObject) -> JsonObject:
    # A running job has no cost yet.
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
        # Texts of this format compare as the times that they denote.
        and asked.get("StartTime", "") <= job["CreateTime"] <= asked.get("EndTime", "9999")
    )


def _stop_run(call: Call) -> JsonObject:
    job_id = call.parameters["JobId"]
    stopped = cancel(call, SQL_RUN, job_id)
    find_task(call, SQL_RUN, job_id)
    # Documented as "whether it succeeded". Undocumented: its value for a run that has ended.
    return {"Data": {"Status": stopped}}


SQL_RUN = WEDATA.reads(
    "wedata.sql_run",
    "GetSQLRunResult",
    DEFINED,
    _SHAPE,
    answer=_get_result,
)
WEDATA.action(
    "wedata.sql_run_start",
    "RunSQLScript",
    _run_script,
    DEFINED,
)
WEDATA.action("wedata.sql_run_cancel", "StopSQLScriptRun", _stop_run, DEFINED)
WEDATA.action(
    "wedata.sql_run_list",
    "ListSQLScriptRuns",
    _list_runs,
    DEFINED,
    entry=_JOB,
)
