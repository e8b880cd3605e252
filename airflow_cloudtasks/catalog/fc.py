"""Alibaba Cloud Function Compute.

An asynchronous task is one call of a function that does not wait for its result.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-fc20230330, its client and its models.
_OWN_HOSTS = (
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-7",
    "cn-beijing",
    "cn-chengdu",
    "cn-hangzhou",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shenzhen",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-west-1",
)

FC = Service(
    cloud="alibaba",
    name="fc",
    version="2023-03-30",
    title="Function Compute",
    region_hosts={region: f"fcv3.{region}.aliyuncs.com" for region in _OWN_HOSTS}
    | {
        "cn-hangzhou-finance": "cn-hangzhou-finance.fc.aliyuncs.com",
        "cn-heyuan-acdr-1": "cn-heyuan-acdr-1.fc.aliyuncs.com",
        "cn-shanghai-finance-1": "cn-shanghai-finance-1.fc.aliyuncs.com",
        "me-central-1": "me-central-1.fc.aliyuncs.com",
    },
    console="https://fcnext.console.aliyun.com/",
)

_TASKS = "/2023-03-30/functions/{functionName}/async-tasks"

# The answer to InvokeFunction has no body, so the request names the task. The status Dequeued is from ListAsyncTasks.
FC_ASYNC_TASK = TaskApi(
    name="fc.async_task",
    service=FC,
    read=Action(
        name="GetAsyncTask",
        params=("functionName", "taskId"),
        optional=("qualifier",),
        method="GET",
        path=f"{_TASKS}/{{taskId}}",
        params_in="query",
    ),
    id_param="taskId",
    status="status",
    states={
        "Enqueued": TaskState.PENDING,
        "Dequeued": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Retrying": TaskState.RUNNING,
        "Stopping": TaskState.RUNNING,
        "Succeeded": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Invalid": TaskState.FAILED,
        "Stopped": TaskState.CANCELED,
        "Expired": TaskState.EXPIRED,
    },
    id="taskId",
    message="taskErrorMessage",
    started_at="startedTime",
    finished_at="endTime",
    list_tasks=TaskList(
        action=Action(
            name="ListAsyncTasks",
            params=("functionName",),
            optional=("qualifier",),
            method="GET",
            path=_TASKS,
            params_in="query",
        ),
        tasks="tasks",
        page_size_param="limit",
        page_size=100,
        page_param="nextToken",
        next_page="nextToken",
    ),
    starts=(
        Start(
            action=Action(
                name="InvokeFunction",
                params=("functionName",),
                optional=("qualifier", "x-fc-async-task-id", "body"),
                path="/2023-03-30/functions/{functionName}/invocations",
                params_in="query",
                places={"x-fc-invocation-type": "header", "x-fc-async-task-id": "header", "body": "body"},
                template={"x-fc-invocation-type": "Async"},
                empty=True,
            ),
            named_by="x-fc-async-task-id",
            encodings={"body": "json"},
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="StopAsyncTask",
            params=("functionName", "taskId"),
            optional=("qualifier",),
            method="PUT",
            path=f"{_TASKS}/{{taskId}}/stop",
            params_in="query",
            empty=True,
        ),
        id_param="taskId",
    ),
)
