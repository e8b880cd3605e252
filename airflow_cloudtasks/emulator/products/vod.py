"""VOD's tasks: read, listed, started and aborted. A task that fails is finished, and one of its parts has failed.

Source: the definitions and examples of VOD 2018-07-17 that tccli ships.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

VOD = Product("tencent", "vod", "2018-07-17", ("json", "query"))

_PART = {"ProcedureTask": {"MediaProcessResultSet": [{"Type": "Transcode", "TranscodeTask": {"Status": "FAIL"}}]}}

_SHAPE = TaskShape(
    task_at=(),
    id_at="",
    status_at="Status",
    unfinished=frozenset({"WAITING", "PROCESSING"}),
    waiting=frozenset({"WAITING"}),
    script=(Step("WAITING", 1), Step("PROCESSING", 2), Step("FINISH")),
    failed=Step("FINISH", fields=_PART),
    canceled=Step("ABORTED"),
    stamps=(
        Stamp("CreateTime", "created", iso_utc),
        Stamp("BeginProcessTime", "started", iso_utc),
        Stamp("FinishTime", "finished", iso_utc),
    ),
    # What only the list shows.
    left_out=frozenset({"FileId", "SessionId", "SessionContext"}),
    example={"TaskType": "Procedure", "Status": "WAITING"},
)

TASK = VOD.reads("vod.task", "DescribeTaskDetail", DEFINED, _SHAPE)
VOD.lists(
    "vod.task",
    "DescribeTasks",
    Listing(
        api="vod.task",
        at=("TaskSet",),
        default_size=10,
        token=("ScrollToken",),
        order=Order(
            by=("Sort", "Field"),
            times={"CreateTime": "CreateTime", "FinishTime": "FinishTime"},
            direction=("Sort", "Order"),
        ),
    ),
    DEFINED,
    replace(_SHAPE, id_at="TaskId", left_out=frozenset({"ProcedureTask"})),
)
VOD.starts(TASK, "ProcessMedia", DEFINED, ("TaskId",), shown=("FileId", "SessionId", "SessionContext"))
VOD.cancels(TASK, "ManageTask", DEFINED)
