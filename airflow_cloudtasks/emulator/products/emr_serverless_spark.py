"""EMR Serverless Spark's job runs and Ray jobs: read, listed, started and canceled.

Source: the client and the models of ``alibabacloud-emr-serverless-spark20230808``, for paths, places, fields and the
statuses of a Ray job; Apache DolphinScheduler's plugin for the states of a job run. The example's values are our own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import NotFound, Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

EMR = Product("alibaba", "emr-serverless-spark", "2023-08-08", ("json",))

_NOT_FOUND = NotFound("ResourceNotFound", "The specified resource does not exist.", 404)

_RUN = TaskShape(
    task_at=("jobRun",),
    id_at="jobRunId",
    status_at="state",
    asked_by="jobRunId",
    scope=("workspaceId",),
    waiting=frozenset({"Submitted", "Pending"}),
    unfinished=frozenset({"Submitted", "Pending", "Running", "Cancelling", "CancelFailed"}),
    script=(Step("Pending", 1), Step("Running", 2), Step("Success")),
    failed=Step("Failed"),
    canceled=Step("Cancelled"),
    # The lines that ListLogContents shows.
    left_out=frozenset({"LogLines"}),
    stamps=(Stamp("submitTime", "created", milliseconds), Stamp("endTime", "finished", milliseconds)),
    example={
        "jobRun": {
            "jobRunId": "",
            "state": "Pending",
            "workspaceId": "w-emulated",
            "name": "emulated",
            "codeType": "SQL",
            "displayReleaseVersion": "esr-3.0.0 (Spark 3.4.4, Scala 2.12)",
            "resourceQueueId": "root_queue",
            "fusion": False,
            "stateChangeReason": {"code": "", "message": ""},
            "log": {"driverStdError": "oss://emulated/stderr.log", "driverStdOut": "oss://emulated/stdout.log"},
        }
    },
)
RUN = EMR.reads("emr_serverless_spark.job_run", "GetJobRun", DEFINED, _RUN, not_found=_NOT_FOUND)
EMR.lists(
    RUN.api,
    "ListJobRuns",
    Listing(
        api=RUN.api, at=("jobRuns",), ids="jobRunId", size="maxResults", token=("nextToken",), total=("totalCount",)
    ),
    DEFINED,
    replace(_RUN, task_at=(), example=_RUN.example["jobRun"]),
)
EMR.starts(
    RUN,
    "StartJobRun",
    DEFINED,
    ("jobRunId",),
    shown=("name", "codeType", "resourceQueueId", "displayReleaseVersion", "jobDriver"),
)
EMR.cancels(RUN, "CancelJobRun", DEFINED, id_at=("jobRunId",))

_FILE = str(_RUN.example["jobRun"]["log"]["driverStdError"])


def _log(call: Call) -> JsonObject:
    """Return lines of the newest run's ``LogLines`` whose log has that path, or one line."""
    wanted = call.parameters.get("fileName")
    tasks = (
        task
        for task in call.state.tasks.newest(RUN.api)
        if task.fields.get("log", {}).get("driverStdError", _FILE) == wanted
    )
    task = next(tasks, None)
    lines = ["This is a log"] if task is None else task.fields.get("LogLines", ["This is a log"])
    first = int(call.parameters.get("offset") or 0)
    shown = lines[first : first + int(call.parameters.get("length") or len(lines))]
    return {"listLogContent": {"contents": [{"LineContent": line} for line in shown], "totalLength": len(lines)}}


EMR.action("emr_serverless_spark.log", "ListLogContents", _log, DEFINED)

JOB = EMR.reads(
    "emr_serverless_spark.ray_job",
    "GetRayJob",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="submissionId",
        status_at="status",
        asked_by="submissionId",
        scope=("workspaceId",),
        waiting=frozenset({"Submitted", "Pending"}),
        unfinished=frozenset({"Submitted", "Pending", "Running", "Cancelling"}),
        script=(Step("Pending", 1), Step("Running", 2), Step("Succeeded")),
        failed=Step("Failed"),
        canceled=Step("Cancelled"),
        stamps=(
            Stamp("submitTime", "created", milliseconds),
            Stamp("startTime", "started", milliseconds),
            Stamp("endTime", "finished", milliseconds),
        ),
        example={"submissionId": "", "status": "Pending", "name": "emulated", "entrypoint": "", "message": ""},
    ),
    not_found=_NOT_FOUND,
)
EMR.starts(JOB, "SubmitRayJob", DEFINED, ("submissionId",), shown=("name", "entrypoint"))
EMR.cancels(JOB, "CancelRayJob", DEFINED)
