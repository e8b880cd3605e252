"""Alibaba Cloud Tingwu.

A task transcribes a recording, and may translate it, summarise it or extract its slides.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source, for this file: the vendor's package alibabacloud-tingwu20230930, its client and its models.
TINGWU = Service(
    cloud="alibaba",
    name="tingwu",
    version="2023-09-30",
    title="Tingwu",
    console="https://nls-portal.console.aliyun.com/tingwu/overview",
)

# Only a task of type realtime can be stopped.
TINGWU_TASK = TaskApi(
    name="tingwu.task",
    service=TINGWU,
    read=Action(
        name="GetTaskInfo",
        params=("TaskId",),
        method="GET",
        path="/openapi/tingwu/v2/tasks/{TaskId}",
    ),
    task="Data",
    status="TaskStatus",
    states={
        "ONGOING": TaskState.RUNNING,
        "COMPLETED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "INVALID": TaskState.FAILED,
    },
    id="TaskId",
    task_name="TaskKey",
    message="ErrorMessage",
    starts=(
        Start(
            action=Action(
                name="CreateTask",
                params=("type", "AppKey", "Input"),
                optional=("Parameters",),
                method="PUT",
                path="/openapi/tingwu/v2/tasks",
                places={"type": "query"},
            ),
            id="Data.TaskId",
            encodings={"AppKey": "id", "Input": "object", "Parameters": "object"},
        ),
    ),
)
