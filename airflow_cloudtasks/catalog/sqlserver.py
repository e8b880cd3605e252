"""Tencent Cloud TencentDB for SQL Server.

A flow is what an action on an instance starts that takes a while: the action answers a `FlowId`.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TencentDB for SQL Server 2018-03-28 that the vendor's tccli ships.
SQLSERVER = Service(
    cloud="tencent",
    name="sqlserver",
    version="2018-03-28",
    title="TencentDB for SQL Server",
    console="https://console.cloud.tencent.com/sqlserver",
    console_intl="https://console.tencentcloud.com/sqlserver",
)

SQLSERVER_FLOW = TaskApi(
    name="sqlserver.flow",
    service=SQLSERVER,
    read=Action(name="DescribeFlowStatus", params=("FlowId",), template={"FlowId": "{FlowId:integer}"}),
    id_param="FlowId",
    states={
        "0": TaskState.SUCCEEDED,
        "1": TaskState.FAILED,
        "2": TaskState.RUNNING,
    },
)
