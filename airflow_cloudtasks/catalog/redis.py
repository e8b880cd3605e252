"""Tencent Cloud TencentDB for Redis.

A task is what an action on an instance starts that takes a while, such as a backup, an upgrade or another size.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TencentDB for Redis 2018-04-12 that the vendor's tccli ships.
REDIS = Service(
    cloud="tencent",
    name="redis",
    version="2018-04-12",
    title="TencentDB for Redis",
    console="https://console.cloud.tencent.com/redis",
    console_intl="https://console.tencentcloud.com/redis",
)

REDIS_TASK = TaskApi(
    name="redis.task",
    service=REDIS,
    read=Action(name="DescribeTaskInfo", params=("TaskId",), template={"TaskId": "{TaskId:integer}"}),
    id_param="TaskId",
    states={
        "preparing": TaskState.PENDING,
        "running": TaskState.RUNNING,
        "succeed": TaskState.SUCCEEDED,
        "failed": TaskState.FAILED,
        "error": TaskState.FAILED,
    },
    task_name="TaskType",
    message="TaskMessage",
    started_at="StartTime",
)
