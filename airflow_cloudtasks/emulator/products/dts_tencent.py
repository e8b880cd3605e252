"""DTS's migrations, synchronisations and comparisons: read, listed, started and stopped.

Source: the definitions and examples of DTS 2021-12-06 that tccli ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.plans import Plan
from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared import start_and_cancel
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

DTS = Product("tencent", "dts", "2021-12-06", ("json", "query"), needs_region=True)

_STAMPS = (
    Stamp("CreateTime", "created", beijing_time),
    Stamp("StartTime", "started", beijing_time),
    Stamp("EndTime", "finished", beijing_time),
)


def _jobs(api: str) -> Listing:
    return Listing(api=api, at=("JobList",), ids="JobId", offset="Offset", total=("TotalCount",))


MIGRATE_JOB = DTS.reads(
    "dts.migrate_job",
    "DescribeMigrationJobs",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="JobId",
        asked_by="JobId",
        status_at="Status",
        unfinished=frozenset(
            {
                *("creating", "created", "checking", "checkPass", "readyRun", "running", "readyComplete"),
                *("completing", "stopping", "pausing", "manualPaused", "resumableErr", "resuming", "unknown"),
            }
        ),
        waiting=frozenset({"creating", "created", "checking", "checkPass", "readyRun"}),
        script=(Step("readyRun", 1), Step("running", 2), Step("success")),
        failed=Step("failed"),
        canceled=Step("canceled"),
        stamps=_STAMPS,
        example={"JobId": "", "JobName": "emulated", "Status": "readyRun", "BriefMsg": "", "RunMode": "immediate"},
    ),
    listing=_jobs("dts.migrate_job"),
)
DTS.restarts(MIGRATE_JOB, "StartMigrateJob", DEFINED, asked_by="JobId")
DTS.cancels(MIGRATE_JOB, "StopMigrateJob", DEFINED)

SYNC_JOB = DTS.reads(
    "dts.sync_job",
    "DescribeSyncJobs",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="JobId",
        asked_by="JobId",
        status_at="Status",
        unfinished=frozenset(
            {
                *("UnInitialized", "Initialized", "Checking", "CheckPass", "ReadyRunning", "Running", "Pausing"),
                *("Paused", "Stopping", "ResumableErr", "Resuming", "Resetting", "Unknown"),
            }
        ),
        waiting=frozenset({"UnInitialized", "Initialized", "Checking", "CheckPass", "ReadyRunning"}),
        script=(Step("ReadyRunning", 1), Step("Running", 2), Step("Stopped")),
        failed=Step("Failed"),
        canceled=Step("Stopped"),
        stamps=_STAMPS,
        example={"JobId": "", "JobName": "emulated", "Status": "ReadyRunning", "RunMode": "Immediate"},
    ),
    listing=_jobs("dts.sync_job"),
)
DTS.restarts(SYNC_JOB, "StartSyncJob", DEFINED, asked_by="JobId")
DTS.cancels(SYNC_JOB, "StopSyncJob", DEFINED)

COMPARE_TASK = DTS.reads(
    "dts.compare_task",
    "DescribeCompareTasks",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="CompareTaskId",
        asked_by="CompareTaskId",
        status_at="Status",
        unfinished=frozenset({"created", "readyRun", "running", "stopping"}),
        waiting=frozenset({"created", "readyRun"}),
        script=(Step("readyRun", 1), Step("running", 2), Step("success", fields={"Conclusion": "same"})),
        failed=Step("failed"),
        canceled=Step("canceled"),
        stamps=(
            Stamp("CreatedAt", "created", beijing_time),
            Stamp("StartedAt", "started", beijing_time),
            Stamp("FinishedAt", "finished", beijing_time),
        ),
        scope=("JobId",),
        example={"JobId": "", "CompareTaskId": "", "TaskName": "emulated", "Status": "readyRun", "Method": "dataCheck"},
    ),
    listing=Listing(
        api="dts.compare_task",
        at=("Items",),
        ids="CompareTaskId",
        offset="Offset",
        total=("TotalCount",),
    ),
)
_UNTIL_STARTED = Plan((Step("created"),), {})


def _create_comparison(call: Call) -> JsonObject:
    task_id = f"{call.parameters['JobId']}-cmp-{start_and_cancel.new_uuid()[:8]}"
    start_and_cancel.note_start(call, COMPARE_TASK, task_id)
    fields = start_and_cancel.sent(call, "TaskName")
    start_and_cancel.add(call, COMPARE_TASK, task_id, _UNTIL_STARTED, fields)
    return {"CompareTaskId": task_id}


DTS.action("dts.compare_task_create", "CreateCompareTask", _create_comparison, DEFINED)
DTS.restarts(COMPARE_TASK, "StartCompare", DEFINED, asked_by="CompareTaskId")
DTS.cancels(COMPARE_TASK, "StopCompare", DEFINED)
