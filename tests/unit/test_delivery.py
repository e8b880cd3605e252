"""Answers on their way to the waits: which ends count as noticed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.waiting.triggerer.delivery import Delivery, always
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule
from airflow_cloudtasks.waiting.triggerer.watch import Watch
from airflow_cloudtasks.waiting.verdicts import Verdict, WaitRules

from .simulated_time import run_simulated

API = APIS["wedata.workflow_run"]
FAILED = CloudTask(
    api=API.name, cloud="tencent", id="r", state=TaskState.FAILED, status="FAILED", finished_at=datetime.now(UTC)
)


class Noted:
    """Notes what a watch and the metrics are told."""

    def __init__(self) -> None:
        self.noticed_tasks: list[CloudTask] = []
        self.ends: list[Verdict | BaseException] = []

    def noticed(self, task: CloudTask) -> None:
        self.noticed_tasks.append(task)

    def tell(self, line: str) -> None:
        return None

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        self.ends.append(verdict)


@pytest.mark.parametrize(
    ("rules", "asked_at", "ends"),
    [
        ([WaitRules()], 1.0, 1),
        ([WaitRules(), WaitRules()], 1.0, 2),
        # The wait goes on until the task is run again.
        ([WaitRules(on_failure="wait")], 1.0, 0),
        ([WaitRules(on_failure="wait"), WaitRules()], 1.0, 1),
        # The request was sent before the wait began.
        ([WaitRules()], -1.0, 0),
    ],
)
def test_only_an_end_that_ends_a_wait_counts_as_noticed(rules: list[WaitRules], asked_at: float, ends: int) -> None:
    noted = Noted()

    async def body() -> None:
        schedule = Schedule(API)
        metrics: Any = noted
        for index, each in enumerate(rules):
            watch = Watch(noted, index, each, NO_OVERRIDES, deadline=1e9, now=0.0)
            subject = schedule.add({"ProjectId": "1", "WorkflowExecutionId": "r"}, watch, 0.0)
        await Delivery(schedule, metrics).deliver(subject, always(FAILED), asked_at)

    run_simulated(body())
    assert len(noted.ends) == ends
    assert len(noted.noticed_tasks) == min(ends, 1)
