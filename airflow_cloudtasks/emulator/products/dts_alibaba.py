"""DTS's jobs: read, started and stopped.

Source: the models of ``alibabacloud-dts20200101``. The example's values are our own. By the definition, no status says
that a job was stopped; the emulator shows a stopped one as a failure.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

DTS = Product("alibaba", "dts", "2020-01-01", ("query", "form"))

JOB = DTS.reads(
    "dts.job",
    "DescribeDtsJobDetail",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="DtsJobId",
        asked_by="DtsJobId",
        status_at="Status",
        unfinished=frozenset(
            {
                *("NotStarted", "NotConfigured", "Prechecking", "PreCheckPass", "Initializing", "synchronizing"),
                *("Migrating", "Suspending", "Modifying", "Retrying", "Upgrade", "Downgrade", "Locked"),
            }
        ),
        waiting=frozenset({"NotStarted", "NotConfigured", "Prechecking", "PreCheckPass"}),
        script=(Step("Prechecking", 1), Step("Migrating", 2), Step("Finished")),
        failed=Step("MigrationFailed"),
        canceled=Step("MigrationFailed"),
        stamps=(
            Stamp("CreateTime", "created", iso_utc),
            Stamp("BootTime", "started", iso_utc),
            Stamp("FinishTime", "finished", iso_utc),
        ),
        example={
            "DtsJobId": "",
            "DtsJobName": "emulated",
            "Status": "Prechecking",
            "Success": True,
            "HttpStatusCode": 200,
            "Reserved": "{}",
        },
    ),
)
DTS.restarts(JOB, "StartDtsJob", DEFINED, asked_by="DtsJobId", example={"Success": True})
DTS.cancels(JOB, "StopDtsJob", DEFINED)
