"""Tasks and flows that actions of Tencent Cloud's databases and networks start: read only.

Source: the definitions of each product that tccli ships. The examples' values are our own.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

_FLOW = TaskShape(
    task_at=(),
    id_at="",
    asked_by="FlowId",
    status_at="Status",
    format_status=int,
    unfinished=frozenset({"2"}),
    script=(Step("2", 3), Step("0")),
    failed=Step("1"),
    started=False,
    example={"Status": 2},
)


CDB = Product("tencent", "cdb", "2017-03-20", ("json", "query"), needs_region=True)
CDB_REQUEST = CDB.reads(
    "cdb.async_request",
    "DescribeAsyncRequestInfo",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="AsyncRequestId",
        status_at="Status",
        unfinished=frozenset({"INITIAL", "UNDEFINED", "RUNNING", "PAUSED"}),
        waiting=frozenset({"INITIAL", "UNDEFINED"}),
        script=(Step("RUNNING", 3), Step("SUCCESS")),
        failed=Step("FAILED"),
        canceled=Step("KILLED"),
        started=False,
        example={"Status": "RUNNING", "Info": ""},
    ),
)

MONGODB = Product("tencent", "mongodb", "2019-07-25", ("json", "query"), needs_region=True)
MONGODB.reads(
    "mongodb.async_request",
    "DescribeAsyncRequestInfo",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="AsyncRequestId",
        status_at="Status",
        unfinished=frozenset({"initial", "running"}),
        waiting=frozenset({"initial"}),
        script=(Step("running", 3), Step("success")),
        failed=Step("failed"),
        started=False,
        stamps=(
            Stamp("StartTime", "started", beijing_time),
            Stamp("EndTime", "finished", beijing_time),
        ),
        example={"Status": "running", "StartTime": "", "EndTime": ""},
    ),
)

REDIS = Product("tencent", "redis", "2018-04-12", ("json", "query"), needs_region=True)
REDIS.reads(
    "redis.task",
    "DescribeTaskInfo",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="TaskId",
        status_at="Status",
        unfinished=frozenset({"preparing", "running"}),
        waiting=frozenset({"preparing"}),
        script=(Step("running", 3), Step("succeed")),
        failed=Step("error"),
        started=False,
        stamps=(Stamp("StartTime", "started", beijing_time),),
        example={
            "Status": "running",
            "TaskType": "emulated",
            "TaskMessage": "",
            "StartTime": "",
            "InstanceId": "crs-emulated",
        },
    ),
)

CYNOSDB = Product("tencent", "cynosdb", "2019-01-07", ("json", "query"), needs_region=True)
CYNOSDB.reads(
    "cynosdb.flow",
    "DescribeFlow",
    DEFINED,
    _FLOW,
)

MARIADB = Product("tencent", "mariadb", "2017-03-12", ("json", "query"), needs_region=True)
MARIADB.reads(
    "mariadb.flow",
    "DescribeFlow",
    DEFINED,
    _FLOW,
)

DCDB = Product("tencent", "dcdb", "2018-04-11", ("json", "query"), needs_region=True)
DCDB.reads(
    "dcdb.flow",
    "DescribeFlow",
    DEFINED,
    _FLOW,
)

SQLSERVER = Product("tencent", "sqlserver", "2018-03-28", ("json", "query"), needs_region=True)
SQLSERVER.reads(
    "sqlserver.flow",
    "DescribeFlowStatus",
    DEFINED,
    _FLOW,
)

CKAFKA = Product("tencent", "ckafka", "2019-08-19", ("json", "query"), needs_region=True)
CKAFKA.reads(
    "ckafka.flow",
    "DescribeTaskStatus",
    DEFINED,
    replace(_FLOW, task_at=("Result",), example={"Result": {"Status": 2, "Output": ""}}),
)

VPC = Product("tencent", "vpc", "2017-03-12", ("json", "query"), needs_region=True)
VPC.reads(
    "vpc.task",
    "DescribeVpcTaskResult",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="TaskId",
        status_at="Status",
        unfinished=frozenset({"RUNNING"}),
        script=(Step("RUNNING", 3), Step("SUCCESS")),
        failed=Step("FAILED"),
        started=False,
        example={"Status": "RUNNING", "Output": "", "Result": []},
    ),
)
