"""Tencent Cloud VOD (Video on Demand).

A task processes media of an application: it transcodes, reviews, analyses, edits or publishes them.
"""

from dataclasses import replace

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Failure, Feed, Find, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of VOD 2018-07-17 that the vendor's tccli ships.
VOD = Service(
    cloud="tencent",
    name="vod",
    version="2018-07-17",
    title="VOD",
    console="https://console.cloud.tencent.com/vod",
    console_intl="https://console.tencentcloud.com/vod",
)

# A task is finished whatever has happened to its parts, which are nested differently in each type of task: a part has a
# Status, or the whole has an ErrCode that is not 0.
_FAILURES = (
    Failure(path="*.ErrCode"),
    Failure(path="*.*.Status", values=("FAIL",)),
    Failure(path="*.*.*.Status", values=("FAIL",)),
    Failure(path="*.*.*.*.Status", values=("FAIL",)),
    Failure(path="*.*.*.*.*.Status", values=("FAIL",)),
)

# The tasks of the last three days. They hold no parts, and the list cannot show a failure.
_NEWEST_TASKS = TaskList(
    action=Action(
        name="DescribeTasks",
        optional=("SubAppId",),
        template={"SubAppId": "{SubAppId:integer}", "Sort": {"Field": "CreateTime", "Order": "Desc"}},
    ),
    tasks="TaskSet",
    page_size_param="Limit",
    page_size=100,
    page_param="ScrollToken",
    next_page="ScrollToken",
)

VOD_TASK = TaskApi(
    name="vod.task",
    service=VOD,
    read=Action(
        name="DescribeTaskDetail",
        params=("TaskId",),
        optional=("SubAppId",),
        template={"TaskId": "{TaskId}", "SubAppId": "{SubAppId:integer}"},
    ),
    states={
        "WAITING": TaskState.PENDING,
        "PROCESSING": TaskState.RUNNING,
        "FINISH": TaskState.SUCCEEDED,
        "ABORTED": TaskState.CANCELED,
    },
    failures=_FAILURES,
    created_at="CreateTime",
    started_at="BeginProcessTime",
    finished_at="FinishTime",
    feed=Feed(
        tasks=replace(
            _NEWEST_TASKS,
            action=replace(
                _NEWEST_TASKS.action,
                template={"SubAppId": "{SubAppId:integer}", "Sort": {"Field": "FinishTime", "Order": "Desc"}},
            ),
            complete=False,
        ),
        id="TaskId",
    ),
    starts=(
        Start(
            action=Action(
                name="ProcessMedia",
                params=(),
                optional=(
                    "FileId",
                    "MediaStoragePath",
                    "SubAppId",
                    "MediaProcessTask",
                    "AiContentReviewTask",
                    "AiAnalysisTask",
                    "AiRecognitionTask",
                    "TasksPriority",
                    "TasksNotifyMode",
                    "SessionContext",
                    "SessionId",
                    "ExtInfo",
                    "Url",
                    "OutputAsIndependentMedia",
                ),
            ),
            id="TaskId",
            encodings={
                "SubAppId": "integer",
                "MediaProcessTask": "object",
                "AiContentReviewTask": "object",
                "AiAnalysisTask": "object",
                "AiRecognitionTask": "object",
                "TasksPriority": "integer",
                "SessionContext": "json",
            },
            # VOD passes it on to callbacks and shows it in the list. The definition allows 1,000 characters.
            mark="SessionContext",
            mark_bytes=1000,
            find=Find(
                tasks=_NEWEST_TASKS,
                id="TaskId",
                created_at="CreateTime",
                shows={"FileId": "FileId", "SessionId": "SessionId", "SessionContext": "SessionContext"},
                newest_first=True,
            ),
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="ManageTask",
            params=("TaskId",),
            optional=("SubAppId",),
            template={"OperationType": "Abort", "SubAppId": "{SubAppId:integer}"},
        ),
    ),
    parts=Parts(at="*.*.*", failed=("FAIL",), message=("Message", "ErrCodeExt")),
)
