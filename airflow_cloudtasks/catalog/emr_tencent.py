"""Tencent Cloud EMR (Elastic MapReduce).

A job flow runs steps on a cluster, which it may create for them. A cluster's flow adds nodes to the cluster, removes
some, or deploys its configuration. No action cancels either.
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

# A flow has a number, which may be 0, and a trace. FKey says which of the two FValue is; the starts set it.
EMR_CLUSTER_FLOW = TaskApi(
    name="emr.cluster_flow",
    service=EMR,
    read=Action(
        name="DescribeClusterFlowStatusDetail",
        params=("FValue", "InstanceId", "FKey"),
        template={"FlowParam": {"FKey": "{FKey}", "FValue": "{FValue}"}},
    ),
    id_param="FValue",
    status="FlowTotalStatus",
    # 3 is a success that skipped steps, -3 a flow that is blocked.
    states={
        "0": TaskState.PENDING,
        "1": TaskState.RUNNING,
        "2": TaskState.SUCCEEDED,
        "3": TaskState.SUCCEEDED,
        "-1": TaskState.FAILED,
        "-3": TaskState.RUNNING,
    },
    task_name="FlowName",
    progress="FlowTotalProgress",
    starts=(
        Start(
            action=Action(
                name="ScaleOutCluster",
                params=("InstanceId", "InstanceChargeType", "ScaleOutNodeConfig"),
                optional=(
                    "ClientToken",
                    "InstanceChargePrepaid",
                    "ScriptBootstrapActionConfig",
                    "SoftDeployInfo",
                    "ServiceNodeInfo",
                    "DisasterRecoverGroupIds",
                    "Tags",
                    "HardwareSourceType",
                    "PodSpecInfo",
                    "ClickHouseClusterName",
                    "ClickHouseClusterType",
                    "YarnNodeLabel",
                    "EnableStartServiceFlag",
                    "ResourceSpec",
                    "Zone",
                    "SubnetId",
                    "ScaleOutServiceConfGroupsInfo",
                    "WarehouseName",
                    "PartitionNumber",
                ),
                template={
                    "SoftDeployInfo": "{SoftDeployInfo:integers}",
                    "ServiceNodeInfo": "{ServiceNodeInfo:integers}",
                },
            ),
            id="TraceId",
            names={"FKey": "TraceId"},
            encodings={
                "ScaleOutNodeConfig": "object",
                "InstanceChargePrepaid": "object",
                "ScriptBootstrapActionConfig": "object",
                "DisasterRecoverGroupIds": "ids",
                "Tags": "object",
                "PodSpecInfo": "object",
                "EnableStartServiceFlag": "boolean",
                "ResourceSpec": "object",
                "ScaleOutServiceConfGroupsInfo": "object",
                "PartitionNumber": "integer",
            },
            client_token="ClientToken",  # noqa: S106 - a parameter's name
        ),
        Start(
            action=Action(
                name="TerminateClusterNodes",
                params=("InstanceId", "CvmInstanceIds", "NodeFlag"),
                optional=("GraceDownFlag", "GraceDownTime"),
            ),
            id="FlowId",
            names={"FKey": "FlowId"},
            encodings={"CvmInstanceIds": "ids", "GraceDownFlag": "boolean", "GraceDownTime": "integer"},
        ),
        Start(
            action=Action(name="DeployYarnConf", params=("InstanceId",)),
            id="FlowId",
            names={"FKey": "FlowId"},
        ),
    ),
    parts=Parts(at="StageDetails", status="Status", failed=("-1",), name=("Name", "Stage"), message=("FailedReason",)),
)
