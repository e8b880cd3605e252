"""Tencent Cloud CLS (Cloud Log Service).

A rebuild indexes the logs of a topic again. An export writes logs to a file, which can be downloaded for three days.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Service, Start, TaskApi, TaskList

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

_EXPORTS = Action(name="DescribeExports", params=("TopicId",))

# No action reads one export. The vendor's Terraform provider finds it in this list, too, by the id from CreateExport.
# DeleteExport is no cancel: nothing says that it stops an export that runs.
CLS_EXPORT = TaskApi(
    name="cls.export",
    service=CLS,
    read=_EXPORTS,
    id_param="ExportId",
    states={
        "Queuing": TaskState.PENDING,
        "Processing": TaskState.RUNNING,
        "Completed": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Expired": TaskState.EXPIRED,
    },
    id="ExportId",
    task_name="FileName",
    created_at="CreateTime",
    list_tasks=TaskList(
        action=_EXPORTS,
        tasks="Exports",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    find_in_list=True,
    starts=(
        Start(
            action=Action(
                name="CreateExport",
                params=("TopicId", "Count", "Query", "From", "To"),
                optional=("Order", "Format", "SyntaxRule", "DerivedFields"),
            ),
            id="ExportId",
            encodings={"Count": "integer", "From": "integer", "To": "integer", "SyntaxRule": "integer"},
        ),
    ),
)
