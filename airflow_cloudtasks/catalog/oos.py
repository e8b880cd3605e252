"""Alibaba Cloud OOS (CloudOps Orchestration Service).

An execution runs a template of operations, such as restarting instances or backing up disks, step by step. Cancelling
it stops the steps that have not begun.
"""

from dataclasses import replace

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Feed, Find, Log, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-oos20190601, its client and its models.
OOS = Service(
    cloud="alibaba",
    name="oos",
    version="2019-06-01",
    title="OOS",
    console="https://oos.console.aliyun.com/",
)

_LIST = Action(name="ListExecutions", params_in="query")
_EXECUTIONS = TaskList(
    action=_LIST,
    tasks="Executions",
    page_size_param="MaxResults",
    page_size=100,
    page_param="NextToken",
    next_page="NextToken",
    since_param="StartDateAfter",
)

# No action reads one execution; the list of one id holds everything.
OOS_EXECUTION = TaskApi(
    name="oos.execution",
    service=OOS,
    read=Action(name="ListExecutions", params=("ExecutionId",), params_in="query"),
    id_param="ExecutionId",
    task="Executions.0",
    states={
        "Queued": TaskState.PENDING,
        "Pending": TaskState.PENDING,
        "Started": TaskState.RUNNING,
        "Running": TaskState.RUNNING,
        "Waiting": TaskState.RUNNING,
        "Success": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Cancelled": TaskState.CANCELED,
        "Skipped": TaskState.SKIPPED,
    },
    id="ExecutionId",
    task_name="TemplateName",
    message="StatusMessage",
    created_at="CreateDate",
    started_at="StartDate",
    finished_at="EndDate",
    json_fields=("Outputs",),
    list_tasks=_EXECUTIONS,
    feed=Feed(
        tasks=TaskList(
            action=replace(_LIST, template={"SortField": "EndDate", "SortOrder": "Descending"}),
            tasks="Executions",
            page_size_param="MaxResults",
            page_size=100,
            page_param="NextToken",
            next_page="NextToken",
        ),
    ),
    starts=(
        Start(
            action=Action(
                name="StartExecution",
                optional=(
                    *("TemplateName", "TemplateContent", "TemplateURL", "TemplateVersion", "Parameters", "Mode"),
                    *("LoopMode", "SafetyCheck", "Description", "ResourceGroupId", "ParentExecutionId", "Tags"),
                    "ClientToken",
                ),
                params_in="query",
            ),
            id="Execution.ExecutionId",
            encodings={
                "Parameters": "json",
                "Tags": "json",
                "ResourceGroupId": "id",
                "ParentExecutionId": "id",
            },
            client_token="ClientToken",  # noqa: S106 - a parameter's name
            find=Find(
                tasks=_EXECUTIONS,
                id="ExecutionId",
                created_at="CreateDate",
                shows={"TemplateName": "TemplateName", "Parameters": "Parameters", "Description": "Description"},
            ),
        ),
    ),
    cancel=Cancel(
        action=Action(name="CancelExecution", params=("ExecutionId",), params_in="query"),
        id_param="ExecutionId",
    ),
    parts=Parts(
        listed=TaskList(
            action=Action(name="ListTaskExecutions", params=("ExecutionId",), params_in="query"),
            tasks="TaskExecutions",
            page_size_param="MaxResults",
            page_size=100,
            page_param="NextToken",
            next_page="NextToken",
        ),
        failed=("Failed",),
        name=("TaskName", "TaskAction"),
        id="TaskExecutionId",
        message=("StatusMessage",),
        log=Log(
            action=Action(
                name="ListExecutionLogs",
                params=("ExecutionId",),
                optional=("TaskExecutionId", "NextToken"),
                params_in="query",
                template={"MaxResults": 100},
            ),
            params={"ExecutionId": "{ExecutionId}", "TaskExecutionId": "{TaskExecutionId}"},
            text="ExecutionLogs.*.Message",
            cursor="NextToken",
            cursor_param="NextToken",
        ),
    ),
)
