"""E-HPC Instant's jobs: read, listed, created and deleted.

Source: the models of ``alibabacloud-ehpcinstant20230701``. The example's values are our own.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

EHPC = Product("alibaba", "ehpcinstant", "2023-07-01", ("query", "form"))

_ENTRY = TaskShape(
    task_at=(),
    id_at="JobId",
    asked_by="JobId",
    status_at="Status",
    unfinished=frozenset({"Pending", "Initing", "Running", "Retrying", "Restarting", "Suspended"}),
    waiting=frozenset({"Pending", "Initing"}),
    script=(Step("Pending", 1), Step("Running", 2), Step("Succeed")),
    failed=Step("Failed"),
    canceled=Step("Deleted"),
    stamps=(
        Stamp("CreateTime", "created", beijing_time),
        Stamp("StartTime", "started", beijing_time),
        Stamp("EndTime", "finished", beijing_time),
    ),
    example={"JobId": "", "JobName": "emulated", "Status": "Pending"},
)

JOB = EHPC.reads(
    "ehpc_instant.job", "GetJob", DEFINED, replace(_ENTRY, task_at=("JobInfo",), example={"JobInfo": _ENTRY.example})
)
EHPC.lists(
    "ehpc_instant.job",
    "ListJobs",
    Listing(
        api="ehpc_instant.job",
        at=("JobList",),
        ids="Filter.JobIds",
        size="PageSize",
        default_size=50,
        number="PageNumber",
        total=("TotalCount",),
    ),
    DEFINED,
    _ENTRY,
)
EHPC.starts(JOB, "CreateJob", DEFINED, ("JobId",), shown=("JobName", "JobDescription"))
EHPC.cancels(JOB, "DeleteJobs", DEFINED, asked_by="JobSpec[].JobId")
