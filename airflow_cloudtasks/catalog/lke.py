"""Tencent Cloud LKE (Large Model Knowledge Engine)."""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source: cloud.tencent.com and tencentcloud.com, LKE, GetTaskStatus. The international site serves ap-jakarta only.
LKE = Service(
    cloud="tencent",
    name="lke",
    version="2023-11-30",
    title="LKE",
    console="https://console.cloud.tencent.com/lke",
    console_intl="https://console.tencentcloud.com/lke",
)

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
    # Source: the definitions of LKE 2023-11-30 that the vendor's tccli ships. The type of a task is the name of the
    # action that started it. Nothing cancels a task, lists tasks, or tells a request that comes twice.
    starts=(
        Start(
            action=Action(
                name="ModifyAttributeLabel",
                params=("BotBizId", "AttributeBizId", "AttrName"),
                optional=("AttrKey", "LoginUin", "LoginSubAccountUin", "DeleteLabelBizIds", "Labels"),
                requests_per_second=20,
            ),
            id="TaskId",
            names={"TaskType": "ModifyAttributeLabel"},
            encodings={"DeleteLabelBizIds": "list", "Labels": "list"},
        ),
        Start(
            action=Action(
                name="ExportAttributeLabel",
                params=("BotBizId",),
                optional=("AttributeBizIds", "Filters", "LoginUin", "LoginSubAccountUin"),
                requests_per_second=20,
            ),
            id="TaskId",
            names={"TaskType": "ExportAttributeLabel"},
            encodings={"AttributeBizIds": "list"},
        ),
    ),
)
