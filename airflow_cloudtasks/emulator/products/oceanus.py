"""Oceanus's jobs: read, listed, started and stopped.

Source: the definitions and examples of Oceanus 2019-04-22 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

OCEANUS = Product("tencent", "oceanus", "2019-04-22", ("json", "query"), needs_region=True)

JOB = OCEANUS.reads(
    "oceanus.job",
    "DescribeJobs",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="JobId",
        asked_by="JobIds",
        status_at="Status",
        format_status=int,
        unfinished=frozenset({"1", "2", "3", "4"}),
        waiting=frozenset({"1", "2", "3"}),
        script=(Step("3", 1), Step("4", 2), Step("5")),
        failed=Step("-1"),
        canceled=Step("5"),
        stamps=(
            Stamp("CreateTime", "created", beijing_time),
            Stamp("StartTime", "started", beijing_time),
            Stamp("UpdateTime", "entered", beijing_time),
            Stamp("StopTime", "finished", beijing_time),
        ),
        example={"JobId": "", "Name": "emulated", "JobType": 1, "Status": 3, "StatusDesc": "", "LastOpResult": ""},
    ),
    listing=Listing(
        api="oceanus.job",
        at=("JobSet",),
        ids="JobIds",
        offset="Offset",
        total=("TotalCount",),
    ),
)
OCEANUS.restarts(JOB, "RunJobs", DEFINED, asked_by="RunJobDescriptions[].JobId")
OCEANUS.cancels(JOB, "StopJobs", DEFINED, asked_by="StopJobDescriptions[].JobId")
