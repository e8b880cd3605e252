"""AI3D's jobs: read and started.

Source: the definitions and examples of AI3D 2025-05-13 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

AI3D = Product("tencent", "ai3d", "2025-05-13", ("json", "query"))

JOB = AI3D.reads(
    "ai3d.job",
    "QueryHunyuanTo3DProJob",
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
        example={"Status": "WAIT", "ErrorCode": "", "ErrorMessage": "", "ResultFile3Ds": []},
    ),
)
AI3D.starts(JOB, "SubmitHunyuanTo3DProJob", DEFINED, ("JobId",))
