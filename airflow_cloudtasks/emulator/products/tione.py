"""TI-ONE's training tasks: read, listed, started and stopped.

Source: the definitions and examples of TI-ONE 2021-11-11 that tccli ships.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

TIONE = Product("tencent", "tione", "2021-11-11", ("json", "query"), needs_region=True)

_TASK = {"Id": "train-emulated", "Name": "emulated", "Status": "SUBMITTING", "FailureReason": "", "Message": ""}
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
    stamps=(
        Stamp("CreateTime", "created", iso_utc),
        Stamp("StartTime", "started", iso_utc),
        Stamp("EndTime", "finished", iso_utc),
    ),
    example={"TrainingTaskDetail": _TASK},
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
    replace(_SHAPE, task_at=(), example=_TASK),
)
TIONE.starts(TRAINING_TASK, "CreateTrainingTask", DEFINED, ("Id",), shown=("Name",))
TIONE.cancels(TRAINING_TASK, "StopTrainingTask", DEFINED)
