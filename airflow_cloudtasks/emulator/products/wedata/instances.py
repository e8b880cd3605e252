"""WeData's task instances: read, listed, listed by backfill plan, rerun and killed, with their logs.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships. They do not state the state of a killed
instance: EXPIRED ("failed") is the only final state that is neither a success nor a skip. They do not state how a
client recognises the last page of a log either. Here the last page's NextCursor is null.

The instances of a backfill plan are not stored. ListDataBackfillInstances and GetTaskInstanceLog derive them from the
plan's percentages. The other actions find such an instance only if a test has added a task with its InstanceKey. Then
ListDataBackfillInstances shows the added task.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time, clock_length
from airflow_cloudtasks.emulator.products.shared.answers import answer_with, find_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import cancel_task, find, start_again
from airflow_cloudtasks.emulator.products.wedata.backfill import BACKFILL
from airflow_cloudtasks.emulator.products.wedata.backfill_instances import find_planned, planned_instances
from airflow_cloudtasks.emulator.products.wedata.jobs import start_job
from airflow_cloudtasks.emulator.products.wedata.lists import answer_list, cut_page
from airflow_cloudtasks.emulator.products.wedata.product import WEDATA, invalid
from airflow_cloudtasks.emulator.products.wedata.zones import in_zone
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_WAITING = frozenset({"WAIT_EVENT", "WAIT_UPSTREAM", "WAIT_RUN"})
# The size of a page of a log, in characters.
_LOG_PAGE = 2_000
_LOG_LEVELS = ("Info", "Debug", "Warn", "Error", "All")
# Source: the example of GetTaskInstanceLog.
_LINE_END = "<br>"

_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="InstanceKey",
    status_at="InstanceState",
    asked_by="InstanceKey",
    scope=("ProjectId",),
    waiting=_WAITING,
    # WeData will retry an instance in FAILED_RETRY.
    unfinished=_WAITING | {"RUNNING", "FAILED_RETRY"},
    script=(Step("WAIT_RUN", 1), Step("RUNNING", 2), Step("COMPLETED")),
    failed=Step("EXPIRED"),
    canceled=Step("EXPIRED", fields={"JobErrorMsg": "The instance was killed."}),
    stamps=(
        Stamp("SchedulerTime", "created", beijing_time),
        Stamp("StartTime", "started", beijing_time),
        Stamp("EndTime", "finished", beijing_time),
        Stamp("LastUpdateTime", "entered", beijing_time),
    ),
    left_out=frozenset({"LogInfo", "CodeContent"}),
    example={
        "Data": {
            "CostTime": None,
            "CurRunDate": None,
            "CycleType": "DAY_CYCLE",
            "EndTime": None,
            "ExecutorGroupId": "20260101000000000001",
            "ExecutorGroupName": "emulated_group",
            "FolderId": "5b1f6f3e-0c51-4f0e-9a57-1d2e3f405162",
            "FolderName": "emulated_folder",
            "InstanceKey": "emulated",
            "InstanceState": "WAIT_RUN",
            "InstanceType": 1,
            "JobErrorMsg": "",
            "OwnerUinList": ["100000000001"],
            "ProjectId": "1",
            "StartTime": None,
            "TaskId": None,
            "TaskName": "emulated_task",
            "TaskType": "Shell",
            "TaskTypeId": 35,
            "TotalRunNum": 1,
            "Tries": 0,
            "TryLimit": 5,
            "WorkflowId": "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b",
            "WorkflowName": "emulated_workflow",
        }
    },
)
# TaskInstance has the fields of TaskInstanceDetail except the message.
_ENTRY = replace(
    _SHAPE,
    task_at=(),
    example={name: value for name, value in _SHAPE.example["Data"].items() if name != "JobErrorMsg"},
    left_out=_SHAPE.left_out | {"JobErrorMsg"},
)
# Filters of ListTaskInstances by value: the field of the same name must equal the parameter.
_VALUE_FILTERS = (
    *("InstanceType", "InstanceState", "TaskTypeId", "CycleType"),
    *("FolderId", "WorkflowId", "ExecutorGroupId"),
)
# Filters of ListTaskInstances by time: the parameters {name}From and {name}To bound this field.
_TIME_FILTERS = {"ScheduleTime": "SchedulerTime", "StartTime": "StartTime", "LastUpdateTime": "LastUpdateTime"}
# Parameters of ListTaskInstances that select nothing.
_NO_FILTERS = {"ProjectId", "SortColumn", "SortType", "PageNumber", "PageSize", "TimeZone"}
_SORTS = {
    "SCHEDULE_DATE": "SchedulerTime",
    "START_TIME": "StartTime",
    "END_TIME": "EndTime",
    "COST_TIME": "CostTime",
}


def _get_instance(call: Call) -> JsonObject:
    return {"Data": _show(call, find_task(call, TASK_INSTANCE, call.parameters["InstanceKey"]))}


def _show(call: Call, task: Task) -> JsonObject:
    return _with_derived_fields(call, task, answer_with(call, in_zone(call, _SHAPE), task)["Data"])


def _list_instances(call: Call) -> JsonObject:
    parameters = call.parameters
    column, direction = parameters.get("SortColumn"), parameters.get("SortType", "DESC")
    if column not in (None, *_SORTS):
        raise invalid("SortColumn")
    if direction not in ("ASC", "DESC"):
        raise invalid("SortType")
    order = [(_SORTS[column], direction == "DESC")] if column else []
    shape = in_zone(call, _ENTRY)
    # ProjectId, the order and the page are no filters.
    is_filtered = bool(
        parameters.keys() - {"ProjectId", "SortColumn", "SortType", "PageNumber", "PageSize", "TimeZone"}
    )
    wanted = (lambda entry: _passes_filters(parameters, entry)) if is_filtered else None
    return answer_list(call, TASK_INSTANCE.api, wanted, order, shape, _with_derived_fields)


def _passes_filters(parameters: Any, entry: JsonObject) -> bool:
    words = [word for word in parameters.get("Keyword", "").split(",") if word]
    return (
        all(parameters.get(name, entry[name]) == entry[name] for name in _VALUE_FILTERS)
        and parameters.get("OwnerUin") in (None, *entry["OwnerUinList"])
        and (not words or any(word in f"{entry['TaskName']} {entry['TaskId']}" for word in words))
        and all(
            # Times in this format can be compared as text.
            parameters.get(f"{name}From", "") <= (entry[field] or "") <= parameters.get(f"{name}To", "9999")
            for name, field in _TIME_FILTERS.items()
        )
    )


def _list_backfill_instances(call: Call) -> JsonObject:
    plan = find_task(call, BACKFILL, call.parameters["DataBackfillPlanId"])
    found = planned_instances(call, plan, call.parameters["TaskId"])
    return cut_page(call, found, lambda page: [_backfill_entry(call, planned) for planned in page])


def _backfill_entry(call: Call, planned: Task) -> JsonObject:
    added_by_test = find(call, TASK_INSTANCE, planned.id)
    shown = _show(call, added_by_test or planned)
    return {
        **planned.fields,
        **{name: shown[name] for name in ("TaskName", "StartTime", "EndTime")},
        "State": shown["InstanceState"],
        "CostTime": None if shown["CostTime"] is None else clock_length(shown["CostTime"]),
    }


def _rerun_instances(call: Call) -> JsonObject:
    tasks = [find_task(call, TASK_INSTANCE, key) for key in call.parameters["InstanceKeyList"]]
    answer = start_job(call, "INSTANCE_RERUN", len(tasks), noted=True)
    for task in tasks:
        runs = task.fields.get("TotalRunNum", 1) + 1
        kept = {name: value for name, value in task.fields.items() if name not in ("LogInfo", "JobErrorMsg")}
        task.fields = {**kept, "TotalRunNum": runs}
        start_again(call, TASK_INSTANCE, task)
    return answer


def _kill_instances(call: Call) -> JsonObject:
    keys = call.parameters["InstanceKeyList"]
    tasks = {key: find(call, TASK_INSTANCE, key) for key in keys}
    # Undocumented: what happens to the other instances if one does not exist. Here the call fails and kills none.
    unknown = [key for key in keys if tasks[key] is None]
    for key in unknown or keys:
        # Cancel the task. For an unknown key, only record the request.
        cancel_task(call, TASK_INSTANCE, key, tasks[key])
    if unknown:
        find_task(call, TASK_INSTANCE, unknown[0])  # Raises the vendor's error.
    return start_job(call, "INSTANCE_KILL", len(keys), noted=False)


def _get_log(call: Call) -> JsonObject:
    key = call.parameters["InstanceKey"]
    task = find(call, TASK_INSTANCE, key) or find_planned(call, key) or find_task(call, TASK_INSTANCE, key)
    cursor, level = call.parameters.get("NextCursor") or "0", call.parameters.get("LogLevel", "All")
    if not cursor.isdecimal():
        raise invalid("NextCursor")
    if level not in _LOG_LEVELS:
        raise invalid("LogLevel")
    lines = _log_of(call, task).split(_LINE_END)
    # LifeRoundNum has no effect: the emulator keeps only the log of the last run.
    text = _LINE_END.join(line for line in lines if level == "All" or f" {level.upper()} " in line)
    start, end = int(cursor), int(cursor) + _LOG_PAGE
    return {
        "Data": {
            "CodeContent": task.fields.get("CodeContent", "echo emulated"),
            "InstanceKey": task.id,
            "LogInfo": text[start:end],
            "NextCursor": str(end) if end < len(text) else None,
            "ProjectId": call.parameters["ProjectId"],
        }
    }


def _log_of(call: Call, task: Task) -> str:
    position = task.position(call.now)
    fields = {**task.fields, **position.step.fields}
    if "LogInfo" in fields:
        return str(fields["LogInfo"])
    began = task.began_at(call.now, _WAITING)
    if began is None:
        return ""
    lines = [f"{beijing_time(began)} INFO The task has started."]
    if _SHAPE.is_finished(position):
        failed = position.step.status == "EXPIRED"
        text = f"ERROR {fields.get('JobErrorMsg', 'The task has failed.')}" if failed else "INFO The task has ended."
        lines.append(f"{beijing_time(position.entered_at)} {text}")
    return _LINE_END.join(lines)


def _with_derived_fields(call: Call, task: Task, shown: JsonObject) -> JsonObject:
    # As in the vendor's examples, an InstanceKey is {TaskId}_{CurRunDate}.
    task_id, _, run_date = task.id.partition("_")
    position = task.position(call.now)
    began = task.began_at(call.now, _WAITING)
    cost = int((position.entered_at - began) * 1000) if began is not None and _SHAPE.is_finished(position) else None
    derived = {"TaskId": task_id, "CurRunDate": run_date, "CostTime": cost}
    return {**shown, **{name: value for name, value in derived.items() if shown[name] is None}}


TASK_INSTANCE = WEDATA.reads(
    "wedata.task_instance",
    "GetTaskInstance",
    DEFINED,
    _SHAPE,
    answer=_get_instance,
)
WEDATA.action(
    "wedata.task_instance_list",
    "ListTaskInstances",
    _list_instances,
    DEFINED,
    entry=_ENTRY,
)
WEDATA.action(
    "wedata.task_instance_start",
    "RerunTaskInstancesAsync",
    _rerun_instances,
    DEFINED,
)
WEDATA.action("wedata.task_instance_cancel", "KillTaskInstancesAsync", _kill_instances, DEFINED)
WEDATA.action(
    "wedata.task_instance_log",
    "GetTaskInstanceLog",
    _get_log,
    DEFINED,
)
WEDATA.action(
    "wedata.backfill_instance_list",
    "ListDataBackfillInstances",
    _list_backfill_instances,
    DEFINED,
)
