"""LKE's tasks: read, and started by the changes and exports of labels.

Sources: LKE's document of GetTaskStatus; for the others the definitions and examples of LKE 2023-11-30 that tccli
ships. The answers have a TaskId in the definitions, though not in the examples. No action cancels a task or has a
client token, and none lists an error code: ResourceNotFound is Tencent Cloud's common one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.answers import merge
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_number, start
from airflow_cloudtasks.emulator.vendor.contract import NotFound, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

LKE = Product("tencent", "lke", "2023-11-30", ("json", "query"), needs_region=True)

_SUCCESS = "SUCCESS"


def _modify_label(call: Call) -> JsonObject:
    task = _start(call)
    labels = [{"LabelBizId": new_number(call), **label} for label in call.parameters.get("Labels", [])]
    return {"TaskId": task.id, "Labels": labels}


def _export_label(call: Call) -> JsonObject:
    task = _start(call)
    # The path of the export is shown once the task has succeeded.
    path = {"Params": {"CosPath": f"/public/{call.parameters['BotBizId']}/export/{task.id}.xlsx"}}
    task.script = tuple(
        replace(step, fields=merge(path, step.fields)) if step.status == _SUCCESS else step for step in task.script
    )
    return {"TaskId": task.id}


def _start(call: Call) -> Task:
    # The type of a task is the name of the action that starts it.
    scope = {"TaskType": call.action.name, "BotBizId": call.parameters["BotBizId"]}
    return start(call, TASK, new_number(call), {}, scope)


TASK = LKE.reads(
    "lke.task",
    "GetTaskStatus",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="TaskId",
        status_at="Status",
        scope=("TaskType", "BotBizId"),
        waiting=frozenset({"PENDING"}),
        unfinished=frozenset({"PENDING", "RUNNING"}),
        script=(Step("PENDING", 1), Step("RUNNING", 2), Step(_SUCCESS)),
        failed=Step("FAILED"),
        example={
            "Message": "",
            "Params": {"CosPath": ""},
            "Status": "PENDING",
            "TaskId": "8",
            "TaskType": "ModifyAttributeLabel",
        },
    ),
    not_found=NotFound("ResourceNotFound", "The task does not exist.", 200),
)
LKE.action(
    "lke.task_start",
    "ModifyAttributeLabel",
    _modify_label,
    DEFINED,
)
LKE.action(
    "lke.task_start",
    "ExportAttributeLabel",
    _export_label,
    DEFINED,
)
