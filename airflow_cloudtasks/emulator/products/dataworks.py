"""DataWorks' instances, data quality runs, Data Integration jobs and operations.

All are read. Instances and Data Integration jobs are stopped; workflows and data quality runs are
started.

Source: the models of ``alibabacloud-dataworks-public20240518``. The examples' values are our own. By the definition, no
status says that an instance was stopped; the emulator shows a stopped one as a failure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.answers import find_task
from airflow_cloudtasks.emulator.products.shared.listing import Listing, Order
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import (
    add,
    new_number,
    new_uuid,
    plan_for,
    sent,
    start,
)
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

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
        order=Order(
            by=("SortBy",),
            times={name: name for name in ("CreateTime", "StartedTime", "FinishedTime")},
        ),
        fields=("TaskId", "Bizdate", "WorkflowInstanceId", "Status"),
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
        # What GetTaskInstanceLog shows.
        left_out=frozenset({"TaskInstanceLog"}),
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


def _log(call: Call) -> JsonObject:
    task = find_task(call, TASK_INSTANCE, str(call.parameters["Id"]))
    return {"TaskInstanceLog": task.fields.get("TaskInstanceLog", "This is a log\n")}


DATAWORKS.action(
    "dataworks.task_instance_log",
    "GetTaskInstanceLog",
    _log,
    DEFINED,
    required="Id",
    not_found=TASK_INSTANCE.not_found,
)

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

OPERATION = DATAWORKS.reads(
    "dataworks.operation",
    "GetCreateWorkflowInstancesResult",
    DEFINED,
    TaskShape(
        task_at=("Result",),
        id_at="",
        asked_by="OperationId",
        status_at="Status",
        unfinished=frozenset({"Creating"}),
        script=(Step("Creating", 1), Step("Created")),
        failed=Step("CreateFailure"),
        started=False,
        example={"Result": {"Status": "Creating", "FailureMessage": "", "WorkflowInstanceIds": []}},
    ),
)


def _create_instances(call: Call) -> JsonObject:
    """Start an operation, whose end names the instance that it has made."""
    instance_id, operation_id = new_number(call), new_uuid()
    start(call, WORKFLOW_INSTANCE, instance_id, sent(call, "Name"))
    plan = plan_for(call, OPERATION)
    made = {"WorkflowInstanceIds": [int(instance_id)]}
    script = tuple(
        replace(step, fields={**made, **step.fields}) if step.status == "Created" else step for step in plan.script
    )
    add(call, OPERATION, operation_id, replace(plan, script=script), {})
    return {"OperationId": operation_id}


DATAWORKS.action("dataworks.workflow_instance_start", "CreateWorkflowInstances", _create_instances, DEFINED)

_RUN = TaskShape(
    task_at=("DataQualityScanRun",),
    id_at="Id",
    format_id=int,
    asked_by="Id",
    status_at="Status",
    unfinished=frozenset({"Running"}),
    script=(Step("Running", 3), Step("Pass")),
    failed=Step("Fail"),
    stamps=(Stamp("CreateTime", "created", milliseconds), Stamp("FinishTime", "finished", milliseconds)),
    example={"DataQualityScanRun": {"Id": 1, "Status": "Running", "Scan": {"Id": 27, "Name": "emulated"}}},
)
DATA_QUALITY_RUN = DATAWORKS.reads("dataworks.data_quality_run", "GetDataQualityScanRun", DEFINED, _RUN)
DATAWORKS.lists(
    DATA_QUALITY_RUN.api,
    "ListDataQualityScanRuns",
    Listing(
        api=DATA_QUALITY_RUN.api,
        at=("PageInfo", "DataQualityScanRuns"),
        size="PageSize",
        default_size=10,
        number="PageNumber",
        total=("PageInfo", "TotalCount"),
    ),
    DEFINED,
    replace(_RUN, task_at=(), example={"Id": 1, "Status": "Running"}),
)
DATAWORKS.starts(DATA_QUALITY_RUN, "CreateDataQualityScanRun", DEFINED, ("Id",), new_id=new_number)

DI_JOB = DATAWORKS.reads(
    "dataworks.di_job",
    "GetDIJob",
    DEFINED,
    TaskShape(
        task_at=("PagingInfo",),
        id_at="Id",
        format_id=int,
        asked_by="Id",
        status_at="JobStatus",
        unfinished=frozenset({"Initialized", "Running", "Stopping"}),
        waiting=frozenset({"Initialized"}),
        script=(Step("Initialized", 1), Step("Running", 2), Step("Finished")),
        failed=Step("Failed"),
        canceled=Step("Stop"),
        started=False,
        example={"PagingInfo": {"Id": 1, "JobName": "emulated", "JobStatus": "Initialized", "MigrationType": "Full"}},
    ),
)
DATAWORKS.cancels(DI_JOB, "StopDIJob", DEFINED, asked_by="Id")
