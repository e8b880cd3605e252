"""The rows of a SQL run are those of its last statement that has columns."""

from __future__ import annotations

from typing import Any

import pytest
from api_examples import examples_of

from airflow_cloudtasks.catalog import WEDATA_SQL_RUN
from airflow_cloudtasks.protocol.sql_rows import rows_of, without_rows


def result(columns: list[str] | None, *rows: list[Any]) -> dict[str, Any]:
    """Return the result of one statement."""
    return {
        "Columns": None if columns is None else [{"ColumnName": name} for name in columns],
        "Rows": [{"Values": row} for row in rows],
    }


def test_returns_rows_as_dicts_by_column() -> None:
    detail = examples_of(WEDATA_SQL_RUN)[0].task["detail"]
    assert rows_of(detail) == ([{"id": "1", "name": "Alice"}, {"id": "2", "name": None}], 2)


def test_returns_the_rows_of_the_last_statement_with_columns_and_the_total_count() -> None:
    detail = {"Results": [result(["a"], ["1"], ["2"]), result(["b"], ["3"]), result([]), result(None)]}
    assert rows_of(detail) == ([{"b": "3"}], 3)


def test_a_statement_without_rows_is_the_last_one_too() -> None:
    assert rows_of({"Results": [result(["a"], ["1"]), result(["b"])]}) == ([], 1)


def test_numbers_columns_of_the_same_name() -> None:
    detail = {"Results": [result(["id", "id", "id_2", "id"], ["1", "2", "3", "4"])]}
    assert rows_of(detail) == ([{"id": "1", "id_2": "2", "id_2_2": "3", "id_3": "4"}], 1)


def test_accepts_rows_that_are_too_short_or_too_long() -> None:
    detail = {"Results": [result(["a", "b"], ["1"], ["1", "2", "3"], [])]}
    assert rows_of(detail) == ([{"a": "1"}, {"a": "1", "b": "2"}, {}], 3)


@pytest.mark.parametrize(
    "detail", [{}, {"Results": None}, {"Results": []}, {"Results": [None, "x"]}, {"Results": [{}]}]
)
def test_a_run_without_results_has_no_rows(detail: dict[str, Any]) -> None:
    assert rows_of(detail) == ([], 0)


@pytest.mark.parametrize("rows", [None, [{"Values": None}]])
def test_accepts_null_rows_and_null_values(rows: Any) -> None:
    found, _ = rows_of({"Results": [{"Columns": [{"ColumnName": "a"}], "Rows": rows}]})
    assert found == [{} for _ in rows or ()]


def test_without_rows_keeps_everything_else() -> None:
    detail = {"JobId": "j", "Results": [result(["a"], ["1"]), result(["b"], ["2"])]}
    assert without_rows(detail) == {"JobId": "j", "Results": [result(["a"]), result(["b"])]}
    assert rows_of(detail)[1] == 2


@pytest.mark.parametrize("results", [None, [], [None, "x"]])
def test_without_rows_accepts_results_without_rows(results: Any) -> None:
    assert without_rows({"Results": results}) == {"Results": []}
