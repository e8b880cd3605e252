"""Tencent Cloud TI-ONE.

A training task trains a model on machines of TI-ONE.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, Log, ManyIds, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of TI-ONE 2021-11-11 that the vendor's tccli ships.
TIONE = Service(
    cloud="tencent",
    name="tione",
    version="2021-11-11",
    title="TI-ONE",
    console="https://console.cloud.tencent.com/tione",
    console_intl="https://console.tencentcloud.com/tione",
)

# Newest first, so that a look-up need not read it to its end. The largest page has 50 tasks.
_NEWEST_TASKS = TaskList(
    action=Action(
        name="DescribeTrainingTasks",
        optional=("TiProjectId",),
        template={"OrderField": "CreateTime", "Order": "DESC"},
    ),
    tasks="TrainingTaskSet",
    page_size_param="Limit",
    page_size=50,
    offset_param="Offset",
    total="TotalCount",
)

TIONE_TRAINING_TASK = TaskApi(
    name="tione.training_task",
    service=TIONE,
    read=Action(name="DescribeTrainingTask", params=("Id",), optional=("TiProjectId",)),
    id_param="Id",
    task="TrainingTaskDetail",
    states={
        "SUBMITTING": TaskState.PENDING,
        "PENDING": TaskState.PENDING,
        "STARTING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "STOPPING": TaskState.RUNNING,
        "STOPPED": TaskState.CANCELED,
        "SUCCEED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "SUBMIT_FAILED": TaskState.FAILED,
    },
    id="Id",
    task_name="Name",
    message="FailureReason",
    created_at="CreateTime",
    started_at="StartTime",
    finished_at="EndTime",
    # A listed task has not all fields of a single one.
    list_tasks=TaskList(
        action=Action(name="DescribeTrainingTasks", optional=("TiProjectId",)),
        tasks="TrainingTaskSet",
        page_size_param="Limit",
        page_size=50,
        offset_param="Offset",
        total="TotalCount",
        complete=False,
    ),
    # The definition does not limit the ids; 50 of them fit on one page.
    read_many=ManyIds(
        action=Action(
            name="DescribeTrainingTasks",
            params=("Ids",),
            optional=("TiProjectId",),
            template={"Filters": [{"Name": "Id", "Values": "{Ids:list}"}], "Limit": 50},
        ),
        tasks="TrainingTaskSet",
        most=50,
        complete=False,
    ),
    starts=(
        Start(
            action=Action(
                name="CreateTrainingTask",
                params=("Name", "ChargeType", "ResourceConfigInfos"),
                optional=(
                    "TiProjectId",
                    "FrameworkName",
                    "FrameworkVersion",
                    "FrameworkEnvironment",
                    "ResourceGroupId",
                    "Tags",
                    "ImageInfo",
                    "CodePackagePath",
                    "StartCmdInfo",
                    "TrainingMode",
                    "DataConfigs",
                    "VpcId",
                    "SubnetId",
                    "Output",
                    "LogConfig",
                    "TuningParameters",
                    "LogEnable",
                    "Remark",
                    "DataSource",
                    "CallbackUrl",
                    "EncodedStartCmdInfo",
                    "CodeRepos",
                    "ExposeNetworkConfig",
                    "Envs",
                    "TrainToolConfig",
                    "ResourceSupplyAttribute",
                    "Queues",
                ),
            ),
            id="Id",
            encodings={
                "ResourceConfigInfos": "object",
                "Tags": "object",
                "ImageInfo": "object",
                "CodePackagePath": "object",
                "StartCmdInfo": "object",
                "DataConfigs": "object",
                "Output": "object",
                "LogConfig": "object",
                "LogEnable": "boolean",
                "EncodedStartCmdInfo": "object",
                "CodeRepos": "object",
                "ExposeNetworkConfig": "object",
                "Envs": "object",
                "TrainToolConfig": "object",
                "ResourceSupplyAttribute": "object",
                "Queues": "list",
                "TiProjectId": "id",
            },
            find=Find(
                tasks=_NEWEST_TASKS,
                id="Id",
                created_at="CreateTime",
                shows={
                    "Name": "Name",
                    "ChargeType": "ChargeType",
                    "ResourceGroupId": "ResourceGroupId",
                    "FrameworkName": "FrameworkName",
                    "TrainingMode": "TrainingMode",
                },
                newest_first=True,
            ),
        ),
    ),
    cancel=Cancel(
        action=Action(name="StopTrainingTask", params=("Id",), optional=("TiProjectId",)),
        id_param="Id",
    ),
    # Without times, DescribeLogs reads the last hour.
    parts=Parts(
        failed=("FAILED", "SUBMIT_FAILED"),
        log=Log(
            action=Action(
                name="DescribeLogs",
                params=("ServiceId",),
                optional=("TiProjectId", "Context"),
                template={"Service": "TRAIN", "Order": "DESC", "Limit": 100},
            ),
            params={"ServiceId": "{LatestInstanceId}", "TiProjectId": "{TiProjectId}"},
            text="Content.*.Message",
            cursor="Context",
            cursor_param="Context",
            newest_first=True,
        ),
    ),
)
