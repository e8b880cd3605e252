"""PAI's jobs of DLC: read, listed, created and stopped.

Source: the models of ``alibabacloud-pai-dlc20201203``. The example's values are our own.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

PAI_DLC = Product("alibaba", "pai-dlc", "2020-12-03", ("query", "json"))

_SHAPE = TaskShape(
    task_at=(),
    id_at="JobId",
    asked_by="JobId",
    status_at="Status",
    unfinished=frozenset({"Creating", "Queuing", "Running", "Stopping"}),
    waiting=frozenset({"Creating", "Queuing"}),
    script=(Step("Creating", 1), Step("Running", 2), Step("Succeeded")),
    failed=Step("Failed"),
    canceled=Step("Stopped"),
    stamps=(
        Stamp("GmtCreateTime", "created", iso_utc),
        Stamp("GmtRunningTime", "started", iso_utc),
        Stamp("GmtFinishTime", "finished", iso_utc),
    ),
    example={"JobId": "", "DisplayName": "emulated", "JobType": "PyTorchJob", "Status": "Creating"},
)

JOB = PAI_DLC.reads("pai_dlc.job", "GetJob", DEFINED, _SHAPE)
PAI_DLC.lists(
    "pai_dlc.job",
    "ListJobs",
    Listing(
        api="pai_dlc.job",
        at=("Jobs",),
        ids="JobIds",
        size="PageSize",
        default_size=10,
        number="PageNumber",
        total=("TotalCount",),
        order=Order(
            by=("SortBy",),
            times={"GmtCreateTime": "GmtCreateTime", "GmtFinishTime": "GmtFinishTime"},
            direction=("Order",),
        ),
    ),
    DEFINED,
    _SHAPE,
)
PAI_DLC.starts(JOB, "CreateJob", DEFINED, ("JobId",), shown=("DisplayName", "JobType"))
PAI_DLC.cancels(JOB, "StopJob", DEFINED, id_at=("JobId",))
