"""Tencent Cloud TencentDB for PostgreSQL.

A task is what an action on an instance starts that takes a while; other actions call its id a FlowId.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Feed, Service, TaskApi, TaskList

# Source, for this file: the definitions and examples of the product, 2017-03-12, that the vendor's tccli ships.
POSTGRES = Service(
    cloud="tencent",
    name="postgres",
    version="2017-03-12",
    title="TencentDB for PostgreSQL",
    console="https://console.cloud.tencent.com/postgres",
    console_intl="https://console.tencentcloud.com/postgres",
)

# No action reads one task; the list of one id holds everything. WaitSwitch waits for the time of maintenance.
POSTGRES_TASK = TaskApi(
    name="postgres.task",
    service=POSTGRES,
    read=Action(name="DescribeTasks", params=("TaskId",), template={"TaskId": "{TaskId:integer}"}),
    task="TaskSet.0",
    states={
        "Running": TaskState.RUNNING,
        "WaitSwitch": TaskState.RUNNING,
        "Pause": TaskState.RUNNING,
        "Success": TaskState.SUCCEEDED,
        "Fail": TaskState.FAILED,
    },
    id="TaskId",
    task_name="TaskType",
    progress="Progress",
    progress_whole=100,
    started_at="StartTime",
    finished_at="EndTime",
    list_tasks=TaskList(
        action=Action(name="DescribeTasks"),
        tasks="TaskSet",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    feed=Feed(
        tasks=TaskList(
            action=Action(name="DescribeTasks", template={"OrderBy": "EndTime", "OrderByType": "desc"}),
            tasks="TaskSet",
            page_size_param="Limit",
            page_size=100,
            offset_param="Offset",
            total="TotalCount",
        ),
    ),
)
