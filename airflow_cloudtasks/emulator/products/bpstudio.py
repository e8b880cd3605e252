"""BPStudio's tasks and operations: created, executed and read.

Sources: BPStudio's documents of GetTask, CreateTask and GetExecuteOperationResult (help.aliyun.com/zh/cadt), and the
models of ``alibabacloud-bpstudio20210931`` for parameters and fields. ExecuteOperationASync alone has a ClientToken;
CreateTask has none, so that two of its calls make two tasks. The example's values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.emulator.engine.plans import Plan
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_task, answer_with, find_task, shape_of
from airflow_cloudtasks.emulator.vendor.contract import Action, NotFound, Parameter, Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call, Place

_FORM: tuple[Place, ...] = ("form",)
# BPStudio speaks of success and failure in Code, an HTTP-like number in a string, under HTTP 200.
_SUCCESS = {"Code": "200", "Message": "Success"}
_NOT_FOUND = NotFound("404", "The task does not exist.", 200)
# Source: the Data of ExecuteOperationASync, "the ID expires after one hour".
_OPERATION_SECONDS = 3600
# Undocumented: the status of a task that is not executed yet.
_CREATED = Plan((Step("BINDING"),))
_EXAMPLE_NUMBER = 1333


def number_id(task_id: str) -> int:
    """Show an id as BPStudio does, which asks for a string and answers with an integer.

    Args:
        task_id: The id asked for.

    Returns:
        It as a number; the document's example number for an id that is none.
    """
    return int(task_id) if task_id.isascii() and task_id.isdigit() else _EXAMPLE_NUMBER


BPSTUDIO_TASK = Action(
    api="bpstudio.task",
    cloud="alibaba",
    service="bpstudio",
    version="2021-09-31",
    name="GetTask",
    parameters=(Parameter("TaskId", _FORM),),
    answer=answer_task,
    not_found=_NOT_FOUND,
    task=TaskShape(
        task_at=("Data",),
        id_at="Id",
        format_id=number_id,
        status_at="Status",
        # The one documented status besides FINISH.
        unfinished=frozenset({"BINDING"}),
        script=(Step("BINDING", 2), Step("FINISH")),
        stamps=(Stamp("GmtCreate", "created", beijing_time),),
        example={
            "Code": "200",
            "Message": "Success",
            "Data": {
                "Id": _EXAMPLE_NUMBER,
                "Name": "emulated_task",
                "ProcessId": "64QQBC02EMULATED",
                "AppId": "JXTEMULATED568665",
                # Escaped twice, as the document's example is.
                "InstanceIds": '{\\"app\\":\\"JXTEMULATED568665\\"}',
                "ErrorMessage": "",
                "Status": "BINDING",
            },
        },
    ),
)

_OPERATION_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="OperationId",
    status_at="Status",
    asked_by="OperationId",
    waiting=frozenset({"INIT"}),
    unfinished=frozenset({"INIT", "RUNNING"}),
    script=(Step("INIT", 1), Step("RUNNING", 2), Step("SUCCESS")),
    example={
        **_SUCCESS,
        "Data": {"OperationId": "op_emulated", "Status": "INIT", "Message": "", "Arguments": "{}"},
    },
)


def _create_task(call: Call) -> JsonObject:
    task_id, app_id = starting.new_number(call), call.parameters["AppId"]
    fields = {
        **starting.given(call, "AppId", "ProcessId"),
        "Name": call.parameters["TaskName"],
        "InstanceIds": f'{{\\"app\\":\\"{app_id}\\"}}',
    }
    starting.note_start(call, BPSTUDIO_TASK, task_id)
    starting.add(call, BPSTUDIO_TASK, task_id, _CREATED, fields)
    return {**_SUCCESS, "Data": int(task_id)}


def _execute_task(call: Call) -> JsonObject:
    task = find_task(call, BPSTUDIO_TASK, call.parameters["TaskId"])
    if task.script == _CREATED.script:
        starting.start_again(call, BPSTUDIO_TASK, task)
    shown = answer_with(call, shape_of(BPSTUDIO_TASK), task)["Data"]
    # Here Code is a number.
    return {
        **_SUCCESS,
        "Code": 200,
        "Data": {name: shown[name] for name in ("Id", "Name", "Status", "ErrorMessage")},
    }


def _execute_operation(call: Call) -> JsonObject:
    token = call.parameters.get("ClientToken")
    key = (call.caller.account, call.action.name, token or "")
    operation_id = call.state.tokens.get(key) if token else None
    if operation_id is None:
        operation_id = f"op_{starting.new_uuid().replace('-', '')}"
        starting.start(call, BPSTUDIO_OPERATION, operation_id, {})
        if token:
            call.state.tokens[key] = operation_id
    return {**_SUCCESS, "Data": operation_id}


def _get_operation(call: Call) -> JsonObject:
    task = call.state.tasks.find(BPSTUDIO_OPERATION.api, call.parameters["OperationId"], call.parameters)
    if task is None or call.now - task.created_at >= _OPERATION_SECONDS:
        # Documented: an operation that has expired is answered without Data. One that never was is held to be alike.
        return dict(_SUCCESS)
    return answer_with(call, _OPERATION_SHAPE, task)


def _bpstudio(api: str, name: str, **more: Any) -> Action:
    return Action(api=api, cloud="alibaba", service="bpstudio", version="2021-09-31", name=name, **more)


def _optional(*names: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, _FORM, required=False) for name in names)


BPSTUDIO_TASK_START = _bpstudio(
    "bpstudio.task_start",
    "CreateTask",
    parameters=(
        *(Parameter("AppId", _FORM), Parameter("ProcessId", _FORM), Parameter("TaskName", _FORM)),
        Parameter("Variables", _FORM, required=False, type="object"),
    ),
    answer=_create_task,
)
BPSTUDIO_TASK_EXECUTE = _bpstudio(
    "bpstudio.task_execute",
    "ExecuteTask",
    parameters=(Parameter("TaskId", _FORM, type="integer"),),
    answer=_execute_task,
)
BPSTUDIO_OPERATION = _bpstudio(
    "bpstudio.operation",
    "GetExecuteOperationResult",
    parameters=(Parameter("OperationId", _FORM), *_optional("ResourceGroupId")),
    answer=_get_operation,
    task=_OPERATION_SHAPE,
)
BPSTUDIO_OPERATION_START = _bpstudio(
    "bpstudio.operation_start",
    "ExecuteOperationASync",
    parameters=(
        *(Parameter("ServiceType", _FORM), Parameter("Operation", _FORM)),
        *_optional("ApplicationId", "ClientToken", "ResourceGroupId"),
        Parameter("Attributes", _FORM, required=False, type="object"),
    ),
    answer=_execute_operation,
)

BPSTUDIO_ACTIONS = (BPSTUDIO_TASK_START, BPSTUDIO_TASK_EXECUTE, BPSTUDIO_OPERATION_START)
