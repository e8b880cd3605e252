"""Tencent Cloud TAT (TencentCloud Automation Tools).

An invocation runs a command on instances of CVM or Lighthouse. If it fails on some of them, it has failed.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, ManyIds, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of TAT 2020-10-28 that the vendor's tccli ships.
TAT = Service(
    cloud="tencent",
    name="tat",
    version="2020-10-28",
    title="TAT",
    console="https://console.cloud.tencent.com/tat",
    console_intl="https://console.tencentcloud.com/tat",
)

# No action reads one invocation; the list of one id holds everything.
TAT_INVOCATION = TaskApi(
    name="tat.invocation",
    service=TAT,
    read=Action(
        name="DescribeInvocations",
        params=("InvocationId",),
        template={"Filters": [{"Name": "invocation-id", "Values": ["{InvocationId}"]}]},
    ),
    id_param="InvocationId",
    task="InvocationSet.0",
    status="InvocationStatus",
    states={
        "PENDING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "CANCELLING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "TIMEOUT": TaskState.FAILED,
        "FAILED": TaskState.FAILED,
        "PARTIAL_FAILED": TaskState.FAILED,
        "CANCELLED": TaskState.CANCELED,
        "PARTIAL_CANCELLED": TaskState.CANCELED,
    },
    id="InvocationId",
    task_name="CommandName",
    created_at="CreatedTime",
    started_at="StartTime",
    finished_at="EndTime",
    json_fields=("Parameters", "DefaultParameters"),
    list_tasks=TaskList(
        action=Action(name="DescribeInvocations"),
        tasks="InvocationSet",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    # The definition allows 100 ids, and fewer values of a filter.
    read_many=ManyIds(
        action=Action(name="DescribeInvocations", params=("InvocationIds",), template={"Limit": 100}),
        tasks="InvocationSet",
        ids_param="InvocationIds",
        most=100,
    ),
    starts=(
        Start(
            action=Action(
                name="RunCommand",
                params=("Content", "InstanceIds"),
                optional=(
                    "CommandName",
                    "Description",
                    "CommandType",
                    "WorkingDirectory",
                    "Timeout",
                    "SaveCommand",
                    "EnableParameter",
                    "DefaultParameters",
                    "DefaultParameterConfs",
                    "Parameters",
                    "Tags",
                    "Username",
                    "OutputCOSBucketUrl",
                    "OutputCOSKeyPrefix",
                ),
            ),
            id="InvocationId",
            encodings={
                "InstanceIds": "ids",
                "Timeout": "integer",
                "SaveCommand": "boolean",
                "EnableParameter": "boolean",
                "DefaultParameterConfs": "object",
                "Tags": "object",
                "Content": "base64",
                "Parameters": "json",
                "DefaultParameters": "json",
            },
        ),
    ),
    cancel=Cancel(action=Action(name="CancelInvocation", params=("InvocationId",)), id_param="InvocationId"),
    # The parts are the runs of the command, one for each instance.
    parts=Parts(
        at="InvocationTaskBasicInfoSet",
        status="TaskStatus",
        failed=("DELIVER_FAILED", "START_FAILED", "FAILED", "TIMEOUT", "TASK_TIMEOUT"),
        name=("InstanceId",),
        id="InvocationTaskId",
    ),
)
