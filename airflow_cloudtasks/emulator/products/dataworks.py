"""DataWorks' task instances and workflow instances: read and stopped; ad hoc workflows are started.

Source: the models of ``alibabacloud-dataworks-public20240518``. The examples' values are our own. By the definition, no
status says that an instance was stopped; the emulator shows a stopped one as a failure.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_number
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

DATAWORKS = Product("alibaba", "dataworks-public", "2024-05-18", ("query", "form"))

_STAMPS = (
    Stamp("CreateTime", "created", milliseconds),
    Stamp("StartedTime", "started", milliseconds),
    Stamp("FinishedTime", "finished", milliseconds),
)
_UNFINISHED = frozenset({"NotRun", "WaitTime", "WaitResource", "Running", "Checking", "CheckingCondition"})
_WAITING = frozenset({"NotRun", "WaitTime", "WaitResource"})
_SCRIPT = (Step("NotRun", 1), Step("Running", 2), Step("Success"))


def _listing(api: str, name: str) -> Listing:
    return Listing(
        api=api,
        at=("PagingInfo", name),
        ids="Ids",
        size="PageSize",
        default_size=10,
        number="PageNumber",
        total=("PagingInfo", "TotalCount"),
        fields=("TaskId", "Bizdate"),
        example={"PagingInfo": {"PageNumber": 1, "PageSize": 10}},
    )


TASK_INSTANCE = DATAWORKS.reads(
    "dataworks.task_instance",
    "GetTaskInstance",
    DEFINED,
    TaskShape(
        task_at=("TaskInstance",),
        id_at="Id",
        format_id=int,
        asked_by="Id",
        status_at="Status",
        unfinished=_UNFINISHED | {"WaitTrigger"},
        waiting=_WAITING | {"WaitTrigger"},
        script=_SCRIPT,
        failed=Step("Failure"),
        canceled=Step("Failure"),
        started=False,
        stamps=_STAMPS,
        example={"TaskInstance": {"Id": 1, "TaskName": "emulated", "Status": "NotRun"}},
    ),
)
DATAWORKS.lists(
    "dataworks.task_instance",
    "ListTaskInstances",
    _listing("dataworks.task_instance", "TaskInstances"),
    DEFINED,
    replace(TASK_INSTANCE.shape, task_at=(), example=TASK_INSTANCE.shape.example["TaskInstance"]),
)
DATAWORKS.cancels(TASK_INSTANCE, "StopTaskInstances", DEFINED, asked_by="Ids")

WORKFLOW_INSTANCE = DATAWORKS.reads(
    "dataworks.workflow_instance",
    "GetWorkflowInstance",
    DEFINED,
    TaskShape(
        task_at=("WorkflowInstance",),
        id_at="Id",
        format_id=int,
        asked_by="Id",
        status_at="Status",
        unfinished=_UNFINISHED,
        waiting=_WAITING,
        script=_SCRIPT,
        failed=Step("Failure"),
        canceled=Step("Failure"),
        stamps=_STAMPS,
        example={"WorkflowInstance": {"Id": 1, "Name": "emulated", "Status": "NotRun", "WorkflowParameters": "{}"}},
    ),
)
DATAWORKS.starts(
    WORKFLOW_INSTANCE,
    "ExecuteAdhocWorkflowInstance",
    DEFINED,
    ("WorkflowInstanceId",),
    shown=("Name",),
    new_id=new_number,
)
DATAWORKS.lists(
    "dataworks.workflow_instance",
    "ListWorkflowInstances",
    _listing("dataworks.workflow_instance", "WorkflowInstances"),
    DEFINED,
    replace(WORKFLOW_INSTANCE.shape, task_at=(), example=WORKFLOW_INSTANCE.shape.example["WorkflowInstance"]),
)
DATAWORKS.cancels(WORKFLOW_INSTANCE, "StopWorkflowInstances", DEFINED, asked_by="Ids")
