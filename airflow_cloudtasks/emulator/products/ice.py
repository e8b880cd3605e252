"""ICE's workflow tasks and AI workflow tasks: read, listed, started and stopped.

Sources: ICE's documents of GetWorkflowTask, GetAIWorkflowTask and StopAIWorkflowTask, and the models of
``alibabacloud-ice20201109`` for parameters, fields and statuses. Neither has a client token for a start, and no
parameter of these actions is required by them. The example's values are our own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_task, find_task, merge
from airflow_cloudtasks.emulator.products.shared.listing import list_workflow_tasks
from airflow_cloudtasks.emulator.products.shared.not_found import TASK_ID_NOT_FOUND
from airflow_cloudtasks.emulator.vendor.contract import Action, Parameter, Stamp, TaskShape
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call, Place

_PLACES: tuple[Place, ...] = ("query", "form")
# Source: UserData of StartWorkflow.
_USER_DATA_BYTES = 512
_STOPPED = Step("stopped")

_ICE_SHAPE = TaskShape(
    task_at=("WorkflowTask",),
    id_at="TaskId",
    status_at="Status",
    unfinished=frozenset({"Init", "Processing"}),
    waiting=frozenset({"Init"}),
    script=(Step("Init", 1), Step("Processing", 2), Step("Succeed")),
    stamps=(
        Stamp("CreateTime", "created", iso_utc),
        Stamp("FinishTime", "finished", iso_utc),
    ),
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
                # The line's end is in the document's example too.
                "ModifiedTime": "2022-11-29T02:06:19Z\n",
            },
            # Not JSON, as in the document's example, though it is a JSON text in other answers.
            "ActivityResults": "No results yet.",
            "UserData": '{"NotifyAddress":"http://callback.invalid"}',
        }
    },
)

# The list's model has no ActivityResults, and a MediaType in its Workflow that the single task's has not.
_ICE_LISTED = merge(
    {name: value for name, value in _ICE_SHAPE.example["WorkflowTask"].items() if name != "ActivityResults"},
    {"Workflow": {"MediaType": "Media"}},
)

ICE_WORKFLOW_TASK = Action(
    api="ice.workflow_task",
    cloud="alibaba",
    service="ice",
    version="2020-11-09",
    name="GetWorkflowTask",
    parameters=(Parameter("TaskId", ("query", "form")),),
    answer=answer_task,
    not_found=TASK_ID_NOT_FOUND,
    task=_ICE_SHAPE,
)

ICE_WORKFLOW_TASK_LIST = Action(
    api="ice.workflow_task_list",
    cloud="alibaba",
    service="ice",
    version="2020-11-09",
    name="ListWorkflowTasks",
    parameters=tuple(
        Parameter(name, ("query", "form"), required=False)
        for name in (
            *("StartOfCreateTime", "EndOfCreateTime", "KeyText", "WorkflowId", "WorkflowName"),
            *("MaxResults", "NextToken"),
        )
    ),
    answer=list_workflow_tasks,
    task=replace(_ICE_SHAPE, task_at=(), example=_ICE_LISTED, left_out=frozenset({"ActivityResults"})),
)


_AI_SHAPE = TaskShape(
    task_at=("WorkflowTask",),
    id_at="TaskId",
    status_at="Status",
    # It has no status for a task that waits.
    unfinished=frozenset({"running"}),
    script=(Step("running", 3), Step("succeeded")),
    stamps=(
        Stamp("CreateTime", "created", iso_utc),
        Stamp("FinishTime", "finished", iso_utc),
    ),
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


def _start_workflow(call: Call) -> JsonObject:
    if len(call.parameters.get("UserData", "").encode()) > _USER_DATA_BYTES:
        raise VendorError("InvalidParameter", "The specified parameter UserData is not valid.")
    return _start(call, ICE_WORKFLOW_TASK, starting.given(call, "TaskInput", "UserData"))


def _start_ai_workflow(call: Call) -> JsonObject:
    return _start(call, ICE_AI_WORKFLOW_TASK, starting.given(call, "Inputs", "UserData"))


def _start(call: Call, reader: Action, fields: JsonObject) -> JsonObject:
    task = starting.start(call, reader, starting.new_uuid(), {**fields, "Workflow": starting.given(call, "WorkflowId")})
    return {"TaskId": task.id}


def _stop_ai_workflow_task(call: Call) -> JsonObject:
    task_id = call.parameters["TaskId"]
    task = call.state.tasks.find(ICE_AI_WORKFLOW_TASK.api, task_id, call.parameters)
    starting.cancel(call, ICE_AI_WORKFLOW_TASK, task_id, task, _STOPPED)
    # Undocumented: what is said of a task that has ended, or of one that is not real-time. It is answered like any.
    return {"TaskId": find_task(call, ICE_AI_WORKFLOW_TASK, task_id).id}


def _ice(api: str, name: str, **more: Any) -> Action:
    return Action(api=api, cloud="alibaba", service="ice", version="2020-11-09", name=name, **more)


def _optional(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, _PLACES, required=False) for name in names)


ICE_WORKFLOW_START = _ice(
    "ice.workflow_task_start",
    "StartWorkflow",
    parameters=(
        *_optional("WorkflowId", "TaskInput", "UserData"),
        Parameter("SkipInputVerification", _PLACES, required=False, type="boolean"),
    ),
    answer=_start_workflow,
)
ICE_AI_WORKFLOW_TASK = _ice(
    "ice.ai_workflow_task",
    "GetAIWorkflowTask",
    parameters=(Parameter("TaskId", _PLACES),),
    answer=answer_task,
    not_found=TASK_ID_NOT_FOUND,
    task=_AI_SHAPE,
)
ICE_AI_WORKFLOW_START = _ice(
    "ice.ai_workflow_task_start",
    "StartAIWorkflow",
    parameters=_optional("WorkflowId", "Inputs", "UserData", "DispatchTag"),
    answer=_start_ai_workflow,
)
ICE_AI_WORKFLOW_STOP = _ice(
    "ice.ai_workflow_task_cancel",
    "StopAIWorkflowTask",
    parameters=(Parameter("TaskId", _PLACES),),
    answer=_stop_ai_workflow_task,
)

ICE_ACTIONS = (ICE_WORKFLOW_TASK_LIST, ICE_WORKFLOW_START, ICE_AI_WORKFLOW_START, ICE_AI_WORKFLOW_STOP)
