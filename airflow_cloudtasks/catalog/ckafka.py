"""Tencent Cloud CKafka.

A flow is what an action on an instance starts that takes a while: the action answers a `FlowId`.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of CKafka 2019-08-19 that the vendor's tccli ships.
CKAFKA = Service(
    cloud="tencent",
    name="ckafka",
    version="2019-08-19",
    title="CKafka",
    console="https://console.cloud.tencent.com/ckafka",
    console_intl="https://console.tencentcloud.com/ckafka",
)

CKAFKA_FLOW = TaskApi(
    name="ckafka.flow",
    service=CKAFKA,
    read=Action(name="DescribeTaskStatus", params=("FlowId",), template={"FlowId": "{FlowId:integer}"}),
    id_param="FlowId",
    task="Result",
    states={
        "0": TaskState.SUCCEEDED,
        "1": TaskState.FAILED,
        "2": TaskState.RUNNING,
    },
    message="Output",
)
