"""WeData's operations jobs. Every action whose name ends in Async starts one.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships. They show one type of a job,
INSTANCE_KILL. The emulator names the other types in the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time_with_t
from airflow_cloudtasks.emulator.products.shared.answers import answer_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import add, new_uuid, note_start, plan_for
from airflow_cloudtasks.emulator.products.wedata.product import WEDATA
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="AsyncId",
    status_at="Status",
    asked_by="AsyncId",
    scope=("ProjectId",),
    waiting=frozenset({"INIT"}),
    unfinished=frozenset({"INIT", "RUNNING"}),
    script=(Step("INIT", 1), Step("RUNNING", 1), Step("SUCCESS")),
    failed=Step("FAIL"),
    stamps=(
        Stamp("CreateTime", "created", beijing_time_with_t),
        Stamp("UpdateTime", "entered", beijing_time_with_t),
    ),
    example={
        "Data": {
            "AsyncId": "emulated",
            "AsyncType": "INSTANCE_RERUN",
            "CreateUserUin": "100000000001",
            "ErrorDesc": None,
            "FinishedSubProcessCount": None,
            "ProjectId": "1",
            "Status": "INIT",
            "SuccessSubProcessCount": None,
            "TotalSubProcessCount": 1,
        }
    },
)


def start_job(call: Call, kind: str, parts: int, *, noted: bool) -> JsonObject:
    """Start a job, and return the answer with its id.

    Args:
        call: The call that starts it.
        kind: Its type.
        parts: The number of its sub-processes.
        noted: Whether the ledger records the job as a start. False for a job that only cancels tasks.
    """
    job_id = new_uuid()
    if noted:
        note_start(call, ASYNC_JOB, job_id)
    fields = {"AsyncType": kind, "TotalSubProcessCount": parts}
    add(call, ASYNC_JOB, job_id, plan_for(call, ASYNC_JOB), fields)
    return {"Data": {"AsyncId": job_id}}


def _get_job(call: Call) -> JsonObject:
    job = answer_task(call)["Data"]
    total = job["TotalSubProcessCount"]
    finished = 0 if job["Status"] in _SHAPE.unfinished else total
    # In a partial success one part fails, unless a test sets the counts.
    succeeded = {"SUCCESS": finished, "PART_SUCCESS": max(0, finished - 1)}.get(job["Status"], 0)
    counts = {"FinishedSubProcessCount": finished, "SuccessSubProcessCount": succeeded}
    return {"Data": {**job, **{name: count for name, count in counts.items() if job[name] is None}}}


ASYNC_JOB = WEDATA.reads(
    "wedata.async_job",
    "GetOpsAsyncJob",
    DEFINED,
    _SHAPE,
    answer=_get_job,
)
