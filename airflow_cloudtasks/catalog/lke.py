"""Tencent Cloud LKE (Large Model Knowledge Engine).

A task changes a label of an application's documents and questions everywhere, or exports labels into a file. LKE cannot
cancel a task.
"""

from functools import partial

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi

# Source: cloud.tencent.com and tencentcloud.com, LKE, GetTaskStatus. The international site has ap-jakarta only.
LKE = Service(
    cloud="tencent",
    name="lke",
    version="2023-11-30",
    title="LKE",
    console="https://console.cloud.tencent.com/lke",
    console_intl="https://console.tencentcloud.com/lke",
)

# Source: the pages of LKE's actions: an account may call each of them 20 times a second.
_action = partial(Action, requests_per_second=20)

# Source: the same page; cloud.tencent.com/document/product/1759/105096 lists the statuses, which may be null.
LKE_TASK = TaskApi(
    name="lke.task",
    service=LKE,
    read=_action(name="GetTaskStatus", params=("TaskId", "TaskType", "BotBizId")),
    states={
        "PENDING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
    },
    id="TaskId",
    message="Message",
    # Source: the definitions of LKE 2023-11-30 that the vendor's tccli ships. The type of a task is the name of the
    # action that started it. No action cancels a task or lists tasks, and no parameter identifies a request that is
    # sent twice.
    starts=(
        Start(
            action=_action(
                name="ModifyAttributeLabel",
                params=("BotBizId", "AttributeBizId", "AttrName"),
                optional=("AttrKey", "LoginUin", "LoginSubAccountUin", "DeleteLabelBizIds", "Labels"),
            ),
            id="TaskId",
            names={"TaskType": "ModifyAttributeLabel"},
            encodings={
                "AttributeBizId": "id",
                "LoginUin": "id",
                "LoginSubAccountUin": "id",
                "DeleteLabelBizIds": "ids",
                "Labels": "list",
                "Labels.LabelBizId": "id",
            },
        ),
        Start(
            action=_action(
                name="ExportAttributeLabel",
                params=("BotBizId",),
                optional=("AttributeBizIds", "Filters", "LoginUin", "LoginSubAccountUin"),
            ),
            id="TaskId",
            names={"TaskType": "ExportAttributeLabel"},
            encodings={"AttributeBizIds": "ids", "LoginUin": "id", "LoginSubAccountUin": "id"},
        ),
    ),
)
