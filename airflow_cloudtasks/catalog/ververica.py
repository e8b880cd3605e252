"""Alibaba Cloud Realtime Compute for Apache Flink.

A job runs a deployment once: a batch job ends by itself, a streaming job when it fails or is stopped. A savepoint keeps
the state of a deployment's job.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Find, Service, Start, Success, TaskApi, TaskList
from airflow_cloudtasks.spec.action import Place

# Source, for this file: the vendor's package alibabacloud-ververica20220718, its client and its models.
_OWN_HOSTS = (
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "cn-beijing",
    "cn-chengdu",
    "cn-hangzhou",
    "cn-hongkong",
    "cn-qingdao",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-wulanchabu",
    "cn-zhangjiakou",
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-west-1",
)

VERVERICA = Service(
    cloud="alibaba",
    name="ververica",
    version="2022-07-18",
    title="Realtime Compute for Apache Flink",
    region_hosts={region: f"ververica.{region}.aliyuncs.com" for region in _OWN_HOSTS},
    console="https://realtime-compute.console.aliyun.com/",
)

_NAMESPACE = "/api/v2/namespaces/{namespace}"
_WORKSPACE: dict[str, Place] = {"workspace": "header"}
# Failures come under HTTP 200.
_SUCCESS = Success("success", "errorCode", "errorMessage")

VERVERICA_JOB = TaskApi(
    name="ververica.job",
    service=VERVERICA,
    read=Action(
        name="GetJob",
        params=("workspace", "namespace", "jobId"),
        method="GET",
        path=f"{_NAMESPACE}/jobs/{{jobId}}",
        places=_WORKSPACE,
        success=_SUCCESS,
    ),
    id_param="jobId",
    task="data",
    status="status.currentJobStatus",
    states={
        "STARTING": TaskState.PENDING,
        "RUNNING": TaskState.RUNNING,
        "CANCELLING": TaskState.RUNNING,
        "FINISHED": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
        "CANCELLED": TaskState.CANCELED,
    },
    id="jobId",
    task_name="deploymentName",
    message="status.failure.message",
    created_at="createdAt",
    started_at="startTime",
    finished_at="endTime",
    starts=(
        Start(
            action=Action(
                name="StartJobWithParams",
                params=("workspace", "namespace", "deploymentId"),
                optional=("localVariables", "resourceQueueName", "restoreStrategy"),
                path=f"{_NAMESPACE}/jobs%3Astart",
                places=_WORKSPACE,
                success=_SUCCESS,
            ),
            id="data.jobId",
            encodings={
                "deploymentId": "id",
                "localVariables": "list",
                "restoreStrategy": "object",
                "restoreStrategy.allowNonRestoredState": "boolean",
                "restoreStrategy.jobStartTimeInMs": "integer",
            },
            find=Find(
                tasks=TaskList(
                    action=Action(
                        name="ListJobs",
                        params=("workspace", "namespace", "deploymentId"),
                        method="GET",
                        path=f"{_NAMESPACE}/jobs",
                        params_in="query",
                        places=_WORKSPACE,
                        success=_SUCCESS,
                    ),
                    tasks="data",
                    page_size_param="pageSize",
                    page_size=100,
                    page_param="pageIndex",
                    total="totalSize",
                ),
                id="jobId",
                created_at="createdAt",
                shows={"deploymentId": "deploymentId"},
            ),
        ),
    ),
    # Without a savepoint, which a task that is killed has no time to wait for.
    cancel=Cancel(
        action=Action(
            name="StopJob",
            params=("workspace", "namespace", "jobId"),
            path=f"{_NAMESPACE}/jobs/{{jobId}}%3Astop",
            places=_WORKSPACE,
            template={"stopStrategy": "NONE"},
            success=_SUCCESS,
        ),
        id_param="jobId",
    ),
)

# No action stops the making of a savepoint.
VERVERICA_SAVEPOINT = TaskApi(
    name="ververica.savepoint",
    service=VERVERICA,
    read=Action(
        name="GetSavepoint",
        params=("workspace", "namespace", "savepointId"),
        method="GET",
        path=f"{_NAMESPACE}/savepoints/{{savepointId}}",
        places=_WORKSPACE,
        success=_SUCCESS,
    ),
    id_param="savepointId",
    task="data",
    status="status.state",
    states={"STARTED": TaskState.RUNNING, "COMPLETED": TaskState.SUCCEEDED, "FAILED": TaskState.FAILED},
    id="savepointId",
    task_name="description",
    message="status.failure.message",
    created_at="createdAt",
    list_tasks=TaskList(
        action=Action(
            name="ListSavepoints",
            params=("workspace", "namespace"),
            method="GET",
            path=f"{_NAMESPACE}/savepoints",
            params_in="query",
            places=_WORKSPACE,
            success=_SUCCESS,
        ),
        tasks="data",
        page_size_param="pageSize",
        page_size=100,
        page_param="pageIndex",
        total="totalSize",
    ),
    starts=(
        Start(
            action=Action(
                name="CreateSavepoint",
                params=("workspace", "namespace", "deploymentId"),
                optional=("description", "nativeFormat"),
                path=f"{_NAMESPACE}/savepoints",
                places=_WORKSPACE,
                success=_SUCCESS,
            ),
            id="data.savepointId",
            encodings={"deploymentId": "id", "nativeFormat": "boolean"},
        ),
    ),
)
