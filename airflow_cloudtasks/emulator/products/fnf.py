"""CloudFlow's executions: read, listed, started and stopped.

Source: the models of ``alibabacloud-fnf20190315``. The example's values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.answers import find_task
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_uuid
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
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
    # What GetExecutionHistory shows.
    left_out=frozenset({"Events"}),
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

_EVENT = {"EventDetail": "{}", "ScheduleEventId": 0, "StepName": "emulated", "Time": "2026-01-05T08:30:16Z"}


def _history(call: Call) -> JsonObject:
    """Return an execution's ``Events``, or those of one step; the step has failed if the execution has."""
    task = find_task(call, EXECUTION, call.parameters["ExecutionName"])
    made = [{"Type": "StepEntered"}]
    if task.position(call.now).step.status == "Failed":
        made += [{"Type": "TaskFailed", "EventDetail": '{"errorCode":"emulated"}'}]
    events = task.fields.get("Events", made)
    return {"Events": [{**_EVENT, "EventId": n, **event} for n, event in enumerate(events, start=1)], "NextToken": ""}


FNF.action(
    "fnf.execution_history",
    "GetExecutionHistory",
    _history,
    DEFINED,
    required="ExecutionName",
    not_found=EXECUTION.not_found,
)
