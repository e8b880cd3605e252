"""ICE's workflow tasks and AI workflow tasks: read, listed, started and stopped.

Sources: ICE's documents of GetWorkflowTask, GetAIWorkflowTask and StopAIWorkflowTask, and the models of
``alibabacloud-ice20201109`` for parameters, bounds, fields and statuses. No start has a client token, and these actions
require no parameter. The example's values are our own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.answers import merge
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_uuid, sent, start
from airflow_cloudtasks.emulator.products.shared.token_pages import cut_page, page_size
from airflow_cloudtasks.emulator.vendor.alibaba_errors import invalid
from airflow_cloudtasks.emulator.vendor.contract import Event, Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Action, Call

ICE = Product("alibaba", "ice", "2020-11-09", ("query", "form"))

_PAGE_SIZES = (1, 100)
_KEY_TEXT_LENGTH = 32
# Source: StartOfCreateTime and EndOfCreateTime, "querying data from the last 90 days only".
_REACH_SECONDS = 90 * 86_400
_ISO = "%Y-%m-%dT%H:%M:%SZ"
_NEVER = "9999-12-31T23:59:59Z"
# Source: UserData of StartWorkflow.
_USER_DATA_BYTES = 512
_STAMPS = (
    Stamp("CreateTime", "created", iso_utc),
    Stamp("FinishTime", "finished", iso_utc),
)


def _user_data(task: Task) -> JsonObject:
    data = task.fields.get("UserData")
    try:
        decoded = json.loads(data) if isinstance(data, str) else data
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _notify_address(task: Task) -> str | None:
    """Return the queue in UserData. An address that is a URL is not called."""
    address = _user_data(task).get("NotifyAddress")
    return address if isinstance(address, str) and address.startswith("ice-callback-") else None


def _ended(task: Task, status: str | None) -> JsonObject:
    workflow = task.fields.get("Workflow") or {}
    data = task.fields.get("UserData")
    return {
        "TaskId": task.id,
        "WorkflowId": workflow.get("WorkflowId", ""),
        "Status": status,
        "ActivityResults": [],
        "UserData": data if isinstance(data, str) else json.dumps(data or {}),
    }


# Source: ICE, "Callback events": the event of the end of a workflow task, and its address in UserData of StartWorkflow.
_EVENT = Event("WorkflowTaskComplete", _ended, _notify_address)
_SHAPE = TaskShape(
    task_at=("WorkflowTask",),
    event=_EVENT,
    id_at="TaskId",
    status_at="Status",
    unfinished=frozenset({"Init", "Processing"}),
    waiting=frozenset({"Init"}),
    script=(Step("Init", 1), Step("Processing", 2), Step("Succeed")),
    failed=Step("Failed"),
    canceled=Step("Canceled"),
    stamps=_STAMPS,
    example={
        "WorkflowTask": {
            "TaskId": "emulated",
            "Status": "Init",
            "TaskInput": '{\n "Type": "Media",\n "Media": "30706071edbfe290b488emulated"\n}',
            "Workflow": {
                "WorkflowId": "63dca94c609de02ac0d1emulated",
                "Name": "Emulated workflow",
                "Status": "Active",
                "Type": "Common",
                "CreateTime": "2022-11-27T10:02:12Z",
                # The document's example ends with a newline too.
                "ModifiedTime": "2022-11-29T02:06:19Z\n",
            },
            # Not JSON, as in the document's example, though it is JSON text in other answers.
            "ActivityResults": "No results yet.",
            "UserData": '{"NotifyAddress":"http://callback.invalid"}',
        }
    },
)
# The list's model has no ActivityResults. Its Workflow has a MediaType, which that of the single task has not.
_ENTRY = replace(
    _SHAPE,
    task_at=(),
    left_out=frozenset({"ActivityResults"}),
    example=merge(
        {name: value for name, value in _SHAPE.example["WorkflowTask"].items() if name != "ActivityResults"},
        {"Workflow": {"MediaType": "Media"}},
    ),
)
_AI_SHAPE = TaskShape(
    task_at=("WorkflowTask",),
    id_at="TaskId",
    status_at="Status",
    # There is no status for a task that waits.
    unfinished=frozenset({"running"}),
    script=(Step("running", 3), Step("succeeded")),
    failed=Step("failed"),
    canceled=Step("stopped"),
    stamps=_STAMPS,
    example={
        "WorkflowTask": {
            "TaskId": "emulated",
            "Status": "running",
            "Inputs": '{"live_url":{"url":"rtmp://live.invalid/stream"}}',
            "Outputs": "{}",
            "NodeResults": "[]",
            "UserData": "",
            "Version": "1",
            "Workflow": {
                "WorkflowId": "0b7f2c1e-51d4-4d0b-8a68-emulated",
                "Name": "Emulated AI workflow",
                "Status": "Published",
                # StopAIWorkflowTask is documented for live streams and RTC alone.
                "Type": "Live",
                "Version": "1",
                "Graph": "{}",
                "CreateTime": "2025-08-20T01:35:04Z",
                "ModifiedTime": "2025-08-20T01:35:04Z",
            },
        }
    },
)


def _list_workflow_tasks(call: Call) -> JsonObject:
    """Answer ListWorkflowTasks. Its NextToken, which the SDK's model requires, is empty on the last page."""
    filters = {name: value for name, value in call.parameters.items() if value}
    size = page_size(call)
    lowest, highest = _PAGE_SIZES
    if not lowest <= size <= highest:
        raise invalid("MaxResults")
    text = filters.get("KeyText", "")
    if len(text) > _KEY_TEXT_LENGTH:
        raise invalid("KeyText")
    reach = iso_utc(call.now - _REACH_SECONDS)
    # Times in this format can be compared as text.
    earliest = max(reach, _iso_time("StartOfCreateTime", filters.get("StartOfCreateTime", reach)))
    latest = _iso_time("EndOfCreateTime", filters.get("EndOfCreateTime", _NEVER))
    workflow = {
        name: filters[parameter]
        for name, parameter in (("WorkflowId", "WorkflowId"), ("Name", "WorkflowName"))
        if parameter in filters
    }

    def wanted(task: JsonObject) -> bool:
        # A test may set these fields to any value, null included.
        return (
            earliest <= str(task["CreateTime"]) <= latest
            and text in str(task["TaskInput"])
            and workflow.items() <= (task["Workflow"] or {}).items()
        )

    tasks, token = cut_page(call, WORKFLOW_TASK.api, size, wanted)
    return {"TaskList": tasks, "MaxResults": size, "NextToken": token}


def _iso_time(name: str, text: str) -> str:
    try:
        return f"{datetime.strptime(text, _ISO).isoformat()}Z"
    except ValueError:
        raise invalid(name) from None


def _start_workflow(call: Call) -> JsonObject:
    if len(call.parameters.get("UserData", "").encode()) > _USER_DATA_BYTES:
        raise invalid("UserData")
    return _start(call, WORKFLOW_TASK, "TaskInput", "UserData")


def _start_ai_workflow(call: Call) -> JsonObject:
    return _start(call, AI_WORKFLOW_TASK, "Inputs", "UserData")


def _start(call: Call, reader: Action, *shown: str) -> JsonObject:
    fields = {**sent(call, *shown), "Workflow": sent(call, "WorkflowId")}
    return {"TaskId": start(call, reader, new_uuid(), fields).id}


WORKFLOW_TASK = ICE.reads("ice.workflow_task", "GetWorkflowTask", DEFINED, _SHAPE)
ICE.action(
    "ice.workflow_task_list",
    "ListWorkflowTasks",
    _list_workflow_tasks,
    DEFINED,
    entry=_ENTRY,
)
ICE.action(
    "ice.workflow_task_start",
    "StartWorkflow",
    _start_workflow,
    DEFINED,
)
AI_WORKFLOW_TASK = ICE.reads("ice.ai_workflow_task", "GetAIWorkflowTask", DEFINED, _AI_SHAPE)
ICE.action(
    "ice.ai_workflow_task_start",
    "StartAIWorkflow",
    _start_ai_workflow,
    DEFINED,
)
# Undocumented: the answer for a task that has ended, or that is not real-time. It is answered like any other.
ICE.cancels(AI_WORKFLOW_TASK, "StopAIWorkflowTask", DEFINED, id_at=("TaskId",))

MEDIA_PRODUCING_JOB = ICE.reads(
    "ice.media_producing_job",
    "GetMediaProducingJob",
    DEFINED,
    TaskShape(
        task_at=("MediaProducingJob",),
        id_at="JobId",
        asked_by="JobId",
        status_at="Status",
        unfinished=frozenset({"Init", "Processing"}),
        waiting=frozenset({"Init"}),
        script=(Step("Init", 1), Step("Processing", 2), Step("Success")),
        failed=Step("Failed"),
        stamps=(Stamp("CreateTime", "created", iso_utc), Stamp("CompleteTime", "finished", iso_utc)),
        example={"MediaProducingJob": {"Status": "Init", "JobId": "emulated"}},
    ),
)
ICE.starts(MEDIA_PRODUCING_JOB, "SubmitMediaProducingJob", DEFINED, ("JobId",))

MEDIA_CONVERT_JOB = ICE.reads(
    "ice.media_convert_job",
    "GetMediaConvertJob",
    DEFINED,
    TaskShape(
        task_at=("Job",),
        id_at="JobId",
        asked_by="JobId",
        status_at="State",
        unfinished=frozenset({"Inited", "Running"}),
        waiting=frozenset({"Inited"}),
        script=(Step("Inited", 1), Step("Running", 2), Step("Complete")),
        failed=Step("Error"),
        canceled=Step("Cancelled"),
        stamps=(Stamp("CreateTime", "created", iso_utc), Stamp("FinishTime", "finished", iso_utc)),
        example={"Job": {"State": "Inited", "JobId": "emulated"}},
    ),
)
ICE.starts(MEDIA_CONVERT_JOB, "SubmitMediaConvertJob", DEFINED, ("Job", "JobId"))

IPRODUCTION_JOB = ICE.reads(
    "ice.iproduction_job",
    "QueryIProductionJob",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="JobId",
        asked_by="JobId",
        status_at="Status",
        unfinished=frozenset({"Queuing", "Analyzing"}),
        waiting=frozenset({"Queuing"}),
        script=(Step("Queuing", 1), Step("Analyzing", 2), Step("Success")),
        failed=Step("Fail"),
        canceled=Step("Fail"),
        stamps=(Stamp("CreateTime", "created", iso_utc), Stamp("FinishTime", "finished", iso_utc)),
        example={"Status": "Queuing", "JobId": "emulated"},
    ),
)
ICE.starts(IPRODUCTION_JOB, "SubmitIProductionJob", DEFINED, ("JobId",))
ICE.cancels(IPRODUCTION_JOB, "CancelIProductionJob", DEFINED)

VIDEO_COGNITION_JOB = ICE.reads(
    "ice.video_cognition_job",
    "QueryVideoCognitionJob",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="JobId",
        status_at="JobStatus",
        unfinished=frozenset({"Submitted", "Processing"}),
        waiting=frozenset({"Submitted"}),
        script=(Step("Submitted", 1), Step("Processing", 2), Step("Success")),
        failed=Step("Fail"),
        example={"JobStatus": "Submitted"},
    ),
)
ICE.starts(VIDEO_COGNITION_JOB, "SubmitVideoCognitionJob", DEFINED, ("JobId",))
