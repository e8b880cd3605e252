"""AnalyticDB's Spark applications and batches of Spark SQL: read, started and canceled.

Source: the models of ``alibabacloud-adb20211201``. The examples' values are our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import milliseconds
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

ADB = Product("alibaba", "adb", "2021-12-01", ("query", "form"))

SPARK_APP = ADB.reads(
    "adb.spark_app",
    "GetSparkAppInfo",
    DEFINED,
    TaskShape(
        task_at=("Data",),
        id_at="AppId",
        asked_by="AppId",
        status_at="State",
        unfinished=frozenset({"SUBMITTED", "STARTING", "RUNNING", "FAILING", "KILLING", "SUCCEEDING"}),
        waiting=frozenset({"SUBMITTED", "STARTING"}),
        script=(Step("SUBMITTED", 1), Step("RUNNING", 2), Step("COMPLETED")),
        failed=Step("FAILED"),
        canceled=Step("KILLED"),
        # What GetSparkAppLog shows.
        left_out=frozenset({"LogContent"}),
        stamps=(
            Stamp("Detail.SubmittedTimeInMillis", "created", milliseconds),
            Stamp("Detail.StartedTimeInMillis", "started", milliseconds),
            Stamp("Detail.TerminatedTimeInMillis", "finished", milliseconds),
        ),
        example={"Data": {"AppId": "", "AppName": "emulated", "State": "SUBMITTED", "Detail": {"Data": "{}"}}},
    ),
)
ADB.starts(SPARK_APP, "SubmitSparkApp", DEFINED, ("Data", "AppId"), shown=("AppName",))
ADB.cancels(SPARK_APP, "KillSparkApp", DEFINED, id_at=("Data", "AppId"))


def _log(call: Call) -> JsonObject:
    """Return the application's ``LogContent``; of an application that the emulator does not know, one line."""
    task = call.state.tasks.find(SPARK_APP.api, call.parameters["AppId"], call.parameters)
    content = "This is a log\n" if task is None else str(task.fields.get("LogContent", "This is a log\n"))
    return {
        "Data": {"DBClusterId": "amv-emulated", "LogContent": content, "LogSize": content.count("\n"), "Message": ""}
    }


ADB.action("adb.spark_app_log", "GetSparkAppLog", _log, DEFINED, required="AppId")

BATCH_SQL = ADB.reads(
    "adb.spark_batch_sql",
    "GetSparkWarehouseBatchSQL",
    DEFINED,
    TaskShape(
        task_at=("Data",),
        id_at="QueryId",
        asked_by="QueryId",
        status_at="QueryState",
        unfinished=frozenset({"PENDING", "SUBMITTED", "RUNNING"}),
        waiting=frozenset({"PENDING", "SUBMITTED"}),
        script=(Step("PENDING", 1), Step("RUNNING", 2), Step("FINISHED")),
        failed=Step("FAILED"),
        canceled=Step("CANCELED"),
        stamps=(
            Stamp("QuerySubmissionTime", "created", milliseconds),
            Stamp("QueryStartTime", "started", milliseconds),
            Stamp("QueryEndTime", "finished", milliseconds),
        ),
        example={"Data": {"QueryId": "", "QueryState": "PENDING", "Query": "SELECT 1", "Schema": "emulated"}},
    ),
)
ADB.starts(BATCH_SQL, "ExecuteSparkWarehouseBatchSQL", DEFINED, ("Data", "QueryId"), shown=("Query", "Schema"))
ADB.cancels(BATCH_SQL, "CancelSparkWarehouseBatchSQL", DEFINED, id_at=("Data", "QueryId"))
