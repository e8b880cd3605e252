"""Tencent Cloud TencentDB for MariaDB.

A flow is what an action on an instance starts that takes a while: the action answers a `FlowId`.
"""

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, Service, TaskApi

# Source, for this file: the definitions of TencentDB for MariaDB 2017-03-12 that the vendor's tccli ships.
MARIADB = Service(
    cloud="tencent",
    name="mariadb",
    version="2017-03-12",
    title="TencentDB for MariaDB",
    console="https://console.cloud.tencent.com/mariadb",
    console_intl="https://console.tencentcloud.com/mariadb",
)

MARIADB_FLOW = TaskApi(
    name="mariadb.flow",
    service=MARIADB,
    read=Action(name="DescribeFlow", params=("FlowId",), template={"FlowId": "{FlowId:integer}"}),
    id_param="FlowId",
    states={
        "0": TaskState.SUCCEEDED,
        "1": TaskState.FAILED,
        "2": TaskState.RUNNING,
    },
)
