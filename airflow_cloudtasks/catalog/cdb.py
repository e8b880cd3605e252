"""Tencent Cloud TencentDB for MySQL.

An asynchronous request is what an action on an instance starts that takes a while, such as a rollback, an import or an
upgrade: the action answers an `AsyncRequestId`. None can be canceled here.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TencentDB for MySQL 2017-03-20 that the vendor's tccli ships.
CDB = Service(
    cloud="tencent",
    name="cdb",
    version="2017-03-20",
    title="TencentDB for MySQL",
    console="https://console.cloud.tencent.com/mysql",
    console_intl="https://console.tencentcloud.com/mysql",
)

# PAUSED is being terminated, by the definition; UNDEFINED waits for its maintenance window.
CDB_ASYNC_REQUEST = TaskApi(
    name="cdb.async_request",
    service=CDB,
    read=Action(name="DescribeAsyncRequestInfo", params=("AsyncRequestId",)),
    id_param="AsyncRequestId",
    states={
        "INITIAL": TaskState.PENDING,
        "UNDEFINED": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "PAUSED": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "KILLED": TaskState.CANCELED,
        "REMOVED": TaskState.CANCELED,
    },
    message="Info",
)
