"""Tasks whose status is two percentages, and tasks whose progress counts up to a number in the task object."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from airflow_cloudtasks.catalog import LKE_TASK
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.spec import Percentages

PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, EXPIRED, SKIPPED, UNKNOWN = TaskState

PERCENTAGES = dataclasses.replace(
    LKE_TASK,
    status=Percentages(complete="Complete", succeeded="Success"),
    states={"incomplete": RUNNING, "complete": SUCCEEDED, "complete with failures": FAILED},
    message=None,
    progress="Complete",
    progress_whole=100,
)
COUNTS = dataclasses.replace(LKE_TASK, progress="Finished", progress_whole="Total")


def read(overrides: StatusOverrides | None = None, **fields: Any) -> CloudTask:
    return normalise(PERCENTAGES, fields, parameters={"TaskId": "t"}, overrides=overrides or StatusOverrides())


@pytest.mark.parametrize(
    ("complete", "success", "state", "status"),
    [
        (0, 0, RUNNING, "incomplete"),
        (99, 99, RUNNING, "incomplete"),
        (50, None, RUNNING, "incomplete"),
        (100, 100, SUCCEEDED, "complete"),
        ("100", " 100", SUCCEEDED, "complete"),
        (101, 100.0, SUCCEEDED, "complete"),
        (100, 99, FAILED, "complete with failures"),
        (100, 0, FAILED, "complete with failures"),
        (100, None, UNKNOWN, None),
        # Numbers that are no percentages, and texts that only Python takes for numbers.
        (100, 250, UNKNOWN, None),
        (100, -1, UNKNOWN, None),
        (100, "1_00", UNKNOWN, None),
        ("1_00", 100, UNKNOWN, None),
        (100, "\uff11\uff10\uff10", UNKNOWN, None),
        (None, 100, UNKNOWN, None),
        (None, None, UNKNOWN, None),
        ("done", 100, UNKNOWN, None),
        (100, [100], UNKNOWN, None),
        (float("nan"), 100, UNKNOWN, None),
        (True, True, UNKNOWN, None),
    ],
)
def test_two_percentages_decide_the_state(complete: Any, success: Any, state: TaskState, status: str | None) -> None:
    task = read(Complete=complete, Success=success)
    assert (task.state, task.status) == (state, status)


def test_str_shows_both_percentages() -> None:
    assert str(read(Complete=80, Success=75)) == "lke.task t is running [incomplete] 80% - 75% succeeded"
    assert str(read(Complete=100, Success=75)) == "lke.task t is failed [complete with failures] 100% - 75% succeeded"


def test_a_status_override_accepts_a_partial_success() -> None:
    assert read(StatusOverrides(success=["Complete with failures"]), Complete=100, Success=75).state is SUCCEEDED
    assert read(StatusOverrides(success=["complete with failures"]), Complete=99, Success=75).state is RUNNING


def test_a_change_of_either_percentage_changes_the_fingerprint() -> None:
    pairs = [(50, 50), (60, 50), (60, 60)]
    assert (
        len({fingerprint(PERCENTAGES, {"Complete": complete, "Success": success}) for complete, success in pairs}) == 3
    )


@pytest.mark.parametrize(
    ("finished", "total", "progress"),
    [
        (1, 4, 0.25),
        (4, 4, 1.0),
        (0, 4, 0.0),
        *((1, total, None) for total in (0, -1, None, "4", [4], float("nan"), float("inf"), 10**400)),
        (None, 4, None),
    ],
)
def test_progress_counts_up_to_the_tasks_own_total(finished: Any, total: Any, progress: float | None) -> None:
    fields = {"Status": "RUNNING", "Finished": finished, "Total": total}
    assert normalise(COUNTS, fields, parameters={"TaskId": "t"}).progress == progress
