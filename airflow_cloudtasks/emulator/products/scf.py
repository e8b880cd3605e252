"""SCF's asynchronous events: read, listed by their function, started and canceled.

Source: the definitions and examples of SCF 2018-04-16 that tccli ships.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

SCF = Product("tencent", "scf", "2018-04-16", ("json", "query"), needs_region=True)

ASYNC_EVENT = SCF.reads(
    "scf.async_event",
    "GetAsyncEventStatus",
    DEFINED,
    TaskShape(
        task_at=("Result",),
        id_at="InvokeRequestId",
        asked_by="InvokeRequestId",
        status_at="Status",
        unfinished=frozenset({"RUNNING"}),
        script=(Step("RUNNING", 3), Step("FINISHED")),
        failed=Step("FAILED"),
        canceled=Step("ABORTED"),
        left_out=frozenset({"FunctionName", "Namespace"}),
        example={"Result": {"Status": "RUNNING", "StatusCode": 0, "InvokeRequestId": ""}},
    ),
)
SCF.lists(
    "scf.async_event",
    "ListAsyncEvents",
    Listing(
        api="scf.async_event",
        at=("EventList",),
        ids="InvokeRequestId",
        offset="Offset",
        total=("TotalCount",),
        order=Order(by=("Orderby",), times={"StartTime": "StartTime", "EndTime": "EndTime"}, direction=("Order",)),
        fields=("FunctionName", "Namespace"),
    ),
    DEFINED,
    replace(
        ASYNC_EVENT.shape,
        task_at=(),
        stamps=(Stamp("StartTime", "created", beijing_time), Stamp("EndTime", "finished", beijing_time)),
        left_out=frozenset({"FunctionName", "Namespace"}),
        example={
            "InvokeRequestId": "",
            "InvokeType": "API",
            "Qualifier": "$LATEST",
            "Status": "RUNNING",
            "EndTime": "",
        },
    ),
)
SCF.starts(ASYNC_EVENT, "Invoke", DEFINED, ("Result", "FunctionRequestId"), shown=("FunctionName", "Namespace"))
SCF.cancels(ASYNC_EVENT, "TerminateAsyncEvent", DEFINED)
