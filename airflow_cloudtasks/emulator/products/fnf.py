"""CloudFlow's executions: read, listed, started and stopped.

Source: the models of ``alibabacloud-fnf20190315``. The example's values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_uuid
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Call

FNF = Product("alibaba", "fnf", "2019-03-15", ("query", "form"))

_SHAPE = TaskShape(
    task_at=(),
    id_at="Name",
    asked_by="ExecutionName",
    status_at="Status",
    scope=("FlowName",),
    unfinished=frozenset({"Starting", "Running"}),
    waiting=frozenset({"Starting"}),
    script=(Step("Starting", 1), Step("Running", 2), Step("Succeeded")),
    failed=Step("Failed"),
    canceled=Step("Stopped"),
    stamps=(Stamp("StartedTime", "created", iso_utc), Stamp("StoppedTime", "finished", iso_utc)),
    example={
        "Name": "emulated",
        "FlowName": "emulated-flow",
        "Status": "Starting",
        "Input": '{"day":"2026-01-31"}',
        "Output": "",
        "FlowDefinition": "version: v1\ntype: flow\n",
    },
)


def _name(call: Call) -> str:
    return str(call.parameters.get("ExecutionName") or new_uuid())


EXECUTION = FNF.reads(
    "fnf.execution",
    "DescribeExecution",
    DEFINED,
    _SHAPE,
)
FNF.lists(
    "fnf.execution",
    "ListExecutions",
    Listing(api="fnf.execution", at=("Executions",), token=("NextToken",)),
    DEFINED,
    _SHAPE,
)
FNF.starts(
    EXECUTION,
    "StartExecution",
    DEFINED,
    ("Name",),
    shown=("Input",),
    new_id=_name,
)
FNF.cancels(
    EXECUTION,
    "StopExecution",
    DEFINED,
    id_at=("Name",),
)
