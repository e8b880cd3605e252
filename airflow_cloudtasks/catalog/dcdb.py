"""Tencent Cloud TDSQL for MySQL.

A flow is what an action on an instance starts that takes a while: the action answers a `FlowId`.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TDSQL for MySQL 2018-04-11 that the vendor's tccli ships.
DCDB = Service(
    cloud="tencent",
    name="dcdb",
    version="2018-04-11",
    title="TDSQL for MySQL",
    console="https://console.cloud.tencent.com/dcdb",
    console_intl="https://console.tencentcloud.com/dcdb",
)

DCDB_FLOW = TaskApi(
    name="dcdb.flow",
    service=DCDB,
    read=Action(name="DescribeFlow", params=("FlowId",), template={"FlowId": "{FlowId:integer}"}),
    id_param="FlowId",
    states={
        "0": TaskState.SUCCEEDED,
        "1": TaskState.FAILED,
        "2": TaskState.RUNNING,
    },
)
