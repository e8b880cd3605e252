"""E-MapReduce's clusters: read, listed, created and deleted; and its operations: read.

Source: the models of ``alibabacloud-emr20210320``. The examples' values are our own.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

EMR = Product("alibaba", "emr", "2021-03-20", ("query", "form"))

_ENTRY = TaskShape(
    task_at=(),
    id_at="ClusterId",
    asked_by="ClusterId",
    status_at="ClusterState",
    unfinished=frozenset({"STARTING", "BOOTSTRAPPING", "TERMINATING"}),
    waiting=frozenset({"STARTING"}),
    script=(Step("STARTING", 1), Step("BOOTSTRAPPING", 2), Step("RUNNING")),
    failed=Step("START_FAILED"),
    canceled=Step("TERMINATED"),
    stamps=(Stamp("CreateTime", "created", milliseconds),),
    example={"ClusterId": "", "ClusterName": "emulated", "ClusterState": "STARTING", "ClusterType": "DATALAKE"},
)

CLUSTER = EMR.reads(
    "emr.cluster",
    "GetCluster",
    DEFINED,
    replace(_ENTRY, task_at=("Cluster",), example={"Cluster": _ENTRY.example}),
)
EMR.lists(
    "emr.cluster",
    "ListClusters",
    Listing(
        api="emr.cluster",
        at=("Clusters",),
        ids="ClusterIds",
        size="MaxResults",
        default_size=20,
        total=("TotalCount",),
        token=("NextToken",),
    ),
    DEFINED,
    _ENTRY,
)
EMR.starts(CLUSTER, "RunCluster", DEFINED, ("ClusterId",), shown=("ClusterName", "ClusterType"))
EMR.cancels(CLUSTER, "DeleteCluster", DEFINED)

EMR.reads(
    "emr.operation",
    "GetOperation",
    DEFINED,
    TaskShape(
        task_at=("Operation",),
        id_at="OperationId",
        asked_by="OperationId",
        status_at="OperationState",
        unfinished=frozenset({"IN_PROGRESS", "HUMAN_PROCESSING"}),
        script=(Step("IN_PROGRESS", 3), Step("COMPLETED")),
        failed=Step("FAILED"),
        started=False,
        stamps=(
            Stamp("CreateTime", "created", milliseconds),
            Stamp("StartTime", "started", milliseconds),
            Stamp("EndTime", "finished", milliseconds),
        ),
        scope=("ClusterId",),
        example={
            "Operation": {
                "OperationId": "",
                "ClusterId": "c-emulated",
                "OperationState": "IN_PROGRESS",
                "OperationType": "INCREASE_NODES",
            }
        },
    ),
)
