"""BDRC's tasks: read, listed, and started by the actions that take long.

Sources: BDRC's document of DescribeTask, and the models of ``alibabacloud-bdrc20230808`` for parameters, paths, bounds,
fields and statuses. None of its actions cancels a task or has a client token. The example's values are our own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import unix_seconds
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_uuid, sent, start
from airflow_cloudtasks.emulator.products.shared.token_pages import cut_page, page_size
from airflow_cloudtasks.emulator.vendor.alibaba_errors import invalid
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

BDRC = Product("alibaba", "bdrc", "2023-08-08", ("form", "query"))

_PAGE_SIZES = (10, 500)
_STATUSES = ("CREATED", "RUNNING", "COMPLETE", "FAILED", "EXPIRED", "CANCELED")

_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="TaskId",
    status_at="TaskStatus",
    unfinished=frozenset({"CREATED", "RUNNING"}),
    script=(Step("CREATED", 1), Step("RUNNING", 2), Step("COMPLETE")),
    failed=Step("FAILED"),
    canceled=Step("CANCELED"),
    progress_at="Progress",
    progress_full=10_000,
    stamps=(
        Stamp("StartTime", "created", unix_seconds),
        Stamp("CompleteTime", "finished", unix_seconds),
        Stamp("ExpireTime", "expires", unix_seconds),
    ),
    example={
        "Data": {
            "TaskId": "t-emulated",
            "TaskName": "emulated",
            "TaskDescription": "",
            "TaskType": "UPDATE_RESOURCES",
            "TaskPriority": "HIGH",
            # The id of the request that created the task; the answer's own RequestId is beside Data.
            "RequestId": "0D9B1C5E-6B7A-5C3D-8F21-3A4B5C6D7E8F",
            "TaskResult": "",
            "TaskDetail": '{"resourceTypes":["ACS::ECS::Instance","ACS::OSS::Bucket"]}',
            "ExecutionId": "",
            "Progress": 0,
            "TaskStatus": "CREATED",
            "ErrorMessage": "",
        }
    },
)


def _list_tasks(call: Call) -> JsonObject:
    """Answer DescribeTasks, whose last page has no NextToken."""
    status, kind = call.parameters.get("TaskStatus") or None, call.parameters.get("TaskType") or None
    if status is not None and status not in _STATUSES:
        raise invalid("TaskStatus")
    lowest, highest = _PAGE_SIZES
    # As documented, a size out of bounds is not refused: below them it means the default, which is the lowest.
    size = min(max(page_size(call), lowest), highest)

    def wanted(task: JsonObject) -> bool:
        return status in (None, task["TaskStatus"]) and kind in (None, task["TaskType"])

    tasks, token = cut_page(call, TASK.api, size, wanted)
    return {"Data": {"Content": tasks, "MaxResults": size, **({"NextToken": token} if token else {})}}


def _update_resources(call: Call) -> JsonObject:
    kind = call.parameters.get("ResourceType")
    # As documented, all types of resources are updated if none is named; the example's detail has two.
    detail = {"TaskDetail": json.dumps({"resourceTypes": [kind]})} if kind else {}
    return _start(call, {"TaskType": "UPDATE_RESOURCES", **detail})


def _check_rules(call: Call) -> JsonObject:
    # Undocumented: the detail of a task of this type.
    detail = json.dumps(sent(call, "ResourceArn", "RuleId"))
    return _start(call, {"TaskType": "CHECK_RULES", "TaskDetail": detail})


def _start(call: Call, fields: JsonObject) -> JsonObject:
    return {"Data": {"TaskId": start(call, TASK, f"t-{new_uuid()}", fields).id}}


TASK = BDRC.reads(
    "bdrc.task",
    "DescribeTask",
    DEFINED,
    _SHAPE,
)
BDRC.action(
    "bdrc.task_list",
    "DescribeTasks",
    _list_tasks,
    DEFINED,
    entry=replace(_SHAPE, task_at=(), example=_SHAPE.example["Data"]),
)
BDRC.action(
    "bdrc.task_start",
    "UpdateResources",
    _update_resources,
    DEFINED,
)
BDRC.action(
    "bdrc.task_start",
    "CheckRules",
    _check_rules,
    DEFINED,
)
