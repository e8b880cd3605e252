"""ASR's recordings: read and started.

Source: the definitions and examples of ASR 2019-06-14 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_number
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

ASR = Product("tencent", "asr", "2019-06-14", ("json", "query"))

RECORDING = ASR.reads(
    "asr.recording",
    "DescribeTaskStatus",
    DEFINED,
    TaskShape(
        task_at=("Data",),
        id_at="TaskId",
        format_id=int,
        status_at="StatusStr",
        unfinished=frozenset({"waiting", "doing"}),
        waiting=frozenset({"waiting"}),
        script=(Step("waiting", 1), Step("doing", 2), Step("success")),
        failed=Step("failed"),
        example={"Data": {"TaskId": 1, "Status": 0, "StatusStr": "waiting", "Result": "", "ErrorMsg": ""}},
    ),
)
ASR.starts(RECORDING, "CreateRecTask", DEFINED, ("Data", "TaskId"), new_id=new_number)
