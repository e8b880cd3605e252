"""TAT's invocations: read and listed by one action, started and canceled, and what each instance made of one.

Source: the definitions and examples of TAT 2020-10-28 that tccli ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared import start_and_cancel
from airflow_cloudtasks.emulator.products.shared.answers import asked, merge
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

TAT = Product("tencent", "tat", "2020-10-28", ("json", "query"), needs_region=True)

_INSTANCE_TASK = {
    "InvocationTaskId": "invt-emulated",
    "CommandId": "cmd-emulated",
    "CommandName": "emulated",
    "CommandDocument": {
        "Content": "bHM=",
        "CommandType": "SHELL",
        "Timeout": 60,
        "WorkingDirectory": "/root",
        "Username": "root",
        "OutputCOSBucketUrl": "",
        "OutputCOSKeyPrefix": "",
    },
    "InstanceId": "ins-emulated",
    "TaskResult": {
        "ExitCode": 0,
        "Output": "cm9vdAo=",
        "ExecStartTime": "2026-01-05T08:30:16Z",
        "ExecEndTime": "2026-01-05T08:30:18Z",
        "Dropped": 0,
        "OutputUrl": "",
        "OutputUploadCOSErrorInfo": "",
    },
    "ErrorInfo": "",
    "InvocationSource": "USER",
    "CreatedTime": "2026-01-05T08:30:16Z",
    "UpdatedTime": "2026-01-05T08:30:18Z",
    "StartTime": "2026-01-05T08:30:16Z",
    "EndTime": "2026-01-05T08:30:18Z",
}

INVOCATION = TAT.reads(
    "tat.invocation",
    "DescribeInvocations",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="InvocationId",
        asked_by="Filters[invocation-id]",
        status_at="InvocationStatus",
        unfinished=frozenset({"PENDING", "RUNNING", "CANCELLING"}),
        waiting=frozenset({"PENDING"}),
        script=(Step("PENDING", 1), Step("RUNNING", 2), Step("SUCCESS")),
        failed=Step("FAILED"),
        canceled=Step("CANCELLED"),
        # The objects that DescribeInvocationTasks shows; without them, it shows one of the invocation's own status.
        left_out=frozenset({"InvocationTaskSet"}),
        stamps=(
            Stamp("CreatedTime", "created", iso_utc),
            Stamp("StartTime", "started", iso_utc),
            Stamp("EndTime", "finished", iso_utc),
        ),
        example={
            "InvocationId": "inv-emulated",
            "CommandId": "cmd-emulated",
            "CommandName": "emulated",
            "InvocationStatus": "PENDING",
            "InvocationTaskBasicInfoSet": [],
            "Description": "",
            "Parameters": "{}",
            "DefaultParameters": "{}",
            "InstanceKind": "CVM",
            "Username": "root",
            "InvocationSource": "USER",
            "CommandContent": "bHM=",
            "CommandType": "SHELL",
            "Timeout": 60,
            "WorkingDirectory": "/root",
        },
    ),
    listing=Listing(
        api="tat.invocation",
        at=("InvocationSet",),
        ids=("Filters[invocation-id]", "InvocationIds"),
        most_ids=100,
        offset="Offset",
        total=("TotalCount",),
    ),
)
TAT.starts(INVOCATION, "RunCommand", DEFINED, ("InvocationId",), example={"CommandId": "cmd-emulated"})
TAT.cancels(INVOCATION, "CancelInvocation", DEFINED, asked_by="InvocationId")


def _instance_tasks(call: Call) -> JsonObject:
    found = (start_and_cancel.find(call, INVOCATION, each) for each in asked(call.parameters, "Filters[invocation-id]"))
    shown = [each for task in found if task is not None for each in _shown(call, task)]
    if call.parameters.get("HideOutput", True):
        shown = [merge(each, {"TaskResult": {"Output": ""}}) for each in shown]
    return {"InvocationTaskSet": shown, "TotalCount": len(shown)}


def _shown(call: Call, task: Task) -> list[JsonObject]:
    step = task.position(call.now).step
    fields = {**task.fields, **step.fields}
    given = fields.get("InvocationTaskSet") or [{"TaskStatus": step.status}]
    return [merge(_INSTANCE_TASK, {"InvocationId": task.id, **each}) for each in given]


TAT.action("tat.invocation_tasks", "DescribeInvocationTasks", _instance_tasks, DEFINED)
