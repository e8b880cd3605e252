"""Tencent Cloud LKE (Large Model Knowledge Engine)."""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source: cloud.tencent.com and tencentcloud.com, LKE, GetTaskStatus. The international site serves ap-jakarta only.
LKE = Service(cloud="tencent", name="lke", version="2023-11-30", title="LKE")

# Source: the same page; cloud.tencent.com/document/product/1759/105096 has the statuses, and that they may be null.
LKE_TASK = TaskApi(
    name="lke.task",
    service=LKE,
    read=Action(name="GetTaskStatus", params=("TaskId", "TaskType", "BotBizId"), requests_per_second=20),
    states={
        "PENDING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
    },
    id="TaskId",
    message="Message",
)
