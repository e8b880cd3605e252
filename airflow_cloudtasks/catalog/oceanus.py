"""Tencent Cloud Oceanus (Stream Compute Service).

A job runs a Flink program, again and again. It has no status of a success: 5 is every stop but a fault. Pass
`success_statuses=["5"]` for a program that ends by itself, or `success_statuses=["4"]` to wait until the job runs.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of Oceanus 2019-04-22 that the vendor's tccli ships.
OCEANUS = Service(
    cloud="tencent",
    name="oceanus",
    version="2019-04-22",
    title="Oceanus",
    console="https://console.cloud.tencent.com/oceanus",
    console_intl="https://console.tencentcloud.com/oceanus",
)

# 1 and 2 have never run; 3 is starting or stopping. 6 is stopped with a snapshot, from which the job can be resumed.
OCEANUS_JOB = TaskApi(
    name="oceanus.job",
    service=OCEANUS,
    read=Action(
        name="DescribeJobs",
        params=("JobId",),
        optional=("WorkSpaceId",),
        template={"JobIds": ["{JobId}"]},
    ),
    id_param="JobId",
    task="JobSet.0",
    states={
        "1": TaskState.PENDING,
        "2": TaskState.PENDING,
        "3": TaskState.PENDING,
        "4": TaskState.RUNNING,
        "5": TaskState.CANCELED,
        "6": TaskState.CANCELED,
        "-1": TaskState.FAILED,
    },
    id="JobId",
    task_name="Name",
    message="LastOpResult",
    created_at="CreateTime",
    started_at="StartTime",
    # The time of its last change: the StopTime of a job that runs is no end, and a fault need not be a stop.
    finished_at="UpdateTime",
    restarts=True,
    list_tasks=TaskList(
        action=Action(name="DescribeJobs", optional=("WorkSpaceId",)),
        tasks="JobSet",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    # RunType 1 starts a job, 2 resumes it. One request could start 20 jobs, and would not say which of them it refused.
    starts=(
        Start(
            action=Action(
                name="RunJobs",
                params=("JobId", "RunType"),
                optional=(
                    "WorkSpaceId",
                    "StartMode",
                    "JobConfigVersion",
                    "SavepointPath",
                    "SavepointId",
                    "UseOldSystemConnector",
                    "CustomTimestamp",
                    "KafkaScanMode",
                ),
                template={
                    "RunJobDescriptions": [
                        {
                            "JobId": "{JobId}",
                            "RunType": "{RunType:integer}",
                            "StartMode": "{StartMode}",
                            "JobConfigVersion": "{JobConfigVersion:integer}",
                            "SavepointPath": "{SavepointPath}",
                            "SavepointId": "{SavepointId}",
                            "UseOldSystemConnector": "{UseOldSystemConnector}",
                            "CustomTimestamp": "{CustomTimestamp:integer}",
                            "KafkaScanMode": "{KafkaScanMode}",
                        }
                    ]
                },
            ),
            ids_param="JobId",
            encodings={"JobId": "id", "UseOldSystemConnector": "boolean"},
        ),
    ),
    # StopType 2 would stop the job with a snapshot.
    cancel=Cancel(
        action=Action(
            name="StopJobs",
            params=("JobId",),
            optional=("WorkSpaceId",),
            template={"StopJobDescriptions": [{"JobId": "{JobId}", "StopType": 1}]},
        ),
        id_param="JobId",
    ),
)
