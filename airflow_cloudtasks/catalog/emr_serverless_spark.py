"""Alibaba Cloud EMR Serverless Spark.

A job run executes a Spark job: a JAR, a Python file or SQL; a Ray job runs on a Ray cluster of the workspace.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Cancel, Log, Parts, Service, Start, TaskApi, TaskList

EMR_SERVERLESS_SPARK = Service(
    cloud="alibaba",
    name="emr-serverless-spark",
    version="2023-08-08",
    title="EMR Serverless Spark",
    console="https://emr-next.console.aliyun.com/",
)

_WORKSPACE = "/api/v1/workspaces/{workspaceId}"

# Source, here and below: the vendor's package alibabacloud-emr-serverless-spark20230808. It does not list the states of
# a job run: they are from Apache DolphinScheduler, whose RunState of its plugin for EMR Serverless Spark has them.
EMR_SERVERLESS_SPARK_JOB_RUN = TaskApi(
    name="emr_serverless_spark.job_run",
    service=EMR_SERVERLESS_SPARK,
    read=Action(
        name="GetJobRun",
        params=("workspaceId", "jobRunId"),
        method="GET",
        path=f"{_WORKSPACE}/jobRuns/{{jobRunId}}",
        params_in="query",
    ),
    id_param="jobRunId",
    task="jobRun",
    status="state",
    states={
        "Submitted": TaskState.PENDING,
        "Pending": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Cancelling": TaskState.RUNNING,
        "CancelFailed": TaskState.RUNNING,
        "Success": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Cancelled": TaskState.CANCELED,
    },
    id="jobRunId",
    task_name="name",
    message="stateChangeReason.message",
    created_at="submitTime",
    finished_at="endTime",
    list_tasks=TaskList(
        action=Action(
            name="ListJobRuns",
            params=("workspaceId",),
            method="GET",
            path=f"{_WORKSPACE}/jobRuns",
            params_in="query",
        ),
        tasks="jobRuns",
        page_size_param="maxResults",
        page_size=100,
        page_param="nextToken",
        next_page="nextToken",
    ),
    starts=(
        Start(
            action=Action(
                name="StartJobRun",
                params=("workspaceId",),
                optional=(
                    *("clientToken", "codeType", "configurationOverrides", "displayReleaseVersion"),
                    *("executionTimeoutSeconds", "fusion", "jobDriver", "jobId", "name", "releaseVersion"),
                    *("resourceQueueId", "tags", "regionId"),
                ),
                path=f"{_WORKSPACE}/jobRuns",
                places={"regionId": "query"},
            ),
            id="jobRunId",
            encodings={
                "configurationOverrides": "object",
                "executionTimeoutSeconds": "integer",
                "fusion": "boolean",
                "jobDriver": "object",
                "jobId": "id",
                "resourceQueueId": "id",
                "tags": "list",
            },
            client_token="clientToken",  # noqa: S106 - a parameter's name
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="CancelJobRun",
            params=("workspaceId", "jobRunId"),
            method="DELETE",
            path=f"{_WORKSPACE}/jobRuns/{{jobRunId}}",
            params_in="query",
        ),
        id_param="jobRunId",
    ),
    # The model of ListLogContents counts lines, and does not limit a page.
    parts=Parts(
        status="state",
        failed=("Failed",),
        log=Log(
            action=Action(
                name="ListLogContents",
                params=("workspaceId", "fileName"),
                optional=("offset", "length"),
                method="GET",
                path=f"{_WORKSPACE}/action/listLogContents",
                params_in="query",
            ),
            params={"workspaceId": "{workspaceId}", "fileName": "{log[driverStdError]}"},
            text="listLogContent.contents.*.LineContent",
            offset_param="offset",
            total="listLogContent.totalLength",
            page_size_param="length",
            page_size=100,
        ),
    ),
)

# The model of GetRayJob lists the states.
EMR_SERVERLESS_SPARK_RAY_JOB = TaskApi(
    name="emr_serverless_spark.ray_job",
    service=EMR_SERVERLESS_SPARK,
    read=Action(
        name="GetRayJob",
        params=("workspaceId", "submissionId"),
        method="GET",
        path=f"{_WORKSPACE}/rayJob/{{submissionId}}",
        params_in="query",
    ),
    id_param="submissionId",
    status="status",
    states={
        "Submitted": TaskState.PENDING,
        "Pending": TaskState.PENDING,
        "Running": TaskState.RUNNING,
        "Cancelling": TaskState.RUNNING,
        "Succeeded": TaskState.SUCCEEDED,
        "Failed": TaskState.FAILED,
        "Cancelled": TaskState.CANCELED,
        "Timeout": TaskState.EXPIRED,
    },
    id="submissionId",
    task_name="name",
    message="message",
    created_at="submitTime",
    started_at="startTime",
    finished_at="endTime",
    starts=(
        Start(
            action=Action(
                name="SubmitRayJob",
                params=("workspaceId",),
                optional=(
                    *("activeDeadlineSeconds", "clusterId", "displayReleaseVersion", "entrypoint", "entrypointMemory"),
                    *("entrypointNumCpus", "entrypointNumGpus", "entrypointResources", "extraParam", "headSpec"),
                    *("metadataJson", "name", "networkServiceName", "runtimeEnvJson", "shutdownAfterJobFinishes"),
                    *("submissionMode", "tags", "ttlSecondsAfterFinished", "volumeIds", "workerSpec", "workingDir"),
                ),
                path=f"{_WORKSPACE}/rayJob",
            ),
            id="submissionId",
            encodings={
                "activeDeadlineSeconds": "integer",
                "clusterId": "id",
                "entrypointResources": "json",
                "extraParam": "json",
                "headSpec": "object",
                "metadataJson": "json",
                "runtimeEnvJson": "json",
                "shutdownAfterJobFinishes": "boolean",
                "tags": "list",
                "ttlSecondsAfterFinished": "integer",
                "volumeIds": "ids",
                "workerSpec": "object",
            },
        ),
    ),
    cancel=Cancel(
        action=Action(
            name="CancelRayJob",
            params=("workspaceId", "submissionId"),
            path=f"{_WORKSPACE}/rayJob/{{submissionId}}/cancel",
        ),
        id_param="submissionId",
    ),
)
