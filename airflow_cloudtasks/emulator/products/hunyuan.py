"""Hunyuan's jobs: read and started.

Source: the definitions and examples of Hunyuan 2023-09-01 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

HUNYUAN = Product("tencent", "hunyuan", "2023-09-01", ("json", "query"))

JOB = HUNYUAN.reads(
    "hunyuan.image_job",
    "QueryHunyuanImageJob",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="JobId",
        status_at="JobStatusCode",
        unfinished=frozenset({"1", "2"}),
        waiting=frozenset({"1"}),
        script=(Step("1", 1), Step("2", 2), Step("5")),
        failed=Step("4"),
        example={
            "JobStatusCode": "1",
            "JobStatusMsg": "",
            "JobErrorCode": "",
            "JobErrorMsg": "",
            "ResultImage": [],
            "ResultDetails": [],
            "RevisedPrompt": [],
        },
    ),
)
HUNYUAN.starts(JOB, "SubmitHunyuanImageJob", DEFINED, ("JobId",))
