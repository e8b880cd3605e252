"""Function Compute's asynchronous tasks: started, read, listed and stopped.

Source: the client and the models of ``alibabacloud-fc20230330``. The example's values are our own. The
vendor answers a start and a stop without a body; the emulator answers as everywhere. Undocumented, and decided here: an
id that a task has already is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import find, new_uuid, start
from airflow_cloudtasks.emulator.vendor.contract import NotFound, Stamp, TaskShape
from airflow_cloudtasks.emulator.vendor.wire import VendorError

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

FC = Product("alibaba", "fc", "2023-03-30", ("query",))

_TASK = TaskShape(
    task_at=(),
    id_at="taskId",
    asked_by="taskId",
    status_at="status",
    scope=("functionName",),
    unfinished=frozenset({"Enqueued", "Dequeued", "Running", "Retrying", "Stopping"}),
    waiting=frozenset({"Enqueued", "Dequeued"}),
    script=(Step("Enqueued", 1), Step("Running", 2), Step("Succeeded")),
    failed=Step("Failed"),
    canceled=Step("Stopped"),
    stamps=(Stamp("startedTime", "started", milliseconds), Stamp("endTime", "finished", milliseconds)),
    example={"taskId": "", "status": "Enqueued", "taskErrorMessage": "", "alreadyRetriedTimes": 0},
)

TASK = FC.reads(
    "fc.async_task",
    "GetAsyncTask",
    DEFINED,
    _TASK,
    not_found=NotFound("AsyncTaskNotFound", "The asynchronous task does not exist.", 404),
)
FC.lists(
    TASK.api,
    "ListAsyncTasks",
    Listing(api=TASK.api, at=("tasks",), size="limit", token=("nextToken",)),
    DEFINED,
    _TASK,
)
FC.cancels(TASK, "StopAsyncTask", DEFINED)


def _invoke(call: Call) -> JsonObject:
    """Start a task of the id in the request; the synchronous calls of a function are not emulated."""
    if call.parameters.get("x-fc-invocation-type") != "Async":
        raise VendorError("InvalidArgument", "The emulator serves asynchronous invocations only.", 400)
    task_id = call.parameters.get("x-fc-async-task-id") or new_uuid()
    if find(call, TASK, task_id) is not None:
        raise VendorError("AsyncTaskAlreadyExists", f"The asynchronous task {task_id} already exists.", 409)
    shown = {"taskPayload": call.parameters["body"]} if "body" in call.parameters else {}
    start(call, TASK, task_id, shown)
    return {}


FC.action(f"{TASK.api}_start", "InvokeFunction", _invoke, DEFINED)
