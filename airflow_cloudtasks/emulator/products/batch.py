"""Batch's jobs: read, listed, submitted and terminated.

Source: the definitions and examples of Batch 2017-03-12 that tccli ships. A terminated job is FAILED.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

BATCH = Product("tencent", "batch", "2017-03-12", ("json", "query"), needs_region=True)

_SHAPE = TaskShape(
    task_at=(),
    id_at="JobId",
    asked_by="JobId",
    status_at="JobState",
    unfinished=frozenset({"SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING"}),
    waiting=frozenset({"SUBMITTED", "PENDING", "RUNNABLE", "STARTING"}),
    script=(Step("SUBMITTED", 1), Step("RUNNING", 2), Step("SUCCEED")),
    failed=Step("FAILED"),
    canceled=Step("FAILED"),
    stamps=(Stamp("CreateTime", "created", iso_utc), Stamp("EndTime", "finished", iso_utc)),
    example={
        "JobId": "job-emulated",
        "JobName": "emulated",
        "JobState": "SUBMITTED",
        "Zone": "ap-guangzhou-2",
        "Priority": 1,
        "StateReason": "",
        "TaskSet": [],
        "DependenceSet": [],
        "Tags": [],
    },
)

JOB = BATCH.reads("batch.job", "DescribeJob", DEFINED, _SHAPE)
BATCH.lists(
    "batch.job",
    "DescribeJobs",
    Listing(api="batch.job", at=("JobSet",), ids="JobIds", offset="Offset", total=("TotalCount",)),
    DEFINED,
    replace(
        _SHAPE,
        left_out=frozenset({"Zone", "StateReason", "TaskSet", "DependenceSet"}),
        example={
            "JobId": "job-emulated",
            "JobName": "emulated",
            "JobState": "SUBMITTED",
            "Priority": 1,
            "Placement": {"Zone": "ap-guangzhou-2"},
            "Tags": [],
        },
    ),
)
BATCH.starts(
    JOB,
    "SubmitJob",
    DEFINED,
    ("JobId",),
)
BATCH.cancels(JOB, "TerminateJob", DEFINED)
