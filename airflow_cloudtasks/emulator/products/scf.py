"""SCF's asynchronous events: read, started and canceled.

Source: the definitions and examples of SCF 2018-04-16 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

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
        example={"Result": {"Status": "RUNNING", "StatusCode": 0, "InvokeRequestId": ""}},
    ),
)
SCF.starts(ASYNC_EVENT, "Invoke", DEFINED, ("Result", "FunctionRequestId"))
SCF.cancels(ASYNC_EVENT, "TerminateAsyncEvent", DEFINED)
