"""OOS's executions: read through their list, started and canceled.

Source: the models of ``alibabacloud-oos20190601``. The example's values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.answers import find_task
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

OOS = Product("alibaba", "oos", "2019-06-01", ("query", "form"))

EXECUTION = OOS.reads(
    "oos.execution",
    "ListExecutions",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="ExecutionId",
        asked_by="ExecutionId",
        status_at="Status",
        unfinished=frozenset({"Queued", "Pending", "Started", "Running", "Waiting"}),
        waiting=frozenset({"Queued", "Pending"}),
        script=(Step("Started", 1), Step("Running", 2), Step("Success")),
        failed=Step("Failed"),
        canceled=Step("Cancelled"),
        # What ListTaskExecutions and ListExecutionLogs show.
        left_out=frozenset({"TaskExecutions", "ExecutionLogs"}),
        stamps=(
            Stamp("CreateDate", "created", iso_utc),
            Stamp("StartDate", "started", iso_utc),
            Stamp("EndDate", "finished", iso_utc),
        ),
        example={
            "ExecutionId": "exec-emulated",
            "Status": "Started",
            "TemplateName": "ACS-ECS-RebootInstance",
            "TemplateVersion": "v1",
            "StatusMessage": "",
            "Mode": "Automatic",
            "Parameters": {"instanceId": "i-emulated"},
            "Outputs": "{}",
            "Description": "",
        },
    ),
    listing=Listing(
        api="oos.execution",
        at=("Executions",),
        ids="ExecutionId",
        size="MaxResults",
        token=("NextToken",),
        order=Order(
            by=("SortField",),
            times={"StartDate": "StartDate", "EndDate": "EndDate"},
            direction=("SortOrder",),
            ascending="Ascending",
        ),
    ),
)
OOS.starts(
    EXECUTION,
    "StartExecution",
    DEFINED,
    ("Execution", "ExecutionId"),
    shown=("TemplateName", "Description"),
)
OOS.cancels(EXECUTION, "CancelExecution", DEFINED)

_TASK_EXECUTION = {
    "TaskExecutionId": "exec-emulated.1",
    "TaskName": "rebootInstance",
    "TaskAction": "ACS::ECS::RebootInstance",
    "StatusMessage": "",
}
_LOG = {"TaskExecutionId": "exec-emulated.1", "LogType": "INFO", "Message": "This is a log"}


def _task_executions(call: Call) -> JsonObject:
    """Return an execution's ``TaskExecutions``, or one that has gone as far as the execution itself."""
    task = find_task(call, EXECUTION, call.parameters["ExecutionId"])
    where = task.position(call.now)
    made = [{**_TASK_EXECUTION, "Status": where.step.status}]
    shown = [{**each, "ExecutionId": task.id} for each in task.fields.get("TaskExecutions", made)]
    wanted = call.parameters.get("Status")
    return {"TaskExecutions": [each for each in shown if wanted in (None, each["Status"])], "NextToken": ""}


def _logs(call: Call) -> JsonObject:
    task = find_task(call, EXECUTION, call.parameters["ExecutionId"])
    logs, wanted = task.fields.get("ExecutionLogs", [_LOG]), call.parameters.get("TaskExecutionId")
    return {
        "ExecutionLogs": [each for each in logs if wanted in (None, each["TaskExecutionId"])],
        "IsTruncated": False,
        "NextToken": "",
    }


_OF_EXECUTION: dict[str, Any] = {"required": "ExecutionId", "not_found": EXECUTION.not_found}
OOS.action("oos.task_executions", "ListTaskExecutions", _task_executions, DEFINED, **_OF_EXECUTION)
OOS.action("oos.execution_logs", "ListExecutionLogs", _logs, DEFINED, **_OF_EXECUTION)
