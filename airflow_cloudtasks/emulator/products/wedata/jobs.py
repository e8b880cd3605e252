"""WeData's operations jobs: what every action whose name ends in Async starts.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships. Of the types of a job they show
INSTANCE_KILL alone; the others are named after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time_with_t
from airflow_cloudtasks.emulator.products.shared import starting
from airflow_cloudtasks.emulator.products.shared.answers import answer_task
from airflow_cloudtasks.emulator.products.wedata.contract import JSON, NOT_FOUND, PROJECT, wedata
from airflow_cloudtasks.emulator.vendor.contract import Parameter, Stamp, TaskShape

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
    """Start a job, and answer with its id.

    Args:
        call: The call that starts it.
        kind: Its type.
        parts: How many things it does.
        noted: Whether it counts as a task that a request starts; one that only cancels others does not.

    Returns:
        The answer, without RequestId.
    """
    job_id = starting.new_uuid()
    if noted:
        starting.note_start(call, ASYNC_JOB, job_id)
    plan = starting.plan_for(call, ASYNC_JOB)
    starting.add(call, ASYNC_JOB, job_id, plan, {"AsyncType": kind, "TotalSubProcessCount": parts})
    return {"Data": {"AsyncId": job_id}}


def _get_job(call: Call) -> JsonObject:
    job = answer_task(call)["Data"]
    total = job["TotalSubProcessCount"]
    finished = 0 if job["Status"] in _SHAPE.unfinished else total
    # A partial success is short of one part, unless a test says otherwise.
    succeeded = {"SUCCESS": finished, "PART_SUCCESS": max(0, finished - 1)}.get(job["Status"], 0)
    counts = {"FinishedSubProcessCount": finished, "SuccessSubProcessCount": succeeded}
    return {"Data": {**job, **{name: count for name, count in counts.items() if job[name] is None}}}


ASYNC_JOB = wedata(
    "wedata.async_job",
    "GetOpsAsyncJob",
    parameters=(PROJECT, Parameter("AsyncId", JSON)),
    answer=_get_job,
    not_found=NOT_FOUND,
    task=_SHAPE,
)
