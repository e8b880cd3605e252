"""Tencent Cloud ASW (Application Service Workflow).

An execution runs a state machine whose steps call functions and services.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions of ASW 2020-07-22 that the vendor's tccli ships. The definition of the list of
# executions has no answer. Times are Unix milliseconds.
ASW = Service(
    cloud="tencent",
    name="asw",
    version="2020-07-22",
    title="ASW",
    console="https://console.cloud.tencent.com/asw",
    console_intl="https://console.tencentcloud.com/asw",
)

ASW_EXECUTION = TaskApi(
    name="asw.execution",
    service=ASW,
    read=Action(name="DescribeExecution", params=("ExecutionResourceName",)),
    id_param="ExecutionResourceName",
    states={
        "INIT": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCEED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "TERMINATED": TaskState.CANCELED,
    },
    id="ExecutionResourceName",
    task_name="Name",
    created_at="StartDate",
    started_at="StartDate",
    finished_at="StopDate",
    json_fields=("Input", "Output", "ExecutionDefinition"),
    starts=(
        Start(
            action=Action(name="StartExecution", params=("StateMachineResourceName",), optional=("Input", "Name")),
            id="ExecutionResourceName",
            encodings={"Input": "json"},
        ),
    ),
    # The parameter has another name here, and the same value.
    cancel=Cancel(action=Action(name="StopExecution", params=("ExecutionQrn",)), id_param="ExecutionQrn"),
    # The definition names no categories of events.
    parts=Parts(
        listed=TaskList(
            action=Action(name="DescribeExecutionHistory", params=("ExecutionResourceName",)), tasks="Events"
        ),
        status="EventCategory",
        name=("StepName",),
        message=("Exception",),
    ),
)
