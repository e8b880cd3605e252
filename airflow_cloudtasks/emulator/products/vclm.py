"""VCLM's jobs: read and started.

Source: the definitions and examples of VCLM 2024-05-23 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

VCLM = Product("tencent", "vclm", "2024-05-23", ("json", "query"))

JOB = VCLM.reads(
    "vclm.job",
    "DescribeTextToVideoJob",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="JobId",
        status_at="Status",
        unfinished=frozenset({"WAIT", "RUN"}),
        waiting=frozenset({"WAIT"}),
        script=(Step("WAIT", 1), Step("RUN", 2), Step("DONE")),
        failed=Step("FAIL"),
        example={"Status": "WAIT", "ErrorCode": "", "ErrorMessage": "", "ResultVideoUrl": ""},
    ),
)
VCLM.starts(JOB, "SubmitTextToVideoJob", DEFINED, ("JobId",))
