"""Tencent Cloud EMR (Elastic MapReduce).

A job flow runs steps on a cluster, which it may create for them. No action cancels one.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Failure, Parts, Service, Start, TaskApi

# Source, for this file: the definitions and examples of EMR 2019-01-03 that the vendor's tccli ships.
EMR = Service(
    cloud="tencent",
    name="emr",
    version="2019-01-03",
    title="EMR",
    console="https://console.cloud.tencent.com/emr",
    console_intl="https://console.tencentcloud.com/emr",
)

# A flow is finished whatever has happened to its steps.
EMR_JOB_FLOW = TaskApi(
    name="emr.job_flow",
    service=EMR,
    read=Action(name="DescribeJobFlow", params=("JobFlowId",), template={"JobFlowId": "{JobFlowId:integer}"}),
    id_param="JobFlowId",
    status="State",
    states={
        "JobFlowInit": TaskState.PENDING,
        "JobFlowResourceApplied": TaskState.PENDING,
        "JobFlowResourceReady": TaskState.RUNNING,
        "JobFlowStepsRunning": TaskState.RUNNING,
        "JobFlowStepsComplete": TaskState.RUNNING,
        "JobFlowTerminating": TaskState.RUNNING,
        "JobFlowFinish": TaskState.SUCCEEDED,
    },
    failures=(Failure(path="Details.*.JobState", values=("JobFlowStepStatusFailed",)),),
    starts=(
        Start(
            action=Action(
                name="RunJobFlow",
                params=("Name", "CreateCluster", "Steps", "InstancePolicy"),
                optional=(
                    "ProductVersion",
                    "SecurityClusterFlag",
                    "Software",
                    "BootstrapActions",
                    "Configurations",
                    "LogUri",
                    "InstanceId",
                    "ApplicationRole",
                    "ClientToken",
                    "Instance",
                ),
            ),
            id="JobFlowId",
            encodings={
                "CreateCluster": "boolean",
                "Steps": "object",
                "SecurityClusterFlag": "boolean",
                "Software": "list",
                "BootstrapActions": "object",
                "Configurations": "object",
                "Instance": "object",
                "InstanceId": "id",
            },
            client_token="ClientToken",  # noqa: S106 - a parameter's name
        ),
    ),
    parts=Parts(
        at="Details", status="JobState", failed=("JobFlowStepStatusFailed",), name=("Name",), id="ApplicationId"
    ),
)
