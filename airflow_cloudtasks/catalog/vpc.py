"""Tencent Cloud VPC.

A task is what an action on a network starts that takes a while. Its id is the RequestId of that action's answer.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of VPC 2017-03-12 that the vendor's tccli ships.
VPC = Service(
    cloud="tencent",
    name="vpc",
    version="2017-03-12",
    title="VPC",
    console="https://console.cloud.tencent.com/vpc",
    console_intl="https://console.tencentcloud.com/vpc",
)

VPC_TASK = TaskApi(
    name="vpc.task",
    service=VPC,
    read=Action(name="DescribeVpcTaskResult", params=("TaskId",)),
    id_param="TaskId",
    states={
        "RUNNING": TaskState.RUNNING,
        "SUCCESS": TaskState.SUCCEEDED,
        "FAILED": TaskState.FAILED,
    },
    message="Output",
)
