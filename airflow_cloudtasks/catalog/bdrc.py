"""Alibaba Cloud BDRC (Backup and Disaster Recovery Center)."""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi, TaskList

# Source: the vendor's package alibabacloud-bdrc20230808, whose client knows these regions by name.
_REGIONS = ("cn-shanghai", "cn-shanghai-finance-1", "ap-southeast-1")

BDRC = Service(
    cloud="alibaba",
    name="bdrc",
    version="2023-08-08",
    title="BDRC",
    region_hosts={region: f"bdrc.{region}.aliyuncs.com" for region in _REGIONS},
    regions=_REGIONS,
)

# Source: help.aliyun.com, BDRC, DescribeTask. Progress counts to 10000; times are Unix seconds.
BDRC_TASK = TaskApi(
    name="bdrc.task",
    service=BDRC,
    read=Action(
        name="DescribeTask",
        params=("TaskId",),
        method="GET",
        path="/api/v1/tasks/{TaskId}",
        params_in="query",
    ),
    task="Data",
    status="TaskStatus",
    states={
        "CREATED": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "COMPLETE": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "EXPIRED": TaskState.EXPIRED,
        "CANCELED": TaskState.CANCELED,
    },
    id="TaskId",
    task_name="TaskName",
    message="ErrorMessage",
    progress="Progress",
    progress_whole=10_000,
    started_at="StartTime",
    finished_at="CompleteTime",
    json_fields=("TaskDetail",),
    # Source: the vendor's package; its model of a listed task has the fields of one that is read singly.
    list_tasks=TaskList(
        action=Action(name="DescribeTasks", method="GET", path="/api/v1/tasks", params_in="query"),
        tasks="Data.Content",
        page_size_param="MaxResults",
        page_size=500,
        page_param="NextToken",
        next_page="Data.NextToken",
    ),
)
