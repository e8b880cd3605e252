"""OOS's executions: read through their list, started and canceled.

Source: the models of ``alibabacloud-oos20190601``. The example's values are our own.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

OOS = Product("alibaba", "oos", "2019-06-01", ("query", "form"))

EXECUTION = OOS.reads(
    "oos.execution",
    "ListExecutions",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="ExecutionId",
        asked_by="ExecutionId",
        status_at="Status",
        unfinished=frozenset({"Queued", "Pending", "Started", "Running", "Waiting"}),
        waiting=frozenset({"Queued", "Pending"}),
        script=(Step("Started", 1), Step("Running", 2), Step("Success")),
        failed=Step("Failed"),
        canceled=Step("Cancelled"),
        stamps=(
            Stamp("CreateDate", "created", iso_utc),
            Stamp("StartDate", "started", iso_utc),
            Stamp("EndDate", "finished", iso_utc),
        ),
        example={
            "ExecutionId": "exec-emulated",
            "Status": "Started",
            "TemplateName": "ACS-ECS-RebootInstance",
            "TemplateVersion": "v1",
            "StatusMessage": "",
            "Mode": "Automatic",
            "Parameters": {"instanceId": "i-emulated"},
            "Outputs": "{}",
            "Description": "",
        },
    ),
    listing=Listing(
        api="oos.execution",
        at=("Executions",),
        ids="ExecutionId",
        size="MaxResults",
        token=("NextToken",),
        order=Order(
            by=("SortField",),
            times={"StartDate": "StartDate", "EndDate": "EndDate"},
            direction=("SortOrder",),
            ascending="Ascending",
        ),
    ),
)
OOS.starts(
    EXECUTION,
    "StartExecution",
    DEFINED,
    ("Execution", "ExecutionId"),
    shown=("TemplateName", "Description"),
)
OOS.cancels(EXECUTION, "CancelExecution", DEFINED)
