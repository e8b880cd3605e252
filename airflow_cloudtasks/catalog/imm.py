"""Alibaba Cloud IMM (Intelligent Media Management).

A task processes files of a project: it converts, compresses, labels or archives them. The type of a task is part of
what names it.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-imm20200930.
IMM = Service(
    cloud="alibaba",
    name="imm",
    version="2020-09-30",
    title="IMM",
    region_hosts={"cn-beijing-gov-1": "imm-vpc.cn-beijing-gov-1.aliyuncs.com"},
    console="https://imm.console.aliyun.com/",
)

# 18 actions start tasks, each of a type of its own; no action cancels one.
IMM_TASK = TaskApi(
    name="imm.task",
    service=IMM,
    read=Action(name="GetTask", params=("ProjectName", "TaskType", "TaskId"), params_in="query"),
    states={"Running": TaskState.RUNNING, "Succeeded": TaskState.SUCCEEDED, "Failed": TaskState.FAILED},
    id="TaskId",
    message="Message",
    started_at="StartTime",
    finished_at="EndTime",
    json_fields=("TaskRequestDefinition", "UserData"),
    list_tasks=TaskList(
        action=Action(name="ListTasks", params=("ProjectName",), params_in="query"),
        tasks="Tasks",
        page_size_param="MaxResults",
        page_size=100,
        page_param="NextToken",
        next_page="NextToken",
    ),
)
