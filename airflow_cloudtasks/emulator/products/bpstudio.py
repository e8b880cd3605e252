"""BPStudio's tasks and operations: created, executed and read.

Sources: BPStudio's documents of GetTask, CreateTask and GetExecuteOperationResult (help.aliyun.com/zh/cadt), and the
models of ``alibabacloud-bpstudio20210931`` for parameters and fields. Only ExecuteOperationASync has a ClientToken; two
calls of CreateTask create two tasks. The example's values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.plans import Plan
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared import start_and_cancel
from airflow_cloudtasks.emulator.products.shared.answers import answer_with, find_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import NotFound, Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

BPSTUDIO = Product("alibaba", "bpstudio", "2021-09-31", ("form",))

# BPStudio reports success and failure as Code, an HTTP-like number in a string, with HTTP 200.
_SUCCESS = {"Code": "200", "Message": "Success"}
# An operation can be read for this long. Source: the Data of ExecuteOperationASync, "the ID expires after one hour".
_OPERATION_LIFETIME_SECONDS = 3600
# Undocumented: the status of a task before ExecuteTask. Here it is the only documented status besides FINISH.
_UNTIL_EXECUTED = Plan((Step("BINDING"),))
_EXAMPLE_NUMBER = 1333


def _number(task_id: str) -> int:
    """Return the number that answers show for an id; the example's number if a test chose an id that is no number."""
    return int(task_id) if task_id.isascii() and task_id.isdigit() else _EXAMPLE_NUMBER


_TASK_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="Id",
    format_id=_number,
    status_at="Status",
    # The only documented status besides FINISH. None is documented for a failure.
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
            # Escaped twice, as in the document's example.
            "InstanceIds": '{\\"app\\":\\"JXTEMULATED568665\\"}',
            "ErrorMessage": "",
            "Status": "BINDING",
        },
    },
)
_OPERATION_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="OperationId",
    status_at="Status",
    asked_by="OperationId",
    waiting=frozenset({"INIT"}),
    unfinished=frozenset({"INIT", "RUNNING"}),
    script=(Step("INIT", 1), Step("RUNNING", 2), Step("SUCCESS")),
    failed=Step("FAILURE"),
    example={
        **_SUCCESS,
        "Data": {"OperationId": "op_emulated", "Status": "INIT", "Message": "", "Arguments": "{}"},
    },
)


def _create_task(call: Call) -> JsonObject:
    task_id, app_id = start_and_cancel.new_number(call), call.parameters["AppId"]
    fields = {
        **start_and_cancel.sent(call, "AppId", "ProcessId"),
        "Name": call.parameters["TaskName"],
        "InstanceIds": f'{{\\"app\\":\\"{app_id}\\"}}',
    }
    start_and_cancel.note_start(call, TASK, task_id)
    start_and_cancel.add(call, TASK, task_id, _UNTIL_EXECUTED, fields)
    return {**_SUCCESS, "Data": int(task_id)}


def _execute_task(call: Call) -> JsonObject:
    task = find_task(call, TASK, call.parameters["TaskId"])
    # A task runs once: the answer for an executed task only shows it.
    if task.script == _UNTIL_EXECUTED.script:
        start_and_cancel.start_again(call, TASK, task)
    shown = answer_with(call, _TASK_SHAPE, task)["Data"]
    # In this answer, Code is a number.
    return {
        **_SUCCESS,
        "Code": 200,
        "Data": {name: shown[name] for name in ("Id", "Name", "Status", "ErrorMessage")},
    }


def _execute_operation(call: Call) -> JsonObject:
    token = call.parameters.get("ClientToken", "")
    key = (call.caller.account, call.action.name, token)
    if token and key in call.state.tokens:
        return {**_SUCCESS, "Data": call.state.tokens[key]}
    operation_id = f"op_{start_and_cancel.new_uuid().replace('-', '')}"
    start_and_cancel.start(call, OPERATION, operation_id, {})
    if token:
        call.state.tokens[key] = operation_id
    return {**_SUCCESS, "Data": operation_id}


def _get_operation(call: Call) -> JsonObject:
    task = start_and_cancel.find(call, OPERATION, call.parameters["OperationId"])
    if task is None or call.now - task.created_at >= _OPERATION_LIFETIME_SECONDS:
        # Documented: the answer for an expired operation has no Data. Undocumented: the answer for an operation that
        # never existed. Here it is the same.
        return dict(_SUCCESS)
    return answer_with(call, _OPERATION_SHAPE, task)


TASK = BPSTUDIO.reads(
    "bpstudio.task",
    "GetTask",
    DEFINED,
    _TASK_SHAPE,
    not_found=NotFound("404", "The task does not exist.", 200),
)
BPSTUDIO.action(
    "bpstudio.task_start",
    "CreateTask",
    _create_task,
    DEFINED,
)
BPSTUDIO.action("bpstudio.task_execute", "ExecuteTask", _execute_task, DEFINED, required="TaskId")
OPERATION = BPSTUDIO.reads(
    "bpstudio.operation",
    "GetExecuteOperationResult",
    DEFINED,
    _OPERATION_SHAPE,
    answer=_get_operation,
)
BPSTUDIO.action(
    "bpstudio.operation_start",
    "ExecuteOperationASync",
    _execute_operation,
    DEFINED,
)
