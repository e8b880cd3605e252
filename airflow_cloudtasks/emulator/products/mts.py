"""MPS's transcode jobs: read, listed, submitted and canceled.

Source: the models of ``alibabacloud-mts20140618``. The example's values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_uuid, start
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

MTS = Product("alibaba", "mts", "2014-06-18", ("query", "form"))

_JOB = TaskShape(
    task_at=(),
    id_at="JobId",
    asked_by="JobIds",
    status_at="State",
    unfinished=frozenset({"Submitted", "Transcoding"}),
    waiting=frozenset({"Submitted"}),
    script=(Step("Submitted", 1), Step("Transcoding", 2), Step("TranscodeSuccess")),
    failed=Step("TranscodeFail"),
    canceled=Step("TranscodeCancelled"),
    stamps=(Stamp("CreationTime", "created", iso_utc), Stamp("FinishTime", "finished", iso_utc)),
    progress_at="Percent",
    progress_full=100,
    example={"JobId": "", "State": "Submitted", "PipelineId": "emulated", "Code": "", "Message": ""},
)

JOB = MTS.reads(
    "mts.transcode_job",
    "QueryJobList",
    DEFINED,
    _JOB,
    listing=Listing(api="mts.transcode_job", at=("JobList", "Job"), ids="JobIds"),
)
MTS.lists(
    JOB.api,
    "ListJob",
    Listing(api=JOB.api, at=("JobList", "Job"), size="MaximumPageSize", default_size=10, token=("NextPageToken",)),
    DEFINED,
    _JOB,
)


def _submit(call: Call) -> JsonObject:
    """Return the answer with one job for each output."""
    results = []
    for _ in call.parameters["Outputs"]:
        task_id = new_uuid()
        start(call, JOB, task_id, {"PipelineId": call.parameters["PipelineId"]})
        results.append({"Success": True, "Code": "", "Message": "", "Job": {"JobId": task_id, "State": "Submitted"}})
    return {"JobResultList": {"JobResult": results}}


MTS.action(f"{JOB.api}_start", "SubmitJobs", _submit, DEFINED)
MTS.cancels(JOB, "CancelJob", DEFINED, id_at=("JobId",), asked_by="JobId")
