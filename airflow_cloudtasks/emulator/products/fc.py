"""Function Compute's asynchronous tasks: read, listed and stopped.

Source: the client and the models of ``alibabacloud-fc20230330``. The example's values are our own. The
vendor answers a stop without a body; the emulator answers as everywhere.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import NotFound, Stamp, TaskShape

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
    started=False,
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
