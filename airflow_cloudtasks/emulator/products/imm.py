"""IMM's tasks: read and listed.

Source: the models of ``alibabacloud-imm20200930``. The example's values are our own.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

IMM = Product("alibaba", "imm", "2020-09-30", ("query", "form"))

_SHAPE = TaskShape(
    task_at=(),
    id_at="TaskId",
    status_at="Status",
    unfinished=frozenset({"Running"}),
    script=(Step("Running", 3), Step("Succeeded")),
    failed=Step("Failed"),
    started=False,
    stamps=(Stamp("StartTime", "started", iso_utc), Stamp("EndTime", "finished", iso_utc)),
    scope=("ProjectName", "TaskType"),
    example={"TaskId": "", "ProjectName": "emulated", "TaskType": "FileCompression", "Status": "Running"},
)

TASK = IMM.reads("imm.task", "GetTask", DEFINED, _SHAPE)
IMM.lists(
    "imm.task",
    "ListTasks",
    Listing(api="imm.task", at=("Tasks",), size="MaxResults", default_size=100, token=("NextToken",)),
    DEFINED,
    replace(_SHAPE, scope=("ProjectName",)),
)
