"""CLS's rebuilds of an index and its exports: read or listed, started, and rebuilds canceled.

Source: the definitions and examples of CLS 2020-10-16 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time, milliseconds, unix_seconds
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

CLS = Product("tencent", "cls", "2020-10-16", ("json", "query"), needs_region=True)

REBUILD = CLS.reads(
    "cls.rebuild_index",
    "DescribeRebuildIndexTasks",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="TaskId",
        status_at="Status",
        format_status=int,
        unfinished=frozenset({"0", "1", "2", "3", "4"}),
        waiting=frozenset({"0", "1", "2"}),
        script=(Step("0", 1), Step("3", 2), Step("6")),
        failed=Step("7"),
        canceled=Step("8"),
        stamps=(Stamp("CreateTime", "created", unix_seconds),),
        scope=("TopicId",),
        progress_at="Progress",
        progress_full=100,
        example={"TaskId": "", "Status": 0, "StartTime": 0, "EndTime": 0, "Progress": 0, "StatusMessage": ""},
    ),
    listing=Listing(api="cls.rebuild_index", at=("RebuildTasks",), ids="TaskId", offset="Offset"),
)
CLS.starts(REBUILD, "CreateRebuildIndexTask", DEFINED, ("TaskId",))
CLS.cancels(REBUILD, "CancelRebuildIndexTask", DEFINED)

EXPORT = CLS.reads(
    "cls.export",
    "DescribeExports",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="ExportId",
        status_at="Status",
        unfinished=frozenset({"Queuing", "Processing"}),
        waiting=frozenset({"Queuing"}),
        script=(Step("Queuing", 1), Step("Processing", 2), Step("Completed")),
        failed=Step("Failed"),
        stamps=(Stamp("CreateTime", "created", beijing_time), Stamp("CreateTimestamp", "created", milliseconds)),
        scope=("TopicId",),
        example={
            "ExportId": "",
            "TopicId": "",
            "Query": "status:200",
            "FileName": "emulated.tar.gz",
            "Order": "desc",
            "Format": "json",
            "Count": 100,
            "Status": "Queuing",
            "SyntaxRule": 1,
        },
    ),
    listing=Listing(api="cls.export", at=("Exports",), offset="Offset", total=("TotalCount",)),
)
CLS.starts(EXPORT, "CreateExport", DEFINED, ("ExportId",), shown=("Query", "Order", "Format", "Count", "From", "To"))
