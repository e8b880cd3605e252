"""Tencent Cloud CLS (Cloud Log Service).

A rebuild indexes the logs of a topic again.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Service, Start, TaskApi

# Source, for this file: the definitions and examples of CLS 2020-10-16 that the vendor's tccli ships.
CLS = Service(
    cloud="tencent",
    name="cls",
    version="2020-10-16",
    title="CLS",
    console="https://console.cloud.tencent.com/cls",
    console_intl="https://console.tencentcloud.com/cls",
)

# 6 is a success whose logs can be searched, 4 a pause. 9 is the end of a task whose index was deleted.
CLS_REBUILD_INDEX = TaskApi(
    name="cls.rebuild_index",
    service=CLS,
    read=Action(name="DescribeRebuildIndexTasks", params=("TopicId", "TaskId")),
    task="RebuildTasks.0",
    states={
        "0": TaskState.PENDING,
        "1": TaskState.PENDING,
        "2": TaskState.PENDING,
        "3": TaskState.RUNNING,
        "4": TaskState.RUNNING,
        "5": TaskState.SUCCEEDED,
        "6": TaskState.SUCCEEDED,
        "7": TaskState.FAILED,
        "8": TaskState.CANCELED,
        "9": TaskState.CANCELED,
    },
    id="TaskId",
    message="StatusMessage",
    progress="Progress",
    progress_whole=100,
    created_at="CreateTime",
    starts=(
        Start(
            action=Action(
                name="CreateRebuildIndexTask",
                params=("TopicId", "StartTime", "EndTime"),
                optional=(),
            ),
            id="TaskId",
            encodings={"StartTime": "integer", "EndTime": "integer"},
        ),
    ),
    cancel=Cancel(action=Action(name="CancelRebuildIndexTask", params=("TopicId", "TaskId"))),
)
