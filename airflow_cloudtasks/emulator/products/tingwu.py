"""Tingwu's tasks: read and created.

Source: the client and the models of ``alibabacloud-tingwu20230930``. The example's values are our own.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

TINGWU = Product("alibaba", "tingwu", "2023-09-30", ("json",))

TASK = TINGWU.reads(
    "tingwu.task",
    "GetTaskInfo",
    DEFINED,
    TaskShape(
        task_at=("Data",),
        id_at="TaskId",
        status_at="TaskStatus",
        unfinished=frozenset({"ONGOING"}),
        script=(Step("ONGOING", 3), Step("COMPLETED")),
        failed=Step("FAILED"),
        example={
            "Code": "0",
            "Message": "success",
            "Data": {"TaskId": "", "TaskKey": "emulated", "TaskStatus": "ONGOING"},
        },
    ),
)
TINGWU.starts(TASK, "CreateTask", DEFINED, ("Data", "TaskId"), example={"Code": "0", "Message": "success"})
