"""Starts count by outcome: started, found, refused or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from airflow_cloudtasks.errors import (
    CloudTasksError,
    CredentialsError,
    InvalidConnection,
    StartUnknown,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.metrics.known import STARTS, Metric
from airflow_cloudtasks.metrics.send import WORKER
from airflow_cloudtasks.starting.counted import counted


class FakeStarter:
    """A starter whose start ends as it is told to."""

    region = "cn-shanghai"

    def __init__(self, error: BaseException | None = None, *, is_found: bool = False) -> None:
        self._error = error
        self.is_found = is_found

    def started(self) -> str:
        if self._error is not None:
            raise self._error
        return "the attempt"


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    counts: list[str | None] = []

    def count(metric: Metric, values: Mapping[str, str | None]) -> None:
        assert metric is STARTS
        assert (values["api"], values["conn_id"], values["region"]) == ("lke.task", "tencent_default", "cn-shanghai")
        counts.append(values["outcome"])

    monkeypatch.setattr(WORKER, "count", count)
    return counts


def start(starter: FakeStarter) -> Any:
    any_starter: Any = starter
    return counted(any_starter, "lke.task", "tencent_default")


@pytest.mark.parametrize(("is_found", "outcome"), [(False, "started"), (True, "found")])
def test_counts_a_start_that_has_begun(outcomes: list[str | None], is_found: bool, outcome: str) -> None:
    assert start(FakeStarter(is_found=is_found)) == "the attempt"
    assert outcomes == [outcome]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (StartUnknown("nobody can tell"), "unknown"),
        (TransientError("no answer"), "unknown"),
        (TransientError("not sent", unsent=True), "refused"),
        (Throttled("too many"), "refused"),
        (CredentialsError("no such key"), "refused"),
        (InvalidConnection("no such connection"), "refused"),
    ],
)
def test_counts_a_start_that_failed_and_raises_its_error(
    outcomes: list[str | None], error: CloudTasksError, outcome: str
) -> None:
    with pytest.raises(type(error)) as caught:
        start(FakeStarter(error))
    assert caught.value is error
    assert outcomes == [outcome]


def test_counts_no_start_that_a_kill_interrupts(outcomes: list[str | None]) -> None:
    with pytest.raises(KeyboardInterrupt):
        start(FakeStarter(KeyboardInterrupt()))
    assert outcomes == []
