"""Tencent Cloud DLC (Data Lake Compute).

A task is one SQL statement or one run of a Spark application; a batch is the statements of one session; a notebook
statement is code that runs in a session of a notebook.
"""

from functools import partial

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import (
    Action,
    Cancel,
    Failure,
    Log,
    ManyIds,
    Parts,
    Results,
    Service,
    Sql,
    Start,
    TaskApi,
    TaskList,
)

DLC = Service(
    cloud="tencent",
    name="dlc",
    version="2021-01-25",
    title="DLC",
    console="https://console.cloud.tencent.com/dlc",
    console_intl="https://console.tencentcloud.com/dlc",
)

# As OpenLineage names the tables of such services: by the host that is asked.
_TABLES = "dlc://dlc.{region}.tencentcloudapi.com"

_start = partial(Start, key_and_value=("Key", "Value"))

# Source, here and below: the definitions and examples of DLC 2021-01-25 that the vendor's tccli ships; the
# answers' types name the statuses. No parameter identifies a request that is sent twice. The list has tasks of the last
# 45 days.
DLC_TASK = TaskApi(
    name="dlc.task",
    service=DLC,
    read=Action(
        name="DescribeTasks",
        params=("TaskId",),
        template={"Filters": [{"Name": "task-id", "Values": ["{TaskId}"]}]},
    ),
    task="TaskList.0",
    status="State",
    states={
        "0": TaskState.PENDING,  # initializing
        "4": TaskState.PENDING,  # queued
        "1": TaskState.RUNNING,
        "3": TaskState.RUNNING,  # writing its result
        "2": TaskState.SUCCEEDED,
        "-1": TaskState.FAILED,
        "-3": TaskState.CANCELED,
    },
    id="Id",
    task_name="SparkJobName",
    message="OutputMessage",
    progress="Percentage",
    progress_whole=100,
    created_at="CreateTime",
    finished_at="UpdateTime",
    list_tasks=TaskList(
        action=Action(name="DescribeTasks"),
        tasks="TaskList",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    # The definition allows 50 values of this filter.
    read_many=ManyIds(
        action=Action(
            name="DescribeTasks",
            params=("Ids",),
            template={"Filters": [{"Name": "task-id", "Values": "{Ids:list}"}], "Limit": 50},
        ),
        tasks="TaskList",
        most=50,
    ),
    starts=(
        _start(
            action=Action(
                name="CreateTask",
                params=("Task",),
                optional=(
                    *("DatabaseName", "DatasourceConnectionName", "DataEngineName", "ResourceGroupName", "SourceInfo"),
                ),
            ),
            id="TaskId",
            encodings={
                "Task": "object",
                "Task.SQLTask.SQL": "base64",
                "Task.SQLTask.Config": "pairs",
                "Task.SparkSQLTask.SQL": "base64",
                "Task.SparkSQLTask.Config": "pairs",
                "SourceInfo": "pairs",
            },
            sql=Sql(
                statement="Task.*.SQL",
                namespace=_TABLES,
                catalog="DatasourceConnectionName",
                database="DatabaseName",
            ),
        ),
        _start(
            action=Action(name="CreateSparkAppTask", params=("JobName",), optional=("CmdArgs", "SourceInfo")),
            id="TaskId",
            encodings={"SourceInfo": "pairs"},
        ),
    ),
    cancel=Cancel(action=Action(name="CancelTask", params=("TaskId",))),
    # The log of the Spark job that runs the task; newest lines first, unless the request says otherwise.
    parts=Parts(
        status="State",
        failed=("-1",),
        log=Log(
            action=Action(
                name="DescribeTaskLog",
                params=("TaskId", "StartTime", "EndTime"),
                optional=("Context",),
                template={"Limit": 100},
            ),
            params={"TaskId": "{TaskId}"},
            times=("StartTime", "EndTime"),
            text="Results.*.LogJson",
            cursor="Context",
            cursor_param="Context",
            newest_first=True,
        ),
    ),
    # The vendor keeps a result for 30 days, and cuts it off at about 50 MB.
    results=Results(
        action=Action(
            name="DescribeTaskResult",
            params=("TaskId",),
            optional=("NextToken", "MaxResults"),
        ),
        at="TaskInfo",
        status="State",
        columns="ResultSchema",
        column_name="Name",
        rows=("ResultSet", "ResultSetEncode"),
        page_size_param="MaxResults",
        page_size=1000,
        page_param="NextToken",
        next_page="TaskInfo.NextToken",
    ),
)

DLC_SPARK_BATCH_SQL = TaskApi(
    name="dlc.spark_batch_sql",
    service=DLC,
    read=Action(name="DescribeSparkSessionBatchSQL", params=("BatchId",)),
    id_param="BatchId",
    status="State",
    states={
        "0": TaskState.RUNNING,
        "1": TaskState.SUCCEEDED,
        "2": TaskState.FAILED,
        "3": TaskState.CANCELED,
        "4": TaskState.EXPIRED,
    },
    message="Event",
    starts=(
        _start(
            action=Action(
                name="CreateSparkSessionBatchSQL",
                params=("DataEngineName", "ExecuteSQL"),
                optional=(
                    *("DriverSize", "ExecutorSize", "ExecutorNumbers", "ExecutorMaxNumbers", "TimeoutInSecond"),
                    *("SessionId", "SessionName", "Arguments", "IsInherit", "CustomKey", "SourceInfo"),
                ),
            ),
            id="BatchId",
            encodings={
                "ExecuteSQL": "base64",
                "ExecutorNumbers": "integer",
                "ExecutorMaxNumbers": "integer",
                "TimeoutInSecond": "integer",
                "SessionId": "id",
                "Arguments": "pairs",
                "IsInherit": "integer",
                "SourceInfo": "pairs",
            },
            sql=Sql(statement="ExecuteSQL", namespace=_TABLES),
        ),
    ),
    cancel=Cancel(action=Action(name="CancelSparkSessionBatchSQL", params=("BatchId",)), id_param="BatchId"),
    parts=Parts(
        status="State",
        failed=("2",),
        log=Log(
            action=Action(name="DescribeSparkSessionBatchSqlLog", params=("BatchId",)),
            params={"BatchId": "{BatchId}"},
            text="LogSet.*.Message",
        ),
    ),
)

# A statement is available once it has run; whether it has worked is in its output.
DLC_NOTEBOOK_STATEMENT = TaskApi(
    name="dlc.notebook_statement",
    service=DLC,
    read=Action(name="DescribeNotebookSessionStatement", params=("SessionId", "StatementId")),
    id_param="StatementId",
    task="NotebookSessionStatement",
    status="State",
    states={
        "waiting": TaskState.PENDING,
        "running": TaskState.RUNNING,
        "cancelling": TaskState.RUNNING,
        "available": TaskState.SUCCEEDED,
        "error": TaskState.FAILED,
        "cancelled": TaskState.CANCELED,
    },
    failures=(Failure(path="OutPut.Status", values=("error",)),),
    id="StatementId",
    message="OutPut.ErrorName",
    progress="Progress",
    progress_whole=100,
    started_at="Started",
    finished_at="Completed",
    starts=(
        Start(
            action=Action(name="CreateNotebookSessionStatement", params=("SessionId", "Code", "Kind")),
            id="NotebookSessionStatement.StatementId",
        ),
    ),
    cancel=Cancel(
        action=Action(name="CancelNotebookSessionStatement", params=("SessionId", "StatementId")),
        id_param="StatementId",
    ),
    # The log of the whole session, of which the vendor returns the last 200 lines.
    parts=Parts(
        status="State",
        failed=("error", "available"),
        log=Log(
            action=Action(name="DescribeNotebookSessionLog", params=("SessionId",)),
            params={"SessionId": "{SessionId}"},
            text="Logs.*",
        ),
    ),
)
