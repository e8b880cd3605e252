"""The parts of every result are XComs, also those without a value, in whatever mode the result was waited for."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.utils.session import create_session
from outputs import PARTS, WAITS
from results import xcoms_of
from running import returned, run_dag

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.version_compat import STORES_NONE

ROWS = {
    "Results": [{"Columns": [{"ColumnName": "n"}], "Rows": [{"Values": ["1"]}, {"Values": ["2"]}]}],
}
TASKS = [*WAITS, "read"]


@pytest.fixture(scope="module")
def taken(airflow_home: Any, emulator: Emulator) -> dict[str, Any]:
    """What the next task took from each result."""
    emulator.reset()
    for number, task_id in enumerate(TASKS, 1):
        emulator.add_running("bdrc.task", task_id, 3 * number)
    emulator.next_running("wedata.sql_run", 0, fields=ROWS)
    states = run_dag("outputs")
    assert set(states.values()) == {"success"}, states
    parts: dict[str, Any] = returned("outputs")["use"]
    return parts


@pytest.mark.parametrize("task_id", TASKS)
def test_next_task_takes_parts_of_a_wait_and_of_a_read(taken: dict[str, Any], task_id: str) -> None:
    result = returned("outputs")[task_id]
    assert taken[task_id] == {part: result[part] for part in PARTS}
    assert (taken[task_id]["id"], taken[task_id]["console_url"]) == (task_id, None)
    assert taken[task_id]["detail"]["TaskId"] == task_id


def test_next_task_gets_none_for_too_many_rows(taken: dict[str, Any]) -> None:
    assert taken["sql"] == {"rows": None, "started_at": None}


def test_a_list_that_another_task_returned_has_no_parts(taken: dict[str, Any]) -> None:
    assert [task["id"] for task in returned("outputs")["listed"]] == ["read", "poke"]
    assert taken["listed"] is None


@pytest.mark.parametrize("task_id", TASKS)
def test_stores_every_part_of_the_result(taken: dict[str, Any], task_id: str) -> None:
    with create_session() as session:
        xcoms = xcoms_of("outputs", session)[task_id]
    result = xcoms.pop("return_value")
    parts = {name: value for name, value in result.items() if value is not None or STORES_NONE}
    assert {name: value for name, value in xcoms.items() if name in result} == parts
