"""Durations and deadlines: one rule for every argument, and one start for both limits of a try."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_cloudtasks.waiting.limits import TimeLimits, seconds


@pytest.mark.parametrize(("value", "expected"), [(0, 0.0), (1.5, 1.5), (timedelta(minutes=2), 120.0), (9.9e9, 9.9e9)])
def test_reads_numbers_and_timedeltas(value: Any, expected: float) -> None:
    assert seconds("timeout", value) == expected


@pytest.mark.parametrize("value", [-1, timedelta(-1), float("inf"), float("nan"), True, "60", None, [60]])
def test_names_the_argument_that_is_no_duration(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"^max_wait is .*; expected a number of seconds of at least 0, or a timedelta"
    ):
        seconds("max_wait", value)


@pytest.mark.parametrize("value", [1e10, 1e12, timedelta.max, 10**400])
def test_names_the_argument_that_is_too_long_for_a_date(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^timeout is .*; expected less than 1e\+10 seconds"):
        seconds("timeout", value)


@pytest.mark.parametrize(
    ("execution_timeout", "binding", "deadline"),
    [(None, "timeout", 1_060), (30, "execution_timeout", 1_030), (60, "timeout", 1_060), (90, "timeout", 1_060)],
)
def test_the_shorter_limit_binds_and_counts_from_the_start(
    execution_timeout: float | None, binding: str, deadline: float
) -> None:
    limits = TimeLimits(started_at=1_000, timeout=60, execution_timeout=execution_timeout)
    assert (limits.binding, limits.deadline) == (binding, deadline)
    assert limits.seconds_left(now=1_020) == deadline - 1_020
    assert str(limits) == f"{binding} of {deadline - 1_000} seconds"
