"""Tencent Cloud Batch (BatchCompute).

A job runs the tasks of a graph on instances that Batch creates for it. Terminating a job makes it end as FAILED.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, ManyIds, Parts, Service, Start, TaskApi, TaskList

# Source, for this file: the definitions and examples of Batch 2017-03-12 that the vendor's tccli ships.
BATCH = Service(
    cloud="tencent",
    name="batch",
    version="2017-03-12",
    title="Batch",
    console="https://console.cloud.tencent.com/batch",
    console_intl="https://console.tencentcloud.com/batch",
)

# A listed job has neither a StateReason nor its tasks.
_JOBS = TaskList(
    action=Action(name="DescribeJobs"),
    tasks="JobSet",
    page_size_param="Limit",
    page_size=100,
    offset_param="Offset",
    total="TotalCount",
    complete=False,
)

BATCH_JOB = TaskApi(
    name="batch.job",
    service=BATCH,
    read=Action(name="DescribeJob", params=("JobId",)),
    id_param="JobId",
    status="JobState",
    states={
        "SUBMITTED": TaskState.PENDING,
        "PENDING": TaskState.PENDING,
        "RUNNABLE": TaskState.PENDING,
        "STARTING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "SUCCEED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "FAILED_INTERRUPTED": TaskState.FAILED,
    },
    id="JobId",
    task_name="JobName",
    message="StateReason",
    created_at="CreateTime",
    finished_at="EndTime",
    list_tasks=_JOBS,
    # The definition does not limit the ids, but a page to 100 jobs.
    read_many=ManyIds(
        action=Action(name="DescribeJobs", params=("JobIds",), template={"Limit": 100}),
        tasks="JobSet",
        ids_param="JobIds",
        most=100,
        complete=False,
    ),
    starts=(
        Start(
            action=Action(name="SubmitJob", params=("Placement", "Job"), optional=("ClientToken",)),
            id="JobId",
            encodings={"Placement": "object", "Job": "object"},
            client_token="ClientToken",  # noqa: S106 - a parameter's name
        ),
    ),
    # A terminated job ends as FAILED.
    cancel=Cancel(action=Action(name="TerminateJob", params=("JobId",)), id_param="JobId"),
    parts=Parts(
        at="TaskSet",
        status="TaskState",
        failed=("FAILED", "FAILED_INTERRUPTED"),
        name=("TaskName",),
    ),
)
