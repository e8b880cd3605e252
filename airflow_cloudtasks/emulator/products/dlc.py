"""DLC's tasks and Spark SQL batches: read, listed, started and canceled.

Source: the definitions and examples of DLC 2021-01-25 that tccli ships. No example shows a listed task, and none of
these definitions says how times are written. The example's values are our own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time, milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Call

DLC = Product("tencent", "dlc", "2021-01-25", ("json",), needs_region=True)

_COUNTS = ("TaskQueuedCount", "TaskInitCount", "TaskRunningCount", "TotalTaskCount")

TASK = DLC.reads(
    "dlc.task",
    "DescribeTasks",
    DEFINED,
    TaskShape(
        task_at=(),
        # What DescribeTaskResult and DescribeTaskLog show.
        left_out=frozenset({"ResultSchema", "ResultSet", "LogLines"}),
        id_at="Id",
        status_at="State",
        format_status=int,
        asked_by="Filters[task-id]",
        waiting=frozenset({"0", "4"}),
        unfinished=frozenset({"0", "1", "3", "4"}),
        script=(Step("0", 1), Step("1", 2), Step("2")),
        failed=Step("-1"),
        canceled=Step("-3"),
        stamps=(Stamp("CreateTime", "created", beijing_time), Stamp("UpdateTime", "finished", beijing_time)),
        progress_at="Percentage",
        progress_full=100,
        example={
            "Id": "",
            "State": 0,
            "DatabaseName": "emulated",
            "SQLType": "DQL",
            "SQL": "SELECT 1",
            "TaskType": "SparkSQLTask",
            "DataEngineName": "emulated",
            "SparkJobName": "",
            "OutputMessage": "",
            "OutputPath": "",
            "UsedTime": 0,
            "DataAmount": 0,
            "Percentage": 0,
        },
    ),
    listing=Listing(
        api="dlc.task",
        at=("TaskList",),
        ids="Filters[task-id]",
        most_ids=50,
        default_size=10,
        offset="Offset",
        total=("TotalCount",),
        example={"TasksOverview": dict.fromkeys(_COUNTS, 0)},
    ),
)
DLC.starts(TASK, "CreateTask", DEFINED, ("TaskId",), shown=("DatabaseName", "DataEngineName"))
DLC.starts(TASK, "CreateSparkAppTask", DEFINED, ("TaskId",), shown=("CmdArgs",), example={"BatchId": "batch-emulated"})
DLC.cancels(TASK, "CancelTask", DEFINED, asked_by="TaskId")

_SCHEMA = [{"Name": "day", "Type": "STRING_TYPE"}, {"Name": "orders", "Type": "STRING_TYPE"}]
_ROWS = [["2026-01-01", "17"], ["2026-01-02", None]]
_LARGEST_PAGE = 1000


def _result(call: Call) -> JsonObject:
    """Return a page of the rows in a task's ``ResultSet``, a list here; only a success has any, as documented.

    A task whose ``ResultSet`` is None is older than the vendor keeps results.
    """
    task = call.state.tasks.find(TASK.api, call.parameters["TaskId"], call.parameters)
    if task is None or task.fields.get("ResultSet", _ROWS) is None:
        return {"TaskInfo": None}
    where = task.position(call.now)
    fields = {**task.fields, **where.step.fields}
    has_result = where.step.status == "2"
    rows = fields.get("ResultSet", _ROWS) if has_result else []
    first = int(call.parameters.get("NextToken") or 0)
    last = first + call.parameters.get("MaxResults", _LARGEST_PAGE)
    return {
        "TaskInfo": {
            "TaskId": task.id,
            "State": int(where.step.status or 0),
            "SQL": fields.get("SQL", "SELECT 1"),
            "SQLType": fields.get("SQLType", "DQL"),
            "OutputMessage": "success" if has_result else "",
            "ResultSchema": fields.get("ResultSchema", _SCHEMA) if has_result else None,
            "ResultSet": json.dumps(rows[first:last]) if has_result else None,
            "NextToken": str(last) if last < len(rows) else "",
            "Percentage": 100 if has_result else 0,
        }
    }


DLC.action("dlc.task_result", "DescribeTaskResult", _result, DEFINED)


def _lines(call: Call, reader: Action, parameter: str) -> list[str]:
    """Return the ``LogLines`` of the task that a parameter names, or one line."""
    task = call.state.tasks.find(reader.api, call.parameters[parameter], call.parameters)
    return ["This is a log"] if task is None else list(task.fields.get("LogLines", ["This is a log"]))


def _log(call: Call) -> JsonObject:
    """Return the first lines, or the last ones, newest first, unless the request says otherwise."""
    lines = _lines(call, TASK, "TaskId")
    shown = lines if call.parameters.get("Asc") else lines[::-1]
    results = [{"Time": 0, "LogJson": line, "PkgLogId": str(n)} for n, line in enumerate(shown)]
    return {"Results": results[: call.parameters["Limit"]], "Context": "", "ListOver": True, "LogUrl": ""}


DLC.action("dlc.task_log", "DescribeTaskLog", _log, DEFINED)

BATCH = DLC.reads(
    "dlc.spark_batch_sql",
    "DescribeSparkSessionBatchSQL",
    DEFINED,
    TaskShape(
        task_at=(),
        # The answer has no id.
        id_at="",
        status_at="State",
        format_status=int,
        asked_by="BatchId",
        unfinished=frozenset({"0"}),
        script=(Step("0", 3), Step("1")),
        failed=Step("2"),
        canceled=Step("3"),
        # What DescribeSparkSessionBatchSqlLog shows.
        left_out=frozenset({"LogLines"}),
        example={
            "State": 0,
            "Event": "",
            "Tasks": [{"TaskId": "emulated", "ExecuteSQL": "SELECT 1", "Message": "Task Success!"}],
        },
    ),
)
DLC.starts(
    BATCH,
    "CreateSparkSessionBatchSQL",
    DEFINED,
    ("BatchId",),
    example={"Statements": [{"TaskId": "emulated", "SQL": "SELECT 1"}]},
)
DLC.cancels(BATCH, "CancelSparkSessionBatchSQL", DEFINED)


def _batch_log(call: Call) -> JsonObject:
    step = {"Step": "EXCE", "Time": "2026-01-05 16:30:16", "Operate": []}
    steps = [{**step, "Message": line} for line in _lines(call, BATCH, "BatchId")]
    return {"State": 0, "LogSet": steps}


DLC.action("dlc.spark_batch_sql_log", "DescribeSparkSessionBatchSqlLog", _batch_log, DEFINED)

STATEMENT = DLC.reads(
    "dlc.notebook_statement",
    "DescribeNotebookSessionStatement",
    DEFINED,
    TaskShape(
        task_at=("NotebookSessionStatement",),
        id_at="StatementId",
        asked_by="StatementId",
        status_at="State",
        scope=("SessionId",),
        unfinished=frozenset({"waiting", "running", "cancelling"}),
        waiting=frozenset({"waiting"}),
        script=(Step("waiting", 1), Step("running", 2), Step("available")),
        failed=Step("error"),
        canceled=Step("cancelled"),
        # The lines that DescribeNotebookSessionLog shows.
        left_out=frozenset({"LogLines"}),
        stamps=(Stamp("Started", "started", milliseconds), Stamp("Completed", "finished", milliseconds)),
        progress_at="Progress",
        progress_full=100,
        example={"NotebookSessionStatement": {"StatementId": "", "State": "waiting", "Code": "1", "Progress": 0}},
    ),
)
DLC.starts(
    STATEMENT, "CreateNotebookSessionStatement", DEFINED, ("NotebookSessionStatement", "StatementId"), shown=("Code",)
)
DLC.cancels(STATEMENT, "CancelNotebookSessionStatement", DEFINED)


def _session_log(call: Call) -> JsonObject:
    """Return the ``LogLines`` of a session's newest statement, or one line."""
    of_session = (task for task in call.state.tasks.newest(STATEMENT.api) if task.is_inside(call.parameters))
    task = next(of_session, None)
    lines = ["This is a log"] if task is None else task.fields.get("LogLines", ["This is a log"])
    return {"Logs": lines[-200:], "Limit": 200, "Offset": 0}


DLC.action("dlc.session_log", "DescribeNotebookSessionLog", _session_log, DEFINED)
