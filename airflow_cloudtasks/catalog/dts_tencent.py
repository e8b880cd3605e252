"""Tencent Cloud DTS (Data Transmission Service).

A migration copies a database and then its changes, until it is completed. A synchronisation copies changes until it is
stopped, and has no status of a success. A comparison checks that both ends of a migration hold the same data.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Failure, Find, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of DTS 2021-12-06 that the vendor's tccli ships.
DTS = Service(
    cloud="tencent",
    name="dts",
    version="2021-12-06",
    title="DTS",
    console="https://console.cloud.tencent.com/dts",
    console_intl="https://console.tencentcloud.com/dts",
)

# readyComplete copies changes until CompleteMigrateJob is called. resumableErr is tried again.
DTS_MIGRATE_JOB = TaskApi(
    name="dts.migrate_job",
    service=DTS,
    read=Action(name="DescribeMigrationJobs", params=("JobId",)),
    id_param="JobId",
    task="JobList.0",
    states={
        "creating": TaskState.PENDING,
        "created": TaskState.PENDING,
        "checking": TaskState.PENDING,
        "checkPass": TaskState.PENDING,
        "checkNotPass": TaskState.FAILED,
        "readyRun": TaskState.PENDING,
        "running": TaskState.RUNNING,
        "readyComplete": TaskState.RUNNING,
        "completing": TaskState.RUNNING,
        "stopping": TaskState.RUNNING,
        "pausing": TaskState.RUNNING,
        "manualPaused": TaskState.RUNNING,
        "resumableErr": TaskState.RUNNING,
        "resuming": TaskState.RUNNING,
        "unknown": TaskState.RUNNING,
        "success": TaskState.SUCCEEDED,
        "failed": TaskState.FAILED,
        "error": TaskState.FAILED,
        "canceled": TaskState.CANCELED,
    },
    id="JobId",
    task_name="JobName",
    message="BriefMsg",
    created_at="CreateTime",
    started_at="StartTime",
    finished_at="EndTime",
    restarts=True,
    list_tasks=TaskList(
        action=Action(name="DescribeMigrationJobs"),
        tasks="JobList",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    starts=(
        Start(
            action=Action(name="StartMigrateJob", params=("JobId",)),
            ids_param="JobId",
            encodings={"JobId": "id"},
        ),
    ),
    cancel=Cancel(action=Action(name="StopMigrateJob", params=("JobId",)), id_param="JobId"),
    parts=Parts(
        at="StepInfo.StepInfo",
        failed=("failed",),
        name=("StepName", "StepId"),
        message=("StepMessage", "Errors.0.Message"),
    ),
)

# A job copies changes until it is stopped. ResumableErr is tried again.
DTS_SYNC_JOB = TaskApi(
    name="dts.sync_job",
    service=DTS,
    read=Action(name="DescribeSyncJobs", params=("JobId",)),
    id_param="JobId",
    task="JobList.0",
    states={
        "UnInitialized": TaskState.PENDING,
        "Initialized": TaskState.PENDING,
        "Checking": TaskState.PENDING,
        "CheckPass": TaskState.PENDING,
        "CheckNotPass": TaskState.FAILED,
        "ReadyRunning": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Pausing": TaskState.RUNNING,
        "Paused": TaskState.RUNNING,
        "Stopping": TaskState.RUNNING,
        "ResumableErr": TaskState.RUNNING,
        "Resuming": TaskState.RUNNING,
        "Resetting": TaskState.RUNNING,
        "Unknown": TaskState.RUNNING,
        "Stopped": TaskState.CANCELED,
        "Released": TaskState.CANCELED,
        "Failed": TaskState.FAILED,
    },
    id="JobId",
    task_name="JobName",
    message="Detail.ErrInfo.Message",
    created_at="CreateTime",
    started_at="StartTime",
    finished_at="EndTime",
    restarts=True,
    list_tasks=TaskList(
        action=Action(name="DescribeSyncJobs"),
        tasks="JobList",
        page_size_param="Limit",
        page_size=100,
        offset_param="Offset",
        total="TotalCount",
    ),
    starts=(
        Start(
            action=Action(name="StartSyncJob", params=("JobId",)),
            ids_param="JobId",
            encodings={"JobId": "id"},
        ),
    ),
    cancel=Cancel(action=Action(name="StopSyncJob", params=("JobId",)), id_param="JobId"),
    parts=Parts(at="Detail.StepInfos", failed=("failed",), name=("StepName", "StepId"), message=("Errors.0.Message",)),
)

# The definition says no largest size of a page; 20 is the default.
_COMPARISONS = TaskList(
    action=Action(name="DescribeCompareTasks", params=("JobId",)),
    tasks="Items",
    page_size_param="Limit",
    page_size=20,
    offset_param="Offset",
    total="TotalCount",
)

# A comparison that finds a difference has ended well, and the data has not passed.
DTS_COMPARE_TASK = TaskApi(
    name="dts.compare_task",
    service=DTS,
    read=Action(name="DescribeCompareTasks", params=("CompareTaskId", "JobId")),
    id_param="CompareTaskId",
    task="Items.0",
    states={
        "created": TaskState.PENDING,
        "readyRun": TaskState.PENDING,
        "running": TaskState.RUNNING,
        "stopping": TaskState.RUNNING,
        "success": TaskState.SUCCEEDED,
        "failed": TaskState.FAILED,
        "canceled": TaskState.CANCELED,
    },
    failures=(Failure(path="Conclusion", values=("different",)),),
    id="CompareTaskId",
    task_name="TaskName",
    message="Message",
    created_at="CreatedAt",
    started_at="StartedAt",
    finished_at="FinishedAt",
    restarts=True,
    list_tasks=_COMPARISONS,
    starts=(
        Start(
            action=Action(
                name="CreateCompareTask",
                params=("JobId",),
                optional=("TaskName", "ObjectMode", "Objects", "Options"),
            ),
            id="CompareTaskId",
            encodings={"Objects": "object", "Options": "object"},
            then=Action(name="StartCompare", params=("JobId", "CompareTaskId")),
            find=Find(tasks=_COMPARISONS, id="CompareTaskId", created_at="CreatedAt", shows={"TaskName": "TaskName"}),
        ),
        Start(
            action=Action(name="StartCompare", params=("JobId", "CompareTaskId")),
            ids_param="CompareTaskId",
            encodings={"CompareTaskId": "id"},
        ),
    ),
    cancel=Cancel(action=Action(name="StopCompare", params=("CompareTaskId", "JobId")), id_param="CompareTaskId"),
    parts=Parts(
        at="CompareProcess.Steps",
        failed=("failed",),
        name=("StepName", "StepId"),
        message=("StepMessage", "Errors.0.Message"),
    ),
)
