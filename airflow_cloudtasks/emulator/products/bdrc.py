"""BDRC's tasks: read, listed, and started by the actions that take long.

Sources: BDRC's document of DescribeTask, and the models of ``alibabacloud-bdrc20230808`` for parameters, paths, fields
and statuses. None of its actions cancels a task or has a client token. The example's values are our own.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import unix_seconds
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_task
from airflow_cloudtasks.emulator.products.shared.listing import describe_tasks
from airflow_cloudtasks.emulator.products.shared.not_found import TASK_ID_NOT_FOUND
from airflow_cloudtasks.emulator.vendor.contract import Action, Parameter, Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call, Place

_FORM: tuple[Place, ...] = ("form", "query")

_BDRC_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="TaskId",
    status_at="TaskStatus",
    unfinished=frozenset({"CREATED", "RUNNING"}),
    script=(Step("CREATED", 1), Step("RUNNING", 2), Step("COMPLETE")),
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
            # The request that created the task; the answer's own RequestId stands outside.
            "RequestId": "0D9B1C5E-6B7A-5C3D-8F21-3A4B5C6D7E8F",
            "TaskDetail": '{"resourceTypes":["ACS::ECS::Instance","ACS::OSS::Bucket"]}',
            "ExecutionId": "",
            "Progress": 0,
            "TaskStatus": "CREATED",
            "ErrorMessage": "",
        }
    },
)

BDRC_TASK = Action(
    api="bdrc.task",
    cloud="alibaba",
    service="bdrc",
    version="2023-08-08",
    name="DescribeTask",
    methods=("GET",),
    path="/api/v1/tasks/{TaskId}",
    parameters=(Parameter("TaskId", ("path",)),),
    answer=answer_task,
    not_found=TASK_ID_NOT_FOUND,
    task=_BDRC_SHAPE,
)

BDRC_TASK_LIST = Action(
    api="bdrc.task_list",
    cloud="alibaba",
    service="bdrc",
    version="2023-08-08",
    name="DescribeTasks",
    methods=("GET",),
    path="/api/v1/tasks",
    parameters=tuple(
        Parameter(name, ("query",), required=False) for name in ("MaxResults", "NextToken", "TaskStatus", "TaskType")
    ),
    answer=describe_tasks,
    task=replace(_BDRC_SHAPE, task_at=(), example=_BDRC_SHAPE.example["Data"]),
)


def _update_resources(call: Call) -> JsonObject:
    kind = call.parameters.get("ResourceType")
    # Documented: without a type, resources of every type are updated; the example's detail is of two.
    detail = {"TaskDetail": json.dumps({"resourceTypes": [kind]})} if kind else {}
    return _start(call, {"TaskType": "UPDATE_RESOURCES", **detail})


def _check_rules(call: Call) -> JsonObject:
    # Undocumented: the detail of a task of this type.
    detail = json.dumps(starting.given(call, "ResourceArn", "RuleId"))
    return _start(call, {"TaskType": "CHECK_RULES", "TaskDetail": detail})


def _start(call: Call, fields: JsonObject) -> JsonObject:
    task = starting.start(call, BDRC_TASK, f"t-{starting.new_uuid()}", fields)
    return {"Data": {"TaskId": task.id}}


BDRC_UPDATE_RESOURCES = Action(
    api="bdrc.task_start",
    cloud="alibaba",
    service="bdrc",
    version="2023-08-08",
    name="UpdateResources",
    path="/api/v1/resources/update",
    parameters=(Parameter("ResourceType", _FORM, required=False),),
    answer=_update_resources,
)

BDRC_CHECK_RULES = Action(
    api="bdrc.task_start",
    cloud="alibaba",
    service="bdrc",
    version="2023-08-08",
    name="CheckRules",
    path="/api/v1/rules/check",
    parameters=(Parameter("ResourceArn", _FORM), Parameter("RuleId", _FORM, required=False)),
    answer=_check_rules,
)

BDRC_ACTIONS = (BDRC_TASK_LIST, BDRC_UPDATE_RESOURCES, BDRC_CHECK_RULES)
