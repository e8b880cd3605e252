"""The rows of a task are those of its last statement that has columns, or it is said why they are not there."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from api_examples import examples_of

from airflow_cloudtasks.catalog import WEDATA_SQL_RUN, find_api
from airflow_cloudtasks.errors import InvalidArguments, MalformedAnswer, NotFound, TransientError
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol import rows as rows_module
from airflow_cloudtasks.protocol.rows import RowReading, without_rows
from airflow_cloudtasks.spec import Action, Results, TaskApi

DLC_TASK = find_api("dlc.task")


def task(api: TaskApi, detail: Mapping[str, Any] | None = None) -> CloudTask:
    return CloudTask(api=api.name, cloud=api.cloud, id="t1", state=TaskState.SUCCEEDED, detail=dict(detail or {}))


def of_detail(detail: Mapping[str, Any], most: int = 1000) -> Any:
    """Return the rows of a SQL run of WeData, whose task object holds them."""
    reading = RowReading(WEDATA_SQL_RUN, task(WEDATA_SQL_RUN, detail), {"JobId": "t1"}, most)
    assert reading.request is None
    return reading.rows


def of_dlc(most: int = 1000) -> RowReading:
    """Return the reading of the rows of a DLC task, which are in answers of their own."""
    return RowReading(DLC_TASK, task(DLC_TASK), {"TaskId": "t1"}, most)


def result(columns: list[str] | None, *rows: list[Any]) -> dict[str, Any]:
    """Return the result of one statement of WeData."""
    return {
        "Columns": None if columns is None else [{"ColumnName": name} for name in columns],
        "Rows": [{"Values": row} for row in rows],
    }


def answer(rows: Any, columns: Any = ("a",), token: str = "", **fields: Any) -> dict[str, Any]:
    """Return an answer of DescribeTaskResult."""
    schema = None if columns is None else [{"Name": name} for name in columns]
    written = json.dumps(rows) if isinstance(rows, list) else rows
    info = {"State": 2, "ResultSchema": schema, "ResultSet": written, "NextToken": token}
    return {"TaskInfo": info | fields, "RequestId": "r1"}


def test_returns_rows_as_dicts_by_column() -> None:
    detail = examples_of(WEDATA_SQL_RUN)[0].task["detail"]
    assert of_detail(detail) == [{"id": "1", "name": "Alice"}, {"id": "2", "name": None}]


def test_returns_the_rows_of_the_last_statement_with_columns_and_counts_all_rows() -> None:
    detail = {"Results": [result(["a"], ["1"], ["2"]), result(["b"], ["3"]), result([]), result(None)]}
    assert of_detail(detail, most=3) == [{"b": "3"}]
    assert of_detail(detail, most=2) is None


def test_a_statement_without_rows_is_the_last_one_too() -> None:
    assert of_detail({"Results": [result(["a"], ["1"]), result(["b"])]}) == []


def test_numbers_columns_of_the_same_name() -> None:
    detail = {"Results": [result(["id", "id", "id_2", "id"], ["1", "2", "3", "4"])]}
    assert of_detail(detail) == [{"id": "1", "id_2": "2", "id_2_2": "3", "id_3": "4"}]


def test_accepts_rows_that_are_too_short_or_too_long() -> None:
    detail = {"Results": [result(["a", "b"], ["1"], ["1", "2", "3"], [])]}
    assert of_detail(detail) == [{"a": "1"}, {"a": "1", "b": "2"}, {}]


@pytest.mark.parametrize(
    "detail", [{}, {"Results": None}, {"Results": []}, {"Results": [None, "x"]}, {"Results": [{}]}]
)
def test_a_run_without_results_has_no_rows(detail: dict[str, Any]) -> None:
    assert of_detail(detail) == []


@pytest.mark.parametrize("rows", [None, [{"Values": None}]])
def test_accepts_null_rows_and_null_values(rows: Any) -> None:
    assert of_detail({"Results": [{"Columns": [{"ColumnName": "a"}], "Rows": rows}]}) == [{} for _ in rows or ()]


def test_without_rows_keeps_everything_else() -> None:
    detail = {"JobId": "j", "Results": [result(["a"], ["1"]), result(["b"], ["2"])]}
    emptied = {"JobId": "j", "Results": [result(["a"]), result(["b"])]}
    assert without_rows(WEDATA_SQL_RUN, detail) == emptied
    assert detail["Results"][0]["Rows"]


@pytest.mark.parametrize("results", [None, [], [None, "x"]])
def test_without_rows_accepts_results_without_rows(results: Any) -> None:
    assert without_rows(WEDATA_SQL_RUN, {"Results": results}) == {"Results": []}


def test_a_task_object_that_holds_no_rows_stays_as_it_is() -> None:
    assert without_rows(DLC_TASK, {"Id": "t1"}) == {"Id": "t1"}


def test_reads_rows_page_by_page() -> None:
    reading = of_dlc()
    assert reading.request == {"TaskId": "t1", "MaxResults": 1000}
    reading.take(answer([["1"], ["2"]], token="page-2"))
    assert reading.request == {"TaskId": "t1", "MaxResults": 1000, "NextToken": "page-2"}
    # The columns may stand on the first page only.
    reading.take(answer([["3"]], columns=None))
    assert (reading.request, reading.rows) == (None, [{"a": "1"}, {"a": "2"}, {"a": "3"}])


def test_asks_for_no_more_rows_than_tell_that_there_are_too_many() -> None:
    reading = of_dlc(most=1)
    assert reading.request == {"TaskId": "t1", "MaxResults": 2}
    reading.take(answer([["1"], ["2"]], token="page-2"))
    assert (reading.request, reading.rows) == (None, None)


def test_stops_at_rows_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "MOST_CHARACTERS", 10)
    reading = of_dlc()
    reading.take(answer([["1234567890"]], token="page-2"))
    assert reading.rows == [{"a": "1234567890"}]
    reading.take(answer([["1"]], token="page-3"))
    assert (reading.request, reading.rows) == (None, None)


@pytest.mark.parametrize("rows", ["", None, [], "[]"])
@pytest.mark.parametrize("columns", [None, (), ("a",)])
def test_a_statement_without_a_result_has_no_rows(rows: Any, columns: Any) -> None:
    reading = of_dlc()
    reading.take(answer(rows, columns))
    assert (reading.request, reading.rows) == (None, [])


def test_reads_rows_in_base64_where_the_vendor_sends_only_these() -> None:
    reading = of_dlc()
    reading.take(answer("", ResultSetEncode=base64.b64encode(b'[["1"]]').decode()))
    assert reading.rows == [{"a": "1"}]


def test_rows_are_storable() -> None:
    reading = of_dlc()
    reading.take(answer([["\x00", 2**70, {"b": "\ud800"}]], ("a", "b", "c")))
    assert reading.rows == [{"a": "�", "b": str(2**70), "c": {"b": "?"}}]


@pytest.mark.parametrize("broken", [{}, {"TaskInfo": None}, {"TaskInfo": "x"}])
def test_a_result_that_is_not_there_is_not_an_empty_one(broken: Any) -> None:
    with pytest.raises(NotFound, match="DescribeTaskResult failed: NoResult: DLC holds no result of the task"):
        of_dlc().take(broken)


@pytest.mark.parametrize("state", [3, None, 99])
def test_a_result_that_is_not_ready_is_not_an_empty_one(state: Any) -> None:
    with pytest.raises(TransientError, match="ResultNotReady"):
        of_dlc().take(answer(None, None, State=state))


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        (answer("no JSON"), "ResultSet holds no list of rows"),
        (answer({"a": 1}), "ResultSet holds no list of rows"),
        (answer(7), "ResultSet holds no list of rows"),
        (answer([["1"]], None), "ResultSchema holds no columns"),
        (answer([], token="page-2"), "names a page after one without new rows"),
    ],
)
def test_refuses_a_result_that_cannot_be_read(broken: Any, field: str) -> None:
    with pytest.raises(MalformedAnswer, match=field):
        of_dlc().take(broken)


def test_refuses_pages_that_do_not_end() -> None:
    reading = of_dlc()
    reading.take(answer([["1"]], token="same"))
    with pytest.raises(MalformedAnswer, match="after one without new rows"):
        reading.take(answer([["2"]], token="same"))


def test_refuses_to_read_rows_of_tasks_that_have_none() -> None:
    api = find_api("ice.workflow_task")
    with pytest.raises(InvalidArguments, match=r"ice\.workflow_task returns no rows: omit max_rows\."):
        RowReading(api, task(api), {}, 1)


FIELDS: dict[str, Any] = {"columns": "Columns", "column_name": "Name", "rows": ("Rows",)}
PAGES: dict[str, Any] = {"page_size_param": "Size", "page_size": 10, "page_param": "Token", "next_page": "Token"}
ACTION = Action(name="GetRows", params=("TaskId",), optional=("Size", "Token"))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"rows": ()}, "results: rows has no path"),
        (PAGES, "results: rows in the task object have neither pages nor a status"),
        ({"status": "State"}, "results: rows in the task object have neither pages nor a status"),
        ({"action": ACTION}, "GetRows: rows are read by page_size_param"),
        ({"action": ACTION, **PAGES, "page_size": 0}, "GetRows: rows are read by page_size_param"),
        ({"action": ACTION, **PAGES, "page_param": "Next"}, "GetRows: 'Next' is none of its optional parameters"),
    ],
)
def test_refuses_results_that_cannot_be_read(fields: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Results(**{**FIELDS, **fields})


def test_refuses_results_that_need_an_unknown_parameter() -> None:
    results = Results(action=replace(ACTION, params=("TaskId", "Shop")), **FIELDS, **PAGES)
    with pytest.raises(ValueError, match="results need Shop, which is none of DescribeTasks's params"):
        replace(DLC_TASK, results=results)
