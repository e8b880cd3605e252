"""Alibaba Cloud DataWorks.

A task instance is one run of a node on one day, as the schedule makes it; a workflow instance is the run of a workflow
with all its nodes. A wait needs only the id of an instance, whatever has started it. A data quality run checks the
rules of a monitor; a Data Integration job synchronises data sources; an operation makes workflow instances.
"""

from dataclasses import replace
from typing import Any

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import (
    Action,
    Cancel,
    Feed,
    Find,
    Log,
    ManyIds,
    Parts,
    Service,
    Start,
    Success,
    TaskApi,
    TaskList,
)

# Source, for this file: the vendor's package alibabacloud-dataworks-public20240518. Its client maps these regions.
_CENTRAL_REGIONS = (
    "ap-northeast-2-pop",
    "ap-south-1",
    "ap-southeast-2",
    "cn-beijing-finance-pop",
    "cn-beijing-gov-1",
    "cn-beijing-nu16-b01",
    "cn-edge-1",
    "cn-fujian",
    "cn-haidian-cm12-c01",
    "cn-hangzhou-bj-b01",
    "cn-hangzhou-finance",
    "cn-hangzhou-internal-prod-1",
    "cn-hangzhou-internal-test-1",
    "cn-hangzhou-internal-test-2",
    "cn-hangzhou-internal-test-3",
    "cn-hangzhou-test-306",
    "cn-hongkong-finance-pop",
    "cn-huhehaote",
    "cn-huhehaote-nebula-1",
    "cn-qingdao",
    "cn-qingdao-nebula",
    "cn-shanghai-et15-b01",
    "cn-shanghai-et2-b01",
    "cn-shanghai-inner",
    "cn-shanghai-internal-test-1",
    "cn-shenzhen-inner",
    "cn-shenzhen-st4-d01",
    "cn-shenzhen-su18-b01",
    "cn-wuhan",
    "cn-yushanfang",
    "cn-zhangbei",
    "cn-zhangbei-na61-b01",
    "cn-zhangjiakou-na62-a01",
    "cn-zhengzhou-nebula-1",
    "eu-west-1-oxs",
    "rus-west-1-pop",
)
_OWN_HOSTS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "cn-beijing",
    "cn-beijing-finance-1",
    "cn-chengdu",
    "cn-hangzhou",
    "cn-hongkong",
    "cn-north-2-gov-1",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-shenzhen-finance-1",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "eu-central-1",
    "eu-west-1",
    "me-central-1",
    "me-east-1",
    "us-east-1",
    "us-west-1",
)

DATAWORKS = Service(
    cloud="alibaba",
    name="dataworks-public",
    version="2024-05-18",
    title="DataWorks",
    region_hosts=dict.fromkeys(_CENTRAL_REGIONS, "dataworks.aliyuncs.com")
    | {region: f"dataworks.{region}.aliyuncs.com" for region in _OWN_HOSTS},
    console="https://dataworks.console.aliyun.com/",
)

_WORKFLOW_STATES = {
    "NotRun": TaskState.PENDING,
    "WaitTime": TaskState.PENDING,
    "WaitResource": TaskState.PENDING,
    "Running": TaskState.RUNNING,
    "Checking": TaskState.RUNNING,
    "CheckingCondition": TaskState.RUNNING,
    "Success": TaskState.SUCCEEDED,
    "Failure": TaskState.FAILED,
}
_IDS = {"Ids": ["{Id:integer}"]}
# The log of an instance's latest run, whole.
_LOG = Log(
    action=Action(
        name="GetTaskInstanceLog", params=("Id",), method="GET", params_in="query", template={"Id": "{Id:integer}"}
    ),
    params={"Id": "{Id}"},
    text="TaskInstanceLog",
)

# The lists need a project and a day, which do not identify an instance. The models do not limit the ids; 100 of them
# fit on one page.
_TOGETHER = {"Ids": "{Ids:integers}", "ProjectId": "{ProjectId:integer}", "PageSize": 100}


def _ended(action: str, tasks: str, day: str, kind: str = "integer", **more: Any) -> Feed:
    """Return the feed of the instances of a project and a day."""
    return Feed(
        tasks=TaskList(
            action=Action(
                name=action,
                params=("ProjectId", day),
                params_in="form",
                template={
                    "ProjectId": "{ProjectId:integer}",
                    day: f"{{{day}:{kind}}}",
                    "SortBy": "FinishedTime Desc",
                },
            ),
            tasks=tasks,
            page_size_param="PageSize",
            page_size=100,
            page_param="PageNumber",
            total="PagingInfo.TotalCount",
            complete=not more,
        ),
        **more,
    )


DATAWORKS_TASK_INSTANCE = TaskApi(
    name="dataworks.task_instance",
    service=DATAWORKS,
    read=Action(
        name="GetTaskInstance", params=("Id",), method="GET", params_in="query", template={"Id": "{Id:integer}"}
    ),
    id_param="Id",
    task="TaskInstance",
    states={**_WORKFLOW_STATES, "WaitTrigger": TaskState.PENDING},
    id="Id",
    task_name="TaskName",
    created_at="CreateTime",
    started_at="StartedTime",
    finished_at="FinishedTime",
    feed=_ended("ListTaskInstances", "PagingInfo.TaskInstances", "Bizdate"),
    read_many=ManyIds(
        action=Action(
            name="ListTaskInstances",
            params=("Ids", "ProjectId", "Bizdate"),
            params_in="form",
            template={**_TOGETHER, "Bizdate": "{Bizdate:integer}"},
            json_params=("Ids",),
        ),
        tasks="PagingInfo.TaskInstances",
        most=100,
    ),
    cancel=Cancel(
        action=Action(name="StopTaskInstances", params=("Id",), params_in="form", template=_IDS, json_params=("Ids",)),
        id_param="Id",
    ),
    parts=Parts(failed=("Failure",), log=_LOG),
)

# The instance that the schedule makes of a node for a day, which is known by no id before. The instance with the latest
# trigger time comes first.
DATAWORKS_SCHEDULED_INSTANCE = replace(
    DATAWORKS_TASK_INSTANCE,
    name="dataworks.scheduled_instance",
    read=Action(
        name="ListTaskInstances",
        params=("TaskId", "ProjectId", "Bizdate"),
        params_in="form",
        template={
            "TaskId": "{TaskId:integer}",
            "ProjectId": "{ProjectId:integer}",
            "Bizdate": "{Bizdate:day}",
            "WorkflowInstanceType": "Normal",
            "SortBy": "TriggerTime Desc",
            "PageSize": 1,
        },
    ),
    id_param="TaskId",
    task="PagingInfo.TaskInstances.0",
    feed=_ended("ListTaskInstances", "PagingInfo.TaskInstances", "Bizdate", "day", id="TaskId"),
    read_many=None,
    cancel=None,
)

DATAWORKS_WORKFLOW_INSTANCE = TaskApi(
    name="dataworks.workflow_instance",
    service=DATAWORKS,
    read=Action(
        name="GetWorkflowInstance",
        params=("Id",),
        method="GET",
        params_in="query",
        template={"Id": "{Id:integer}"},
    ),
    id_param="Id",
    task="WorkflowInstance",
    states=_WORKFLOW_STATES,
    id="Id",
    task_name="Name",
    created_at="CreateTime",
    started_at="StartedTime",
    finished_at="FinishedTime",
    json_fields=("WorkflowParameters",),
    feed=_ended("ListWorkflowInstances", "PagingInfo.WorkflowInstances", "BizDate"),
    read_many=ManyIds(
        action=Action(
            name="ListWorkflowInstances",
            params=("Ids", "ProjectId", "BizDate"),
            params_in="form",
            template={**_TOGETHER, "BizDate": "{BizDate:integer}"},
            json_params=("Ids",),
        ),
        tasks="PagingInfo.WorkflowInstances",
        most=100,
    ),
    starts=(
        Start(
            action=Action(
                name="ExecuteAdhocWorkflowInstance",
                params=("ProjectId", "Name", "Owner", "Tasks"),
                optional=("BizDate", "EnvType"),
                params_in="form",
            ),
            id="WorkflowInstanceId",
            encodings={"ProjectId": "integer", "BizDate": "integer", "Tasks": "json"},
        ),
        # Backfills, and workflows that a person or an event triggers.
        Start(
            action=Action(
                name="CreateWorkflowInstances",
                params=("ProjectId", "WorkflowId", "Name", "Type"),
                optional=(
                    *("Periods", "DefaultRunProperties", "WorkflowParameters", "TaskParameters", "EnvType", "Comment"),
                    *("AutoStartEnabled", "TagCreationPolicy", "Tags"),
                ),
                params_in="form",
            ),
            job="OperationId",
            job_api="dataworks.operation",
            job_ids="WorkflowInstanceIds",
            encodings={
                "ProjectId": "integer",
                "WorkflowId": "integer",
                "Periods": "json",
                "DefaultRunProperties": "json",
                "WorkflowParameters": "json",
                "TaskParameters": "json",
                "AutoStartEnabled": "boolean",
                "Tags": "json",
            },
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="StopWorkflowInstances", params=("Id",), params_in="form", template=_IDS, json_params=("Ids",)
        ),
        id_param="Id",
    ),
    parts=Parts(
        listed=TaskList(
            action=Action(
                name="ListTaskInstances",
                params=("ProjectId", "Bizdate", "WorkflowInstanceId"),
                params_in="form",
                template={"Status": "Failure"},
            ),
            tasks="PagingInfo.TaskInstances",
            page_size_param="PageSize",
            page_size=500,
            page_param="PageNumber",
            total="PagingInfo.TotalCount",
        ),
        found={"ProjectId": "ProjectId", "Bizdate": "BizDate", "WorkflowInstanceId": "Id"},
        failed=("Failure",),
        name=("TaskName",),
        id="Id",
        log=_LOG,
    ),
)

# Creates the instances of a workflow, and shows their ids once it has ended.
DATAWORKS_OPERATION = TaskApi(
    name="dataworks.operation",
    service=DATAWORKS,
    read=Action(name="GetCreateWorkflowInstancesResult", params=("OperationId",), method="GET", params_in="query"),
    id_param="OperationId",
    task="Result",
    states={"Creating": TaskState.RUNNING, "Created": TaskState.SUCCEEDED, "CreateFailure": TaskState.FAILED},
    message="FailureMessage",
)

# The vendor leaves it to the user whether a warning is a failure: a wait can take it for one by failure_statuses. No
# action stops a run.
DATAWORKS_DATA_QUALITY_RUN = TaskApi(
    name="dataworks.data_quality_run",
    service=DATAWORKS,
    read=Action(name="GetDataQualityScanRun", params=("Id",), params_in="query", template={"Id": "{Id:integer}"}),
    id_param="Id",
    task="DataQualityScanRun",
    states={
        "Running": TaskState.RUNNING,
        "Pass": TaskState.SUCCEEDED,
        "Warn": TaskState.SUCCEEDED,
        "Fail": TaskState.FAILED,
        "Error": TaskState.FAILED,
    },
    id="Id",
    task_name="Scan.Name",
    created_at="CreateTime",
    finished_at="FinishTime",
    starts=(
        Start(
            action=Action(
                name="CreateDataQualityScanRun",
                params=("ProjectId", "DataQualityScanId", "Parameters"),
                optional=("RuntimeResource",),
                params_in="form",
            ),
            id="Id",
            encodings={
                "ProjectId": "integer",
                "DataQualityScanId": "integer",
                "Parameters": "json",
                "RuntimeResource": "json",
            },
            # The list shows the runs of the monitor in the request, and does not name it. The model limits no page.
            find=Find(
                tasks=TaskList(
                    action=Action(
                        name="ListDataQualityScanRuns",
                        params=("ProjectId", "DataQualityScanId"),
                        params_in="query",
                    ),
                    tasks="PageInfo.DataQualityScanRuns",
                    page_size_param="PageSize",
                    page_size=10,
                    page_param="PageNumber",
                    total="PageInfo.TotalCount",
                ),
                id="Id",
                created_at="CreateTime",
            ),
        ),
    ),
    parts=Parts(at="Results", failed=("Fail", "Error"), name=("Rule",), message=("Details.0.CheckValue", "Sample")),
)

# A job may run again, and its answer has no times: after a start, its old end could not be told from a new one. So
# nothing here starts it.
DATAWORKS_DI_JOB = TaskApi(
    name="dataworks.di_job",
    service=DATAWORKS,
    read=Action(
        name="GetDIJob",
        params=("Id",),
        method="GET",
        params_in="query",
        template={"Id": "{Id:integer}", "WithDetails": False},
    ),
    id_param="Id",
    task="PagingInfo",
    status="JobStatus",
    states={
        "Initialized": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Stopping": TaskState.RUNNING,
        "Finished": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Stop": TaskState.CANCELED,
    },
    id="Id",
    task_name="JobName",
    cancel=Cancel(
        action=Action(
            name="StopDIJob",
            params=("Id",),
            method="GET",
            params_in="query",
            template={"Id": "{Id:integer}"},
            success=Success("Success"),
        ),
        id_param="Id",
    ),
)
