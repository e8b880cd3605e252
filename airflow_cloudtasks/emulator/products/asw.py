"""ASW's executions: read, started and stopped, and their history.

Source: the definitions and examples of ASW 2020-07-22 that tccli ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import unix_milliseconds
from airflow_cloudtasks.emulator.products.shared.answers import find_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_uuid
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

ASW = Product("tencent", "asw", "2020-07-22", ("json", "query"), needs_region=True)


def _resource_name(call: Call) -> str:
    return f"qrn:qcs:asw:ap-guangzhou:100000000001:execution:flow/{call.parameters.get('Name') or new_uuid()}"


EXECUTION = ASW.reads(
    "asw.execution",
    "DescribeExecution",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="ExecutionResourceName",
        asked_by="ExecutionResourceName",
        status_at="Status",
        unfinished=frozenset({"INIT", "RUNNING"}),
        waiting=frozenset({"INIT"}),
        script=(Step("INIT", 1), Step("RUNNING", 2), Step("SUCCEED")),
        failed=Step("FAILED"),
        canceled=Step("TERMINATED"),
        # The events that DescribeExecutionHistory shows.
        left_out=frozenset({"Events"}),
        stamps=(Stamp("StartDate", "created", unix_milliseconds), Stamp("StopDate", "finished", unix_milliseconds)),
        example={
            "ExecutionResourceName": "qrn:emulated",
            "Name": "emulated",
            "StateMachineResourceName": "qrn:qcs:asw:ap-guangzhou:100000000001:stateMachine/flow",
            "Status": "INIT",
            "StartDate": "",
            "StopDate": "",
            "Input": "{}",
            "Output": None,
            "ExecutionDefinition": "{}",
        },
    ),
)
ASW.starts(
    EXECUTION,
    "StartExecution",
    DEFINED,
    ("ExecutionResourceName",),
    shown=("StateMachineResourceName", "Input"),
    new_id=_resource_name,
    example={"StartDate": "1767225600000"},
)
ASW.cancels(EXECUTION, "StopExecution", DEFINED, asked_by="ExecutionQrn")


_EVENT = {
    "EventCategory": "ExecutionStart",
    "StepName": "START",
    "ResourceName": "",
    "Timestamp": "1767225600000",
    "Content": "{}",
    "Exception": "",
}


def _history(call: Call) -> JsonObject:
    task = find_task(call, EXECUTION, call.parameters["ExecutionResourceName"])
    fields = {**task.fields, **task.position(call.now).step.fields}
    events = [_EVENT, *fields.get("Events", [])]
    numbered = enumerate(events, start=1)
    return {"Events": [{**_EVENT, "ExecutionResourceName": task.id, "EventId": n, **event} for n, event in numbered]}


ASW.action("asw.execution_history", "DescribeExecutionHistory", _history, DEFINED, not_found=EXECUTION.not_found)
