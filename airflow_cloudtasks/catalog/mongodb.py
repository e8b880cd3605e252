"""Tencent Cloud TencentDB for MongoDB.

An asynchronous request is what an action on an instance starts that takes a while, such as a backup: the action answers
an `AsyncRequestId`. None can be canceled here.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TencentDB for MongoDB 2019-07-25 that the vendor's tccli ships.
MONGODB = Service(
    cloud="tencent",
    name="mongodb",
    version="2019-07-25",
    title="TencentDB for MongoDB",
    console="https://console.cloud.tencent.com/mongodb",
    console_intl="https://console.tencentcloud.com/mongodb",
)

# By the definition, a paused request has failed and was paused, and an undoed one has failed and was rolled back.
MONGODB_ASYNC_REQUEST = TaskApi(
    name="mongodb.async_request",
    service=MONGODB,
    read=Action(name="DescribeAsyncRequestInfo", params=("AsyncRequestId",)),
    id_param="AsyncRequestId",
    states={
        "initial": TaskState.PENDING,
        "running": TaskState.RUNNING,
        "paused": TaskState.FAILED,
        "undoed": TaskState.FAILED,
        "failed": TaskState.FAILED,
        "success": TaskState.SUCCEEDED,
    },
    started_at="StartTime",
    finished_at="EndTime",
)
