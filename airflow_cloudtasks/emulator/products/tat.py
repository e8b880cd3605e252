"""TAT's invocations: read and listed by one action, started and canceled.

Source: the definitions and examples of TAT 2020-10-28 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

TAT = Product("tencent", "tat", "2020-10-28", ("json", "query"), needs_region=True)

INVOCATION = TAT.reads(
    "tat.invocation",
    "DescribeInvocations",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="InvocationId",
        asked_by="Filters[invocation-id]",
        status_at="InvocationStatus",
        unfinished=frozenset({"PENDING", "RUNNING", "CANCELLING"}),
        waiting=frozenset({"PENDING"}),
        script=(Step("PENDING", 1), Step("RUNNING", 2), Step("SUCCESS")),
        failed=Step("FAILED"),
        canceled=Step("CANCELLED"),
        stamps=(
            Stamp("CreatedTime", "created", iso_utc),
            Stamp("StartTime", "started", iso_utc),
            Stamp("EndTime", "finished", iso_utc),
        ),
        example={
            "InvocationId": "inv-emulated",
            "CommandId": "cmd-emulated",
            "CommandName": "emulated",
            "InvocationStatus": "PENDING",
            "InvocationTaskBasicInfoSet": [],
            "Description": "",
            "Parameters": "{}",
            "DefaultParameters": "{}",
            "InstanceKind": "CVM",
            "Username": "root",
            "InvocationSource": "USER",
            "CommandContent": "bHM=",
            "CommandType": "SHELL",
            "Timeout": 60,
            "WorkingDirectory": "/root",
        },
    ),
    listing=Listing(
        api="tat.invocation",
        at=("InvocationSet",),
        ids=("Filters[invocation-id]", "InvocationIds"),
        most_ids=100,
        offset="Offset",
        total=("TotalCount",),
    ),
)
TAT.starts(INVOCATION, "RunCommand", DEFINED, ("InvocationId",), example={"CommandId": "cmd-emulated"})
TAT.cancels(INVOCATION, "CancelInvocation", DEFINED, asked_by="InvocationId")
