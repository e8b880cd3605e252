"""Realtime Compute for Apache Flink's jobs and savepoints: read, listed and started; jobs are stopped.

Source: the client and the models of ``alibabacloud-ververica20220718``. The examples' values are our own.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import NotFound, Stamp, TaskShape

VERVERICA = Product("alibaba", "ververica", "2022-07-18", ("json",))

_NOT_FOUND = NotFound("ResourceNotFound", "The specified resource does not exist.", 404)
_SCOPE = ("workspace", "namespace")
_SUCCESS = {"success": True, "httpCode": 200}


def _listing(api: str) -> Listing:
    return Listing(
        api=api,
        at=("data",),
        size="pageSize",
        default_size=10,
        number="pageIndex",
        total=("totalSize",),
        example=_SUCCESS,
    )


_JOB = TaskShape(
    task_at=("data",),
    id_at="jobId",
    asked_by="jobId",
    status_at="status.currentJobStatus",
    scope=_SCOPE,
    waiting=frozenset({"STARTING"}),
    unfinished=frozenset({"STARTING", "RUNNING", "CANCELLING"}),
    script=(Step("STARTING", 1), Step("RUNNING", 2), Step("FINISHED")),
    failed=Step("FAILED"),
    canceled=Step("CANCELLED"),
    stamps=(
        Stamp("createdAt", "created", milliseconds),
        Stamp("startTime", "started", milliseconds),
        Stamp("endTime", "finished", milliseconds),
    ),
    example={
        **_SUCCESS,
        "data": {
            "jobId": "",
            "workspace": "emulated-workspace",
            "namespace": "emulated",
            "deploymentName": "emulated",
            "executionMode": "BATCH",
            "status": {"currentJobStatus": "STARTING"},
        },
    },
)
JOB = VERVERICA.reads("ververica.job", "GetJob", DEFINED, _JOB, not_found=_NOT_FOUND)
VERVERICA.lists(
    JOB.api, "ListJobs", _listing(JOB.api), DEFINED, replace(_JOB, task_at=(), example=_JOB.example["data"])
)
VERVERICA.starts(
    JOB, "StartJobWithParams", DEFINED, ("data", "jobId"), shown=("deploymentId", "restoreStrategy"), example=_SUCCESS
)
VERVERICA.cancels(JOB, "StopJob", DEFINED, id_at=("data", "jobId"))

_SAVEPOINT = TaskShape(
    task_at=("data",),
    id_at="savepointId",
    asked_by="savepointId",
    status_at="status.state",
    scope=_SCOPE,
    unfinished=frozenset({"STARTED"}),
    script=(Step("STARTED", 3), Step("COMPLETED")),
    failed=Step("FAILED"),
    stamps=(Stamp("createdAt", "created", milliseconds),),
    example={
        **_SUCCESS,
        "data": {"savepointId": "", "namespace": "emulated", "description": "", "status": {"state": "STARTED"}},
    },
)
SAVEPOINT = VERVERICA.reads("ververica.savepoint", "GetSavepoint", DEFINED, _SAVEPOINT, not_found=_NOT_FOUND)
VERVERICA.lists(
    SAVEPOINT.api,
    "ListSavepoints",
    _listing(SAVEPOINT.api),
    DEFINED,
    replace(_SAVEPOINT, task_at=(), example=_SAVEPOINT.example["data"]),
)
VERVERICA.starts(
    SAVEPOINT,
    "CreateSavepoint",
    DEFINED,
    ("data", "savepointId"),
    shown=("deploymentId", "description"),
    example=_SUCCESS,
)
