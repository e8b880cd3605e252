"""Alibaba Cloud CloudFlow, formerly Serverless Workflow (FnF).

An execution runs a flow: a state machine whose steps call functions and services. Stopping it starts no further step.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-fnf20190315, its client and its models. The client maps these
# regions; every other one follows the general rule.
_OWN_HOSTS = ("cn-beijing", "cn-hangzhou", "cn-shanghai", "cn-shenzhen")

FNF = Service(
    cloud="alibaba",
    name="fnf",
    version="2019-03-15",
    title="CloudFlow",
    region_hosts={region: f"{region}.fnf.aliyuncs.com" for region in _OWN_HOSTS},
    console="https://fnf.console.aliyun.com/",
)

_EXECUTIONS = TaskList(
    action=Action(name="ListExecutions", params=("FlowName",), method="GET", params_in="query"),
    tasks="Executions",
    page_size_param="Limit",
    page_size=99,
    page_param="NextToken",
    next_page="NextToken",
)

FNF_EXECUTION = TaskApi(
    name="fnf.execution",
    service=FNF,
    read=Action(name="DescribeExecution", params=("FlowName", "ExecutionName"), method="GET", params_in="query"),
    id_param="ExecutionName",
    states={
        "Starting": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Stopped": TaskState.CANCELED,
        "Succeeded": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "TimedOut": TaskState.FAILED,
    },
    id="Name",
    task_name="FlowName",
    created_at="StartedTime",
    started_at="StartedTime",
    finished_at="StoppedTime",
    json_fields=("Input", "Output", "FlowDefinition"),
    list_tasks=_EXECUTIONS,
    starts=(
        Start(
            action=Action(
                name="StartExecution",
                params=("FlowName",),
                optional=("ExecutionName", "Input", "Qualifier", "CallbackFnFTaskToken"),
                params_in="form",
            ),
            id="Name",
            encodings={"Input": "json"},
            find=Find(
                tasks=_EXECUTIONS,
                id="Name",
                created_at="StartedTime",
                shows={"Name": "ExecutionName", "Input": "Input"},
            ),
        ),
    ),
    cancel=Cancel(
        action=Action(name="StopExecution", params=("FlowName", "ExecutionName"), params_in="form"),
        id_param="ExecutionName",
    ),
    # The answer about an execution does not say why it failed. The model of the events names their types.
    parts=Parts(
        listed=TaskList(
            action=Action(
                name="GetExecutionHistory", params=("FlowName", "ExecutionName"), method="GET", params_in="query"
            ),
            tasks="Events",
            page_size_param="Limit",
            page_size=999,
            page_param="NextToken",
            next_page="NextToken",
        ),
        status="Type",
        failed=("TaskFailed", "TaskSubmitFailed", "TaskTimedOut", "StepFailed"),
        name=("StepName",),
        id="EventId",
        message=("EventDetail",),
    ),
)
