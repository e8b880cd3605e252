"""Tencent Cloud TDSQL-C.

A flow is what an action on a cluster starts that takes a while: the action answers a `FlowId`.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TDSQL-C 2019-01-07 that the vendor's tccli ships.
CYNOSDB = Service(
    cloud="tencent",
    name="cynosdb",
    version="2019-01-07",
    title="TDSQL-C",
    console="https://console.cloud.tencent.com/cynosdb",
    console_intl="https://console.tencentcloud.com/cynosdb",
)

CYNOSDB_FLOW = TaskApi(
    name="cynosdb.flow",
    service=CYNOSDB,
    read=Action(name="DescribeFlow", params=("FlowId",), template={"FlowId": "{FlowId:integer}"}),
    id_param="FlowId",
    states={
        "0": TaskState.SUCCEEDED,
        "1": TaskState.FAILED,
        "2": TaskState.RUNNING,
    },
)
