"""LKE's tasks: read, and started by the changes and exports of labels.

Sources: LKE's document of GetTaskStatus; for the others the definitions and examples of LKE 2023-11-30 that tccli
ships. Their examples have no TaskId in the answers, which the definitions have. None of them cancels a task or has a
client token, and none lists an error code: ResourceNotFound is Tencent Cloud's common one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_task, merge
from airflow_cloudtasks.emulator.vendor.contract import Action, NotFound, Parameter, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.tasks import Task
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call, Place

_JSON: tuple[Place, ...] = ("json", "query")
_BOT = Parameter("BotBizId", _JSON)
_SUCCESS = "SUCCESS"


def _modify_label(call: Call) -> JsonObject:
    task = _start(call)
    labels = [{"LabelBizId": starting.new_number(call), **label} for label in call.parameters.get("Labels", [])]
    return {"TaskId": task.id, "Labels": labels}


def _export_label(call: Call) -> JsonObject:
    task = _start(call)
    # Where the export is to be had is known once it is there.
    path = {"Params": {"CosPath": f"/public/{call.parameters['BotBizId']}/export/{task.id}.xlsx"}}
    task.script = tuple(
        replace(step, fields=merge(path, step.fields)) if step.status == _SUCCESS else step for step in task.script
    )
    return {"TaskId": task.id}


def _start(call: Call) -> Task:
    # The type of a task is the name of the action that starts it.
    scope = {"TaskType": call.action.name, "BotBizId": call.parameters["BotBizId"]}
    return starting.start(call, LKE_TASK, starting.new_number(call), {}, scope)


def _lke(api: str, name: str, **more: Any) -> Action:
    common: dict[str, Any] = {"cloud": "tencent", "service": "lke", "version": "2023-11-30", "needs_region": True}
    return Action(api=api, name=name, **common, **more)


def _optional(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, _JSON, required=False) for name in names)


def _array(name: str, **more: Any) -> Parameter:
    return Parameter(name, _JSON, required=False, type="array", **more)


LKE_TASK = _lke(
    "lke.task",
    "GetTaskStatus",
    parameters=(Parameter("TaskId", _JSON), Parameter("TaskType", _JSON), _BOT),
    answer=answer_task,
    not_found=NotFound("ResourceNotFound", "The task does not exist.", 200),
    task=TaskShape(
        task_at=(),
        id_at="TaskId",
        status_at="Status",
        scope=("TaskType", "BotBizId"),
        waiting=frozenset({"PENDING"}),
        unfinished=frozenset({"PENDING", "RUNNING"}),
        script=(Step("PENDING", 1), Step("RUNNING", 2), Step(_SUCCESS)),
        example={
            "Message": "",
            "Params": {"CosPath": ""},
            "Status": "PENDING",
            "TaskId": "8",
            "TaskType": "ModifyAttributeLabel",
        },
    ),
)

LKE_MODIFY_LABEL = _lke(
    "lke.task_start",
    "ModifyAttributeLabel",
    parameters=(
        *(_BOT, Parameter("AttributeBizId", _JSON), Parameter("AttrName", _JSON)),
        *_optional("AttrKey", "LoginUin", "LoginSubAccountUin"),
        _array("DeleteLabelBizIds"),
        _array("Labels", items="object", members=(*_optional("LabelBizId", "LabelName"), _array("SimilarLabels"))),
    ),
    answer=_modify_label,
)

LKE_EXPORT_LABEL = _lke(
    "lke.task_start",
    "ExportAttributeLabel",
    parameters=(
        _BOT,
        *_optional("LoginUin", "LoginSubAccountUin"),
        _array("AttributeBizIds"),
        Parameter("Filters", _JSON, required=False, type="object", members=_optional("Query")),
    ),
    answer=_export_label,
)

LKE_ACTIONS = (LKE_MODIFY_LABEL, LKE_EXPORT_LABEL)
