"""The ids and statuses of a wait, after templates are rendered."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.protocol.task_ids import is_many, task_ids


@pytest.mark.parametrize(
    ("given", "ids", "many"),
    [
        ("7", ("7",), False),
        (7, ("7",), False),
        (["7"], ("7",), True),
        (("a", 2), ("a", "2"), True),
        (range(2), ("0", "1"), True),
    ],
)
def test_accepts_ids_that_are_text_or_integers(given: Any, ids: tuple[str, ...], many: bool) -> None:
    assert (task_ids(given), is_many(given)) == (ids, many)


@pytest.mark.parametrize(
    "given", [None, "", "  ", [], (), [None, "1"], ["1", ""], {"TaskId": "1"}, b"12", True, 1.5, [["1"]]]
)
def test_refuses_an_invalid_id(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="cloud_task_id turned out to be"):
        task_ids(given)


@pytest.mark.parametrize("given", ["RUNNING", None, 7, {"RUNNING": 1}])
def test_refuses_statuses_that_are_no_list(given: Any) -> None:
    with pytest.raises(InvalidArguments, match="expected a list of statuses"):
        StatusOverrides.of(given, ())
    with pytest.raises(InvalidArguments, match="expected a list of statuses"):
        StatusOverrides.of((), given)


def test_refuses_a_status_that_is_both_success_and_failure() -> None:
    with pytest.raises(InvalidArguments, match="both hold"):
        StatusOverrides.of(["R"], ["r "])
