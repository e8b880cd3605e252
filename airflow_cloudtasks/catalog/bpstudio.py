"""Alibaba Cloud BPStudio (Cloud Architect Design Tools, CADT).

A task deploys, changes or releases the cloud resources of an application. An operation acts on single resources, such
as an ECS instance. BPStudio cannot cancel either.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Failure, Service, Start, TaskApi

# Source: the vendor's package alibabacloud-bpstudio20210931. The 31st of September is the vendor's own version, and the
# package resolves one host for every region.
BPSTUDIO = Service(
    cloud="alibaba",
    name="bpstudio",
    version="2021-09-31",
    title="BPStudio",
    host="bpstudio.aliyuncs.com",
    console="https://bpstudio.console.aliyun.com/",
)

# Source: help.aliyun.com, BPStudio, GetTask. The API has no status for failure; only an ErrorMessage shows one.
# GmtCreate has no zone and is read as a time in China.
BPSTUDIO_TASK = TaskApi(
    name="bpstudio.task",
    service=BPSTUDIO,
    read=Action(name="GetTask", params=("TaskId",), params_in="form", success_code="200"),
    task="Data",
    states={"BINDING": TaskState.RUNNING, "FINISH": TaskState.SUCCEEDED},
    failures=(Failure(path="ErrorMessage"),),
    id="Id",
    task_name="Name",
    message="ErrorMessage",
    created_at="GmtCreate",
    json_fields=("InstanceIds",),
    # No action cancels a task or lists tasks, and no parameter identifies a request that is sent twice.
    starts=(
        Start(
            action=Action(
                name="CreateTask",
                params=("AppId", "ProcessId", "TaskName"),
                optional=("Variables",),
                params_in="form",
                success_code="200",
            ),
            id="Data",
            encodings={"AppId": "id", "ProcessId": "id", "Variables": "json"},
            then=Action(name="ExecuteTask", params=("TaskId",), params_in="form", success_code="200"),
        ),
    ),
)

# Source: the vendor's package, and help.aliyun.com, BPStudio, GetExecuteOperationResult, which lists the statuses. One
# hour after its start, an operation can no longer be read: the answer has no Data.
BPSTUDIO_OPERATION = TaskApi(
    name="bpstudio.operation",
    service=BPSTUDIO,
    read=Action(
        name="GetExecuteOperationResult",
        params=("OperationId",),
        optional=("ResourceGroupId",),
        params_in="form",
        success_code="200",
    ),
    id_param="OperationId",
    task="Data",
    states={
        "INIT": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAILURE": TaskState.FAILED,
    },
    id="OperationId",
    message="Message",
    json_fields=("Arguments", "Message"),
    starts=(
        Start(
            action=Action(
                name="ExecuteOperationASync",
                params=("ServiceType", "Operation"),
                optional=("ApplicationId", "Attributes", "ClientToken", "ResourceGroupId"),
                params_in="form",
                success_code="200",
            ),
            id="Data",
            encodings={"ApplicationId": "id", "Attributes": "json", "ResourceGroupId": "id"},
            client_token="ClientToken",  # noqa: S106 - a parameter's name
        ),
    ),
)
