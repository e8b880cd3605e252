"""Alibaba Cloud BDRC (Backup and Disaster Recovery Center).

A task updates the list of the account's resources, or checks a resource by the rules of data protection. BDRC cannot
cancel a task.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Find, Service, Start, TaskApi, TaskList

# Source: the vendor's package alibabacloud-bdrc20230808, whose client lists these regions.
_REGIONS = ("cn-shanghai", "cn-shanghai-finance-1", "ap-southeast-1")

BDRC = Service(
    cloud="alibaba",
    name="bdrc",
    version="2023-08-08",
    title="BDRC",
    region_hosts={region: f"bdrc.{region}.aliyuncs.com" for region in _REGIONS},
    regions=_REGIONS,
    console="https://bdrc.console.aliyun.com/",
)

# Source: the vendor's package; its model of a listed task has the same fields as that of a task that is read singly.
_TASKS = TaskList(
    action=Action(name="DescribeTasks", method="GET", path="/api/v1/tasks", params_in="query"),
    tasks="Data.Content",
    page_size_param="MaxResults",
    page_size=500,
    page_param="NextToken",
    next_page="Data.NextToken",
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
    list_tasks=_TASKS,
    # Source: the vendor's package. No action cancels a task. The detail of a task of CheckRules is not documented, so
    # that two such tasks cannot be distinguished and there is no ``find``.
    starts=(
        Start(
            action=Action(
                name="UpdateResources",
                optional=("ResourceType",),
                path="/api/v1/resources/update",
                params_in="form",
            ),
            id="Data.TaskId",
            find=Find(
                tasks=_TASKS,
                id="TaskId",
                created_at="StartTime",
                shows={"TaskDetail.resourceTypes": "ResourceType"},
                fields={"TaskType": "UPDATE_RESOURCES"},
            ),
        ),
        Start(
            action=Action(
                name="CheckRules",
                params=("ResourceArn",),
                optional=("RuleId",),
                path="/api/v1/rules/check",
                params_in="form",
            ),
            id="Data.TaskId",
            encodings={"ResourceArn": "id", "RuleId": "id"},
        ),
    ),
)
