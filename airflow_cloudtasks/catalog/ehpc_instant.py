"""Alibaba Cloud E-HPC Instant.

A job runs one program, or an array of programs, on machines that exist as long as it runs.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, ManyIds, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the vendor's package alibabacloud-ehpcinstant20230701, its client and its models.
EHPC_INSTANT = Service(
    cloud="alibaba",
    name="ehpcinstant",
    version="2023-07-01",
    title="E-HPC Instant",
    console="https://ehpc.console.aliyun.com/",
)

_JOBS = TaskList(
    action=Action(name="ListJobs", params_in="query"),
    tasks="JobList",
    page_size_param="PageSize",
    page_size=100,
    page_param="PageNumber",
    total="TotalCount",
    complete=False,
)

EHPC_INSTANT_JOB = TaskApi(
    name="ehpc_instant.job",
    service=EHPC_INSTANT,
    read=Action(name="GetJob", params=("JobId",), params_in="query"),
    id_param="JobId",
    task="JobInfo",
    states={
        "Pending": TaskState.PENDING,
        "Initing": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Retrying": TaskState.RUNNING,
        "Restarting": TaskState.RUNNING,
        "Suspended": TaskState.RUNNING,
        "Succeed": TaskState.SUCCEEDED,
        # In ListJobs.
        "Succeeded": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Exception": TaskState.FAILED,
        "Expired": TaskState.EXPIRED,
        "Deleted": TaskState.CANCELED,
    },
    id="JobId",
    task_name="JobName",
    created_at="CreateTime",
    started_at="StartTime",
    finished_at="EndTime",
    list_tasks=_JOBS,
    # The model does not limit the ids; 100 of them fit on one page.
    read_many=ManyIds(
        action=Action(
            name="ListJobs",
            params=("Ids",),
            params_in="query",
            template={"Filter": {"JobIds": "{Ids:list}"}, "PageSize": 100},
            json_params=("Filter",),
        ),
        tasks="JobList",
        most=100,
        complete=False,
    ),
    starts=(
        Start(
            action=Action(
                name="CreateJob",
                params=("JobName", "Tasks"),
                optional=(
                    *("DependencyPolicy", "DeploymentPolicy", "JobDescription", "JobScheduler", "JobTemplateId"),
                    "SecurityPolicy",
                ),
                params_in="query",
            ),
            id="JobId",
            encodings={
                "Tasks": "json",
                "DependencyPolicy": "json",
                "DeploymentPolicy": "json",
                "JobTemplateId": "id",
                "SecurityPolicy": "json",
            },
            find=Find(tasks=_JOBS, id="JobId", created_at="CreateTime", shows={"JobName": "JobName"}),
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="DeleteJobs",
            params=("JobId",),
            params_in="query",
            template={"JobSpec": [{"JobId": "{JobId}"}]},
            json_params=("JobSpec",),
        ),
        id_param="JobId",
    ),
    # The model allows one task only.
    parts=Parts(
        at="Tasks.0.ExecutorStatus",
        failed=("Failed", "Exception", "Expired"),
        name=("ArrayId",),
        message=("StatusReason",),
    ),
)
