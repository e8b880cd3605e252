"""The actions the emulator serves, one entry each. Data: what they do is elsewhere (``answers.py``, ``listing.py``).

Sources: the vendors' API documents of the seven actions, the models of their SDK packages for the fields' types, and
for Tencent Cloud the definitions that tccli ships (``api.json``). The examples have the documents' fields with values
of our own. Where a document's example shows a failure's message beside a success, the message is left empty here,
because a task without an error has none.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator import ice_actions, wedata_runs
from airflow_cloudtasks.emulator.answers import answer_task
from airflow_cloudtasks.emulator.contract import Action, NotFound, Parameter, Stamp, TaskShape
from airflow_cloudtasks.emulator.listing import describe_tasks
from airflow_cloudtasks.emulator.not_found import TASK_ID_NOT_FOUND
from airflow_cloudtasks.emulator.sts_actions import STS_ACTIONS
from airflow_cloudtasks.emulator.times import beijing_time, unix_seconds
from airflow_cloudtasks.emulator.wedata_backfill import BACKFILL, BACKFILL_ACTIONS
from airflow_cloudtasks.emulator.wedata_instances import INSTANCE_ACTIONS, TASK_INSTANCE
from airflow_cloudtasks.emulator.wedata_jobs import ASYNC_JOB
from airflow_cloudtasks.emulator.wedata_sql import SQL_ACTIONS, SQL_RUN

_EXAMPLE_NUMBER = 1333


def number_id(task_id: str) -> int:
    """Show an id as BPStudio does, which asks for a string and answers with an integer.

    Args:
        task_id: The id asked for.

    Returns:
        It as a number; the document's example number for an id that is none.
    """
    return int(task_id) if task_id.isascii() and task_id.isdigit() else _EXAMPLE_NUMBER


# WeData's document lists ResourceNotFound. LKE's lists no code, and ResourceNotFound is Tencent's common one.
_RESOURCE_NOT_FOUND = NotFound("ResourceNotFound", "The task does not exist.", 200)

BPSTUDIO_TASK = Action(
    api="bpstudio.task",
    cloud="alibaba",
    service="bpstudio",
    version="2021-09-31",
    name="GetTask",
    parameters=(Parameter("TaskId", ("form",)),),
    answer=answer_task,
    # BPStudio speaks of success and failure in Code, an HTTP-like number in a string, under HTTP 200.
    not_found=NotFound("404", "The task does not exist.", 200),
    task=TaskShape(
        task_at=("Data",),
        id_at="Id",
        format_id=number_id,
        status_at="Status",
        stamps=(Stamp("GmtCreate", "created", beijing_time),),
        example={
            "Code": "200",
            "Message": "Success",
            "Data": {
                "Id": _EXAMPLE_NUMBER,
                "Name": "emulated_task",
                "ProcessId": "64QQBC02EMULATED",
                "AppId": "JXTEMULATED568665",
                # Escaped twice, as the document's example is.
                "InstanceIds": '{\\"app\\":\\"JXTEMULATED568665\\"}',
                "ErrorMessage": "",
                "Status": "BINDING",
            },
        },
    ),
)

_BDRC_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="TaskId",
    status_at="TaskStatus",
    unfinished=frozenset({"CREATED", "RUNNING"}),
    progress_at="Progress",
    progress_full=10_000,
    stamps=(
        Stamp("StartTime", "created", unix_seconds),
        Stamp("CompleteTime", "finished", unix_seconds),
        Stamp("ExpireTime", "expires", unix_seconds),
    ),
    example={
        "Data": {
            "TaskId": "t-emulated",
            "TaskName": "emulated",
            "TaskDescription": "",
            "TaskType": "UPDATE_RESOURCES",
            "TaskPriority": "HIGH",
            # The request that created the task; the answer's own RequestId stands outside.
            "RequestId": "0D9B1C5E-6B7A-5C3D-8F21-3A4B5C6D7E8F",
            "TaskDetail": '{"resourceTypes":["ACS::ECS::Instance","ACS::OSS::Bucket"]}',
            "ExecutionId": "",
            "Progress": 0,
            "TaskStatus": "CREATED",
            "ErrorMessage": "",
        }
    },
)

BDRC_TASK = Action(
    api="bdrc.task",
    cloud="alibaba",
    service="bdrc",
    version="2023-08-08",
    name="DescribeTask",
    methods=("GET",),
    path="/api/v1/tasks/{TaskId}",
    parameters=(Parameter("TaskId", ("path",)),),
    answer=answer_task,
    not_found=TASK_ID_NOT_FOUND,
    task=_BDRC_SHAPE,
)

BDRC_TASK_LIST = Action(
    api="bdrc.task_list",
    cloud="alibaba",
    service="bdrc",
    version="2023-08-08",
    name="DescribeTasks",
    methods=("GET",),
    path="/api/v1/tasks",
    parameters=tuple(
        Parameter(name, ("query",), required=False) for name in ("MaxResults", "NextToken", "TaskStatus", "TaskType")
    ),
    answer=describe_tasks,
    task=replace(_BDRC_SHAPE, task_at=(), example=_BDRC_SHAPE.example["Data"]),
)

WEDATA_TASK = Action(
    api="wedata.task",
    cloud="tencent",
    service="wedata",
    version="2025-08-06",
    name="GetTask",
    needs_region=True,
    parameters=(Parameter("ProjectId", ("json", "query")), Parameter("TaskId", ("json", "query"))),
    answer=answer_task,
    not_found=_RESOURCE_NOT_FOUND,
    task=TaskShape(
        task_at=("Data", "TaskBaseAttribute"),
        parts_at=("Data",),
        id_at="TaskId",
        status_at="Status",
        scope=("ProjectId",),
        stamps=(
            Stamp("CreateTime", "created", beijing_time),
            Stamp("LastUpdateTime", "entered", beijing_time),
        ),
        example={
            "Data": {
                "TaskBaseAttribute": {
                    "CreateUserUin": "100000000001",
                    "LastOpsTime": None,
                    "LastOpsUserName": None,
                    "LastUpdateUserName": "emulator",
                    "OwnerUin": "100000000001",
                    "Status": "N",
                    "Submit": False,
                    "TaskDescription": "",
                    "TaskId": "20250908225847483",
                    "TaskLatestSubmitVersionNo": None,
                    "TaskLatestVersionNo": "V1",
                    "TaskName": "emulated_task",
                    "TaskTypeId": 35,
                    "UpdateUserUin": "100000000001",
                    "WorkflowId": "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b",
                    "WorkflowName": "emulated_workflow",
                },
                "TaskConfiguration": {
                    "BrokerIp": "any",
                    "BundleId": None,
                    "BundleInfo": None,
                    "CodeContent": "ZWNobyBlbXVsYXRlZAo=",
                    "DataCluster": "",
                    "ResourceGroup": "20240416215649571819",
                    "ResourceGroupName": None,
                    "SourceServiceId": None,
                    "SourceServiceName": None,
                    "SourceServiceType": None,
                    "TargetServiceId": None,
                    "TargetServiceName": None,
                    "TargetServiceType": None,
                    "TaskExtConfigurationList": [
                        {"ParamKey": "calendar_open", "ParamValue": "0"},
                        {"ParamKey": "extraInfo", "ParamValue": '{"fromMapping":false}'},
                    ],
                    "TaskSchedulingParameterList": [],
                    "YarnQueue": None,
                },
                "TaskSchedulerConfiguration": {
                    "AllowRedoType": "ALL",
                    "CalendarId": "",
                    "CalendarName": "",
                    "CalendarOpen": "0",
                    "CrontabExpression": "0 0 0 * * ? *",
                    "CycleType": "DAY_CYCLE",
                    "DownStreamDependencyConfigList": [],
                    "EndTime": "2099-12-31 23:59:59",
                    "EventListenerList": [],
                    "ExecutionEndTime": "23:59",
                    "ExecutionStartTime": "00:00",
                    "ExecutionTTL": -1,
                    "InitStrategy": "T_PLUS_0",
                    "MaxRetryAttempts": 4,
                    "ParamTaskInList": [],
                    "ParamTaskOutList": [],
                    "RetryWait": 5,
                    "RunPriority": 6,
                    "ScheduleRunType": 0,
                    "ScheduleTimeZone": "UTC+8",
                    "SelfDepend": "serial",
                    "StartTime": "2024-12-04 00:00:00",
                    "TaskOutputRegistryList": None,
                    "UpstreamDependencyConfigList": [],
                    "WaitExecutionTotalTTL": "-1",
                },
            }
        },
    ),
)

LKE_TASK = Action(
    api="lke.task",
    cloud="tencent",
    service="lke",
    version="2023-11-30",
    name="GetTaskStatus",
    needs_region=True,
    parameters=(
        Parameter("TaskId", ("json", "query")),
        Parameter("TaskType", ("json", "query")),
        Parameter("BotBizId", ("json", "query")),
    ),
    answer=answer_task,
    not_found=_RESOURCE_NOT_FOUND,
    task=TaskShape(
        task_at=(),
        id_at="TaskId",
        status_at="Status",
        scope=("TaskType", "BotBizId"),
        example={
            "Message": "",
            "Params": {"CosPath": ""},
            "Status": "PENDING",
            "TaskId": "8",
            "TaskType": "ModifyAttributeLabel",
        },
    ),
)

TASK_ACTIONS: tuple[Action, ...] = (
    *(BPSTUDIO_TASK, BDRC_TASK, *ice_actions.ICE_READS, WEDATA_TASK, LKE_TASK),
    *wedata_runs.RUN_READS,
    *(TASK_INSTANCE, ASYNC_JOB, SQL_RUN, BACKFILL),
)
OTHER_ACTIONS: tuple[Action, ...] = (
    *(BDRC_TASK_LIST, *ice_actions.ICE_ACTIONS),
    *(*wedata_runs.RUN_ACTIONS, *INSTANCE_ACTIONS, *SQL_ACTIONS, *BACKFILL_ACTIONS),
)
ACTIONS: tuple[Action, ...] = (*TASK_ACTIONS, *OTHER_ACTIONS, *STS_ACTIONS)
ACTIONS_BY_API: dict[str, Action] = {action.api: action for action in TASK_ACTIONS}
