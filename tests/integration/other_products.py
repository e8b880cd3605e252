"""Two products that neither the catalog nor the emulator knows, for a test to add to the emulator.

Sources: the vendor's package alibabacloud-imm20200930, and the definitions of cdb 2017-03-20 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import Product
from airflow_cloudtasks.emulator.vendor.contract import NotFound, Parameter, TaskShape

IMM = Product("alibaba", "imm", "2020-09-30", ("query",))
IMM_TASK = IMM.reads(
    "imm.file_compression",
    "GetTask",
    IMM.required("ProjectName", "TaskType", "TaskId"),
    TaskShape(
        task_at=(),
        id_at="TaskId",
        status_at="Status",
        unfinished=frozenset({"Running"}),
        script=(Step("Running", 1), Step("Succeeded")),
        example={"TaskId": "", "TaskType": "FileCompression", "Status": "Running", "Message": "", "ProjectName": ""},
    ),
    not_found=NotFound("ResourceNotFound", "The task does not exist.", 404),
)
IMM.starts(
    IMM_TASK,
    "CreateFileCompressionTask",
    IMM.required("ProjectName", "Sources", "TargetURI"),
    id_at=("TaskId",),
    example={"EventId": "1"},
)

CDB = Product("tencent", "cdb", "2017-03-20", ("json",), needs_region=True)
CDB_REQUEST = CDB.reads(
    "cdb.async_request",
    "DescribeAsyncRequestInfo",
    CDB.required("AsyncRequestId"),
    TaskShape(
        task_at=(),
        id_at="AsyncRequestId",
        asked_by="AsyncRequestId",
        status_at="Status",
        waiting=frozenset({"INITIAL"}),
        unfinished=frozenset({"INITIAL", "RUNNING"}),
        script=(Step("INITIAL", 1), Step("SUCCESS")),
        example={"AsyncRequestId": "", "Status": "INITIAL", "Info": ""},
    ),
    not_found=NotFound("ResourceNotFound", "The request does not exist.", 200),
)
CDB.starts(
    CDB_REQUEST,
    "RestartDBInstances",
    (Parameter("InstanceIds", CDB.locations, type="array"),),
    id_at=("AsyncRequestId",),
)
