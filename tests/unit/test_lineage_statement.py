"""Which SQL a start request has, and what its tables belong to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.lineage.statement import Statement, statement_of
from airflow_cloudtasks.spec import Action, Sql, Start

REGION = "ap-guangzhou"
DLC = "dlc://dlc.ap-guangzhou.tencentcloudapi.com"
TASK = {"SparkSQLTask": {"SQL": "SELECT 1"}}


def start_of(api: str, action: str | None = None) -> Start:
    return APIS[api].start(action)


@pytest.mark.parametrize(
    ("start", "parameters", "statement"),
    [
        (
            start_of("dlc.task", "CreateTask"),
            {"Task": TASK, "DatabaseName": "shop", "DatasourceConnectionName": "DataLakeCatalog"},
            Statement("SELECT 1", DLC, "DataLakeCatalog", "shop"),
        ),
        (start_of("dlc.task", "CreateTask"), {"Task": json.dumps(TASK)}, Statement("SELECT 1", DLC)),
        (start_of("dlc.task", "CreateTask"), {"Task": {"SQLTask": {"SQL": " "}}}, None),
        (start_of("dlc.task", "CreateTask"), {"Task": {"SQLTask": {"SQL": 7}}}, None),
        (start_of("dlc.spark_batch_sql"), {"ExecuteSQL": "SELECT 1"}, Statement("SELECT 1", DLC)),
        (
            start_of("adb.spark_batch_sql"),
            {"Query": "SELECT 1", "DBClusterId": "amv-1", "Schema": "shop"},
            Statement("SELECT 1", f"adb://amv-1.{REGION}", None, "shop"),
        ),
        (
            start_of("adb.spark_app"),
            {"Data": "SELECT 1", "DBClusterId": "amv-1", "AppType": "sql"},
            Statement("SELECT 1", f"adb://amv-1.{REGION}"),
        ),
        (start_of("adb.spark_app"), {"Data": {"file": "oss://b/a.py"}, "DBClusterId": "amv-1"}, None),
        (start_of("adb.spark_app"), {"Data": "{}", "DBClusterId": "amv-1", "AppType": "BATCH"}, None),
        (
            start_of("wedata.sql_run"),
            {"ScriptContent": "SELECT 1", "ScriptConfig": {"DatasourceId": 7}},
            Statement("SELECT 1", f"wedata://{REGION}/7"),
        ),
        # The data source of a saved script is not in the request.
        (start_of("wedata.sql_run"), {"ScriptContent": "SELECT 1", "ScriptId": "3"}, Statement("SELECT 1")),
        (start_of("wedata.sql_run"), {"ScriptId": "3"}, None),
    ],
)
def test_sql_of_a_request(start: Start, parameters: dict[str, Any], statement: Statement | None) -> None:
    assert start.sql is not None
    assert statement_of(start.sql, parameters, REGION) == statement


def test_tables_have_no_namespace_without_a_region() -> None:
    sql = start_of("dlc.spark_batch_sql").sql
    assert sql is not None
    assert statement_of(sql, {"ExecuteSQL": "SELECT 1"}, None) == Statement("SELECT 1")


@pytest.mark.parametrize("paths", [{"statement": ""}, {"namespace": ""}, {"namespace": "x://{}"}, {"catalog": ""}])
def test_refuses_an_empty_path(paths: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected a namespace, and paths that are not empty"):
        Sql(**{"statement": "Query", "namespace": "x", **paths})


def test_refuses_a_parameter_that_the_action_does_not_take() -> None:
    with pytest.raises(ValueError, match=r"sql takes 'Cluster', which is none of its parameters \('Query',\)"):
        Start(
            action=Action(name="RunSql", params=("Query",)),
            id="Id",
            sql=Sql(statement="Query", namespace="x://{Cluster}.{region}"),
        )
