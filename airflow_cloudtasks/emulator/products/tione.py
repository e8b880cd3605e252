"""TI-ONE's training tasks: read, listed, started and stopped, and their logs.

Source: the definitions and examples of TI-ONE 2021-11-11 that tccli ships.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

TIONE = Product("tencent", "tione", "2021-11-11", ("json", "query"), needs_region=True)

_TASK = {
    "Id": "train-emulated",
    "Name": "emulated",
    "Status": "SUBMITTING",
    "FailureReason": "",
    "Message": "",
}
_SHAPE = TaskShape(
    task_at=("TrainingTaskDetail",),
    id_at="Id",
    asked_by="Id",
    status_at="Status",
    scope=("TiProjectId",),
    unfinished=frozenset({"SUBMITTING", "PENDING", "STARTING", "RUNNING", "STOPPING"}),
    waiting=frozenset({"SUBMITTING", "PENDING", "STARTING"}),
    script=(Step("SUBMITTING", 1), Step("RUNNING", 2), Step("SUCCEED")),
    failed=Step("FAILED"),
    canceled=Step("STOPPED"),
    # The lines that DescribeLogs shows.
    left_out=frozenset({"Logs"}),
    stamps=(
        Stamp("CreateTime", "created", iso_utc),
        Stamp("StartTime", "started", iso_utc),
        Stamp("EndTime", "finished", iso_utc),
    ),
    example={"TrainingTaskDetail": {**_TASK, "LatestInstanceId": "train-emulated-1"}},
)

TRAINING_TASK = TIONE.reads("tione.training_task", "DescribeTrainingTask", DEFINED, _SHAPE)
TIONE.lists(
    "tione.training_task",
    "DescribeTrainingTasks",
    Listing(
        api="tione.training_task",
        at=("TrainingTaskSet",),
        ids="Filters[Id]",
        default_size=10,
        offset="Offset",
        total=("TotalCount",),
    ),
    DEFINED,
    replace(_SHAPE, task_at=(), example=_TASK, left_out=frozenset({"Logs", "LatestInstanceId"})),
)
TIONE.starts(
    TRAINING_TASK,
    "CreateTrainingTask",
    DEFINED,
    ("Id",),
    shown=("Name", "ChargeType", "ResourceGroupId", "FrameworkName", "TrainingMode"),
)
TIONE.cancels(TRAINING_TASK, "StopTrainingTask", DEFINED)


def _logs(call: Call) -> JsonObject:
    """Return the lines that a task's ``Logs`` holds, or one line; newest first, unless the request says otherwise."""
    wanted = call.parameters.get("ServiceId", "")
    tasks = (task for task in call.state.tasks.newest(TRAINING_TASK.api))
    task = next((task for task in tasks if task.fields.get("LatestInstanceId", wanted) == wanted), None)
    lines = ["This is a log"] if task is None else task.fields.get("Logs", ["This is a log"])
    shown = lines if call.parameters.get("Order") == "ASC" else lines[::-1]
    content = [
        {
            "Id": f"line-{number}",
            "Message": line,
            "PodName": "pod-emulated",
            "PkgId": "7A905C4E6AD1E8B5-1F",
            "PkgLogId": str(number),
            "Timestamp": "2026-01-05T08:30:16Z",
        }
        for number, line in enumerate(shown[: call.parameters.get("Limit", 100)])
    ]
    return {"Content": content, "Context": ""}


TIONE.action("tione.logs", "DescribeLogs", _logs, DEFINED)
