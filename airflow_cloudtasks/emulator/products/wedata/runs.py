"""WeData's workflow runs and the task runs under them: read, listed, started and killed.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships, for every name, type and "required". They do
not state the state of a killed run, the largest page, or the refusal of a bad filter; the code notes each decision.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import unix_milliseconds
from airflow_cloudtasks.emulator.products.shared.answers import answer_task, answer_with
from airflow_cloudtasks.emulator.products.shared.product import DEFINED
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import (
    add,
    cancel_task,
    end_as_canceled,
    find,
    new_uuid,
    start,
)
from airflow_cloudtasks.emulator.products.wedata.lists import (
    FILTERS,
    ORDER_FIELDS,
    PAGE,
    answer_list,
    named_ids,
    parse_filters,
    parse_order,
)
from airflow_cloudtasks.emulator.products.wedata.product import PROJECT, WEDATA
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_WAITING = frozenset({"PENDING", "QUEUED"})
_UNFINISHED = _WAITING | {"RUNNING"}

_RUN_SHAPE = TaskShape(
    task_at=("Data", "TriggerWorkflowRun"),
    id_at="ExecutionId",
    status_at="ExecutionState",
    asked_by="WorkflowExecutionId",
    scope=("ProjectId",),
    waiting=_WAITING,
    unfinished=_UNFINISHED,
    script=(Step("PENDING", 1), Step("RUNNING", 2), Step("SUCCESS")),
    failed=Step("FAILED"),
    # Undocumented: the state of a killed run. FAILED is the only documented final state that is no success and no skip.
    canceled=Step("FAILED", fields={"ErrorCodeStr": "Killed"}),
    stamps=(
        Stamp("CreateTime", "created", unix_milliseconds),
        Stamp("ScheduleTime", "created", unix_milliseconds),
        Stamp("QueueStartTime", "created", unix_milliseconds),
        Stamp("PendingStartTime", "created", unix_milliseconds),
        Stamp("ExecutionStartTime", "started", unix_milliseconds),
        Stamp("ExecutionEndTime", "finished", unix_milliseconds),
        Stamp("EndTime", "finished", unix_milliseconds),
    ),
    example={
        "Data": {
            "TriggerWorkflowRun": {
                "AppId": "1300000001",
                "CreateTime": "0",
                "CycleType": None,
                "EndTime": None,
                "ErrorCodeStr": None,
                "ExecuteUserName": None,
                "ExecuteUserUin": "100000000001",
                "ExecutionCostTime": None,
                "ExecutionEndTime": None,
                "ExecutionId": "emulated",
                "ExecutionStartTime": None,
                "ExecutionState": "PENDING",
                "FolderId": "5b1f6f3e-0c51-4f0e-9a57-1d2e3f405162",
                "FolderName": "emulated_folder",
                "PendingCostTime": None,
                "PendingStartTime": "0",
                "PlannedSchedulingTime": None,
                "ProjectId": "1",
                "QueueCostTime": "0",
                "QueueStartTime": "0",
                "RerunTimes": 0,
                "SelectedTaskIds": [],
                "SupportRerun": False,
                "TriggerId": None,
                "TriggerType": "ManualTrigger",
                "UserNameInCharge": "emulator",
                "UserUinInCharge": "100000000001",
                "WorkflowId": "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b",
                "WorkflowName": "emulated_workflow",
                "WorkflowParams": "{}",
                "WorkflowVersionId": "2f0f3a1c-7f54-4a57-b0c3-6d7e8f901122",
            },
            "TriggerTaskRuns": [],
            "BizStateEnumInfos": [],
        }
    },
)

_TASK_RUN_SHAPE = replace(
    _RUN_SHAPE,
    task_at=("Data",),
    asked_by="TaskExecutionId",
    stamps=(
        Stamp("CreateTime", "created", unix_milliseconds),
        Stamp("ScheduleTime", "created", unix_milliseconds),
        Stamp("DependenceFinishedTime", "created", unix_milliseconds),
        Stamp("IssueTime", "created", unix_milliseconds),
        Stamp("UpdateTime", "entered", unix_milliseconds),
        Stamp("ExecutionStartTime", "started", unix_milliseconds),
        Stamp("ExecutionEndTime", "finished", unix_milliseconds),
    ),
    example={
        "Data": {
            "CreateTime": "0",
            "CreateUin": None,
            "CycleType": None,
            "DependOnList": None,
            "DependenceFinishedTime": "0",
            "ErrorCodeStr": None,
            "ExecuteUserName": None,
            "ExecuteUserUin": "100000000001",
            "ExecutionEndTime": None,
            "ExecutionId": "emulated",
            "ExecutionResult": None,
            "ExecutionStartTime": None,
            "ExecutionState": "PENDING",
            "ExecutionTime": None,
            "FolderId": None,
            "FolderName": None,
            "IsLatestExecution": True,
            "IssueTime": "0",
            "JobId": "6820260101000000001",
            "LeftCoordinate": None,
            "ProjectId": "1",
            "RerunTimes": 0,
            "ResourceGroupId": "20260101000000000001",
            "ResourceGroupName": None,
            "RetryTimes": 0,
            "RunParams": "{}",
            "SupportRerun": False,
            "TaskId": "20260101000000001",
            "TaskName": "emulated_task",
            "TaskType": "SHELL",
            "TaskTypeExtensions": "{}",
            "TaskTypeId": 35,
            "TaskVersionId": "9c3f7b10-58c6-4a0b-8f6d-aabbccddeeff",
            "Timezone": "Asia/Shanghai",
            "TopCoordinate": None,
            "TriggerType": "Manual",
            "UpdateTime": "0",
            "UserNameInCharge": "emulator",
            "UserUinInCharge": "100000000001",
            "WaitTime": "0",
            "WorkflowExecutionId": None,
            "WorkflowExecutionState": None,
            "WorkflowId": "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b",
            "WorkflowName": "emulated_workflow",
            "WorkflowParams": "{}",
        }
    },
)
_RUN_ENTRY = replace(_RUN_SHAPE, task_at=(), example=_RUN_SHAPE.example["Data"]["TriggerWorkflowRun"])
_TASK_RUN_ENTRY = replace(_TASK_RUN_SHAPE, task_at=(), example=_TASK_RUN_SHAPE.example["Data"])
# The fields of ListTriggerTaskRunBrief, which has fewer than the single read and another name for the state.
_LISTED = (
    *("ErrorCodeStr", "ExecuteUserUin", "ExecutionEndTime", "ExecutionId", "ExecutionStartTime", "ExecutionTime"),
    *("IsLatestExecution", "RerunTimes", "RetryTimes", "ScheduleTime", "TaskId", "TaskName", "TriggerType"),
    *("WaitTime", "WorkflowExecutionId", "WorkflowId", "WorkflowName"),
)
# The fields that the filters and orders of the two lists refer to, by the names in the definitions.
_RUN_FILTERS = {
    "WorkflowId": "WorkflowId",
    "FolderId": "FolderId",
    "InChargeUin": "UserUinInCharge",
    "ExecuteUserUin": "ExecuteUserUin",
    "ExecutionId": "ExecutionId",
}
_TASK_RUN_FILTERS = {
    "WorkflowId": "WorkflowId",
    "FolderId": "FolderId",
    "InChargeUin": "UserUinInCharge",
    "WorkflowExecutionId": "WorkflowExecutionId",
    "ExecutionId": "ExecutionId",
    "TaskId": "TaskId",
}
_ORDERS = {"CreateTime": "CreateTime", "EndTime": "ExecutionEndTime", "ScheduleTime": "ScheduleTime"}


def _get_workflow_run(call: Call) -> JsonObject:
    answer = answer_task(call)
    shown = [
        _with_parent(call, answer_with(call, _TASK_RUN_ENTRY, task))
        for task in _task_runs_of(call, call.parameters["WorkflowExecutionId"])
    ]
    states = Counter(run["ExecutionState"] for run in shown)
    # LabelValue is a text for people; here it repeats the state.
    counts = [{"LabelKey": state, "LabelValue": state, "Count": count} for state, count in states.items()]
    return {"Data": {**answer["Data"], "TriggerTaskRuns": shown, "BizStateEnumInfos": counts}}


def _get_task_run(call: Call) -> JsonObject:
    return {"Data": _with_parent(call, answer_task(call)["Data"])}


def _list_workflow_runs(call: Call) -> JsonObject:
    return _list(call, WORKFLOW_RUN.api, _RUN_FILTERS, ("WorkflowName", "WorkflowId"))


def _list_task_runs(call: Call) -> JsonObject:
    page = _list(call, TASK_RUN.api, _TASK_RUN_FILTERS, ("TaskName", "TaskId"))["Data"]
    items = [
        {**{name: item[name] for name in _LISTED}, "TaskExecutionState": item["ExecutionState"]}
        for item in page["Items"]
    ]
    return {"Data": {**page, "Items": items}}


def _list(call: Call, api: str, known: Mapping[str, str], keyword: tuple[str, str]) -> JsonObject:
    filters = call.parameters.get("Filters", [])
    order = parse_order(call.parameters.get("OrderFields", []), _ORDERS)
    return answer_list(call, api, parse_filters(filters, known, keyword), order, ids=named_ids(filters, "ExecutionId"))


def _start_workflow_run(call: Call) -> JsonObject:
    selected = call.parameters.get("TaskIds") or []
    workflow_id = call.parameters["WorkflowId"]
    params = {one.get("ParamKey"): one.get("ParamValue") for one in call.parameters.get("AdvancedParams") or []}
    fields = {"WorkflowId": workflow_id, "SelectedTaskIds": selected, "WorkflowParams": json.dumps(params)}
    run = start(call, WORKFLOW_RUN, new_uuid(), fields)
    # The emulator does not know a workflow's tasks: one task stands for all of them unless some are selected.
    for task_id in selected or [_TASK_RUN_ENTRY.example["TaskId"]]:
        # A task run goes as its workflow run does, unless a test has planned it.
        plan = call.state.plans.take(TASK_RUN.api, tuple(_below(step) for step in run.script))
        above = {"WorkflowExecutionId": run.id, "WorkflowId": workflow_id, "TaskId": task_id}
        add(call, TASK_RUN, new_uuid(), plan, above)
    return {"Data": {"WorkflowExecutionId": run.id}}


def _below(step: Step) -> Step:
    # The definitions spell a skip SKIPED for a workflow run and SKIP for a task run.
    return Step("SKIP" if step.status == "SKIPED" else step.status, step.seconds)


def _kill_workflow_runs(call: Call) -> JsonObject:
    named = call.parameters.get("WorkflowExecutionIdList") or [run.id for run in _runs_to_kill(call)]
    return {"Data": [_kill_workflow_run(call, run_id) for run_id in named]}


def _runs_to_kill(call: Call) -> list[Task]:
    # Without ids, All means every run that has not ended, and Pending every one that waits; without either, none.
    if not (call.parameters.get("All") or call.parameters.get("Pending")):
        return []
    runs = []
    for task in call.state.tasks.newest(WORKFLOW_RUN.api):
        status = task.position(call.now).step.status
        statuses = _UNFINISHED if call.parameters.get("All") else _WAITING
        if status in statuses and _is_of(call, task):
            runs.append(task)
    return runs


def _kill_workflow_run(call: Call, run_id: str) -> JsonObject:
    run = find(call, WORKFLOW_RUN, run_id)
    if run is not None and not _is_of(call, run):
        run = None
    killed = cancel_task(call, WORKFLOW_RUN, run_id, run)
    if killed:
        for task in _task_runs_of(call, run_id):
            if not _TASK_RUN_SHAPE.is_finished(task.position(call.now)):
                end_as_canceled(call, TASK_RUN, task)
    return {
        "ItemId": run_id,
        "ItemName": None if run is None else run.fields.get("WorkflowName", _RUN_ENTRY.example["WorkflowName"]),
        "ExecutionActionId": None,
        # Undocumented: the answer for a run that cannot be killed. OpStatus and ErrorMessage have room for it.
        "ErrorMessage": None if killed else "The run does not exist or has ended.",
        "OpStatus": killed,
    }


def _is_of(call: Call, run: Task) -> bool:
    # A run that a test added without a workflow belongs to any.
    return run.is_inside(call.parameters) and run.fields.get("WorkflowId") in (None, call.parameters["WorkflowId"])


def _task_runs_of(call: Call, run_id: str) -> list[Task]:
    task_runs = [
        task
        for task in call.state.tasks.newest(TASK_RUN.api)
        if task.fields.get("WorkflowExecutionId") == run_id and task.is_inside(call.parameters)
    ]
    return task_runs[::-1]


def _with_parent(call: Call, task_run: JsonObject) -> JsonObject:
    run_id = task_run["WorkflowExecutionId"]
    run = find(call, WORKFLOW_RUN, run_id) if run_id else None
    if run is None:
        return task_run
    return {**task_run, "WorkflowExecutionState": run.position(call.now).step.status}


WORKFLOW_RUN = WEDATA.reads(
    "wedata.workflow_run",
    "GetTriggerWorkflowRun",
    # The names of its filters and orders are not documented: they are accepted and have no effect.
    DEFINED,
    _RUN_SHAPE,
    answer=_get_workflow_run,
)
WEDATA.action(
    "wedata.workflow_run_list",
    "ListTriggerWorkflowRuns",
    _list_workflow_runs,
    DEFINED,
    entry=_RUN_ENTRY,
)
WEDATA.action(
    "wedata.workflow_run_start",
    "CreateTriggerWorkflowRun",
    _start_workflow_run,
    DEFINED,
)
WEDATA.action(
    "wedata.workflow_run_cancel",
    "KillTriggerWorkflowRuns",
    _kill_workflow_runs,
    DEFINED,
)
TASK_RUN = WEDATA.reads(
    "wedata.task_run",
    "GetTriggerTaskRun",
    DEFINED,
    _TASK_RUN_SHAPE,
    answer=_get_task_run,
)
WEDATA.action(
    "wedata.task_run_list",
    "ListTriggerTaskRuns",
    _list_task_runs,
    (PROJECT, FILTERS, ORDER_FIELDS, *PAGE),
    entry=_TASK_RUN_ENTRY,
)
