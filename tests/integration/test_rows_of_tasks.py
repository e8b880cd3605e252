"""Rows are read once a task has succeeded. What cannot be read fails the try, and a retry starts nothing again."""

from __future__ import annotations

from typing import Any

import pytest
from in_process import Run

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudApiError, CloudTaskFailed, NotFound
from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator, StartCloudTaskOperator
from airflow_cloudtasks.operators.dlc import DlcRunSparkAppOperator, DlcRunSqlOperator
from airflow_cloudtasks.operators.tencent import WeDataRunSqlOperator

ROWS = [{"day": "2026-01-01", "orders": "17"}, {"day": "2026-01-02", "orders": None}]
IN_THE_WORKER_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def run_sql(**arguments: Any) -> DlcRunSqlOperator:
    return DlcRunSqlOperator(**{"task_id": "sql", "sql": "SELECT 1", "poke_interval": 0.2, "timeout": 30, **arguments})


def asked_for_rows(cloud: Emulator) -> int:
    return len([each for each in cloud.requests() if each["api"] == "dlc.task_result"])


@IN_THE_WORKER_AND_DEFERRED
def test_returns_the_rows_of_a_statement(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_running("dlc.task", 0.3)
    airflow = Run()
    result = airflow(run_sql(deferrable=deferrable))
    assert (result["state"], result["rows"]) == ("succeeded", ROWS)
    assert airflow.xcoms["rows"] == ROWS
    assert asked_for_rows(cloud) == 1


def test_returns_rows_of_several_pages(cloud: Emulator) -> None:
    rows = [[str(number), "x"] for number in range(2_500)]
    cloud.next_running("dlc.task", 0, fields={"ResultSet": rows})
    result = Run()(run_sql(max_rows=2_500))
    assert [[*row.values()] for row in result["rows"]] == rows
    assert asked_for_rows(cloud) == 3


@pytest.mark.parametrize(
    ("result_set", "rows", "requests"),
    [([], [], 1), ([["1", "2"]] * 1_001, None, 2), ([["x" * 9_000_000, "y" * 1_000_001]], None, 1)],
    ids=["empty", "many", "long"],
)
def test_an_empty_result_is_no_row_and_a_huge_one_is_none(
    cloud: Emulator, result_set: Any, rows: Any, requests: int
) -> None:
    cloud.next_running("dlc.task", 0, fields={"ResultSet": result_set})
    assert Run()(run_sql())["rows"] == rows
    assert asked_for_rows(cloud) == requests


def test_asks_for_no_rows_without_max_rows(cloud: Emulator) -> None:
    for operator in (run_sql(max_rows=None), DlcRunSparkAppOperator(task_id="app", job_name="j", poke_interval=0.2)):
        cloud.next_running("dlc.task", 0)
        assert "rows" not in Run()(operator)
    assert asked_for_rows(cloud) == 0


def test_a_statement_that_has_failed_is_asked_for_no_rows(cloud: Emulator) -> None:
    cloud.next_running("dlc.task", 0, "failed")
    with pytest.raises(CloudTaskFailed):
        Run()(run_sql())
    assert asked_for_rows(cloud) == 0


@pytest.mark.parametrize("fault", ["http_500", "throttle", "reset", "bad_json", "html"])
def test_a_failed_request_for_rows_is_repeated(cloud: Emulator, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    cloud.next_running("dlc.task", 0)
    cloud.fault(fault, count=1, api="dlc.task_result")
    assert Run()(run_sql())["rows"] == ROWS


@pytest.mark.parametrize("fault", ["http_500", "throttle", "hang"])
@IN_THE_WORKER_AND_DEFERRED
def test_rows_that_cannot_be_read_fail_the_try_and_the_next_one_reads_them(
    cloud: Emulator, fault: str, deferrable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _: None)
    cloud.next_running("dlc.task", 0)
    cloud.fault(fault, seconds=0.05 if fault == "hang" else None, api="dlc.task_result")
    airflow = Run()
    with pytest.raises(CloudApiError, match=r"dlc\.task \S+ has succeeded, but its rows are unread: ") as failure:
        airflow(run_sql(deferrable=deferrable))
    assert failure.value.retryable
    cloud.clear_faults()
    assert airflow(run_sql(deferrable=deferrable))["rows"] == ROWS
    assert len(cloud.started("dlc.task")) == 1


def test_a_result_that_the_vendor_no_longer_has_is_not_an_empty_one(cloud: Emulator) -> None:
    cloud.add_finished("dlc.task", "t1")
    cloud.add_finished("dlc.task", "t2", fields={"ResultSet": None})
    read = {"task_id": "read", "api": "dlc.task", "max_rows": 10}
    assert Run()(GetCloudTaskOperator(cloud_task_id="t1", **read))["rows"] == ROWS
    with pytest.raises(NotFound, match="t2 has succeeded, but its rows are unread: DLC holds no result of the task"):
        Run()(GetCloudTaskOperator(cloud_task_id="t2", **read))


def test_a_task_that_has_not_succeeded_has_no_rows_to_read(cloud: Emulator) -> None:
    cloud.add_running("dlc.task", "t1")
    read = GetCloudTaskOperator(task_id="read", api="dlc.task", cloud_task_id="t1", max_rows=10)
    assert Run()(read)["rows"] is None
    cloud.next_running("dlc.task")
    assert Run()(run_sql(wait_for_completion=False))["rows"] is None
    assert asked_for_rows(cloud) == 0


def test_the_operator_for_any_api_returns_rows_on_request(cloud: Emulator) -> None:
    cloud.next_running("dlc.task", 0)
    arguments: dict[str, Any] = {"api": "dlc.task", "parameters": {"JobName": "j"}, "action": "CreateSparkAppTask"}
    assert Run()(StartCloudTaskOperator(task_id="start", **arguments, max_rows=2))["rows"] == ROWS


@pytest.mark.parametrize("max_rows", [-1, True, 1.0, "10"])
def test_refuses_a_number_of_rows_that_is_none(max_rows: Any) -> None:
    with pytest.raises(ValueError, match=r"max_rows is .*; expected a whole number of rows, or None for no rows"):
        WeDataRunSqlOperator(task_id="sql", project_id="p", script_id="s", max_rows=max_rows)


def test_refuses_max_rows_where_tasks_have_no_rows() -> None:
    with pytest.raises(ValueError, match=r"tat\.invocation returns no rows: omit max_rows"):
        GetCloudTaskOperator(task_id="read", api="tat.invocation", cloud_task_id="t1", max_rows=10)
