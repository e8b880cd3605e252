"""WeData's tasks at design time: their status is that of their publication, not of a run.

Source: WeData's document of GetTask, with values of our own.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.product import DEFINED
from airflow_cloudtasks.emulator.products.wedata.product import WEDATA
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

WEDATA.reads(
    "wedata.task",
    "GetTask",
    DEFINED,
    TaskShape(
        task_at=("Data", "TaskBaseAttribute"),
        parts_at=("Data",),
        id_at="TaskId",
        status_at="Status",
        scope=("ProjectId",),
        # New, paused, published, and taken offline. No request publishes a task here.
        script=(Step("N", 1), Step("O", 2), Step("Y")),
        failed=Step("F"),
        started=False,
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
