"""Two actions that neither the catalog nor the emulator knows, for a test to add to the emulator.

Both start tasks that the emulator reads. Sources: the vendor's package alibabacloud-imm20200930, and the definitions of
cdb 2017-03-20 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.products import imm, tencent_flows
from airflow_cloudtasks.emulator.products.shared.product import Product
from airflow_cloudtasks.emulator.vendor.contract import Parameter

IMM = Product("alibaba", "imm", "2020-09-30", ("query",))
IMM.starts(
    imm.TASK,
    "CreateFileCompressionTask",
    IMM.required("ProjectName", "Sources", "TargetURI"),
    id_at=("TaskId",),
    example={"EventId": "1"},
)

CDB = Product("tencent", "cdb", "2017-03-20", ("json",), needs_region=True)
CDB.starts(
    tencent_flows.CDB_REQUEST,
    "RestartDBInstances",
    (Parameter("InstanceIds", CDB.locations, type="array"),),
    id_at=("AsyncRequestId",),
)
