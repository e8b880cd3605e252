"""Tencent Cloud WeData."""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

WEDATA = Service(cloud="tencent", name="wedata", version="2025-08-06", title="WeData")

# Source: cloud.tencent.com, WeData 2025-08-06, GetTask, and the data type TaskBaseAttribute of the vendor's SDK.
# The status is a design-time one: the publication of the task, not a run of it. Times are in UTC+8.
WEDATA_TASK = TaskApi(
    name="wedata.task",
    service=WEDATA,
    read=Action(name="GetTask", params=("ProjectId", "TaskId"), requests_per_second=20),
    task="Data",
    status="TaskBaseAttribute.Status",
    states={
        "N": TaskState.PENDING,  # new
        "Y": TaskState.SUCCEEDED,  # published, and being scheduled
        "O": TaskState.RUNNING,  # paused
        "T": TaskState.RUNNING,  # going offline
        "F": TaskState.FAILED,  # offline
        "INVALID": TaskState.FAILED,
    },
    id="TaskBaseAttribute.TaskId",
    task_name="TaskBaseAttribute.TaskName",
    created_at="TaskBaseAttribute.CreateTime",
)
