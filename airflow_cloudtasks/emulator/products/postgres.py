"""Tasks of TencentDB for PostgreSQL: read through their list.

Source: the definitions and examples of PostgreSQL 2017-03-12 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

POSTGRES = Product("tencent", "postgres", "2017-03-12", ("json", "query"), needs_region=True)
POSTGRES.reads(
    "postgres.task",
    "DescribeTasks",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="TaskId",
        format_id=int,
        status_at="Status",
        unfinished=frozenset({"Running", "WaitSwitch", "Pause"}),
        script=(Step("Running", 3), Step("Success")),
        failed=Step("Fail"),
        started=False,
        stamps=(Stamp("StartTime", "created", beijing_time), Stamp("EndTime", "finished", beijing_time)),
        progress_at="Progress",
        progress_full=100,
        example={"TaskId": 1, "TaskType": "emulated", "DBInstanceId": "postgres-emulated", "Status": "Running"},
    ),
    listing=Listing(
        api="postgres.task",
        at=("TaskSet",),
        ids="TaskId",
        offset="Offset",
        total=("TotalCount",),
        order=Order(
            by=("OrderBy",), times={"StartTime": "StartTime", "EndTime": "EndTime"}, direction=("OrderByType",)
        ),
    ),
)
