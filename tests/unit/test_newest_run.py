"""The newest run of a workflow is the newest that has ended, or else the newest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides

from .every_action import example_outputs


def test_the_newest_run_is_the_first_of_the_example_list() -> None:
    api = APIS["wedata.newest_workflow_run"]
    [answer] = example_outputs(api, api.read)
    task = normalise(api, answer, parameters={"ProjectId": "1", "WorkflowId": "w"})
    assert (task.id, task.status) == ("8eea49e5-6ff1-43c2-9a09-9d263be0254a", "QUEUED")
    assert task.created_at == datetime(2025, 12, 24, 12, 20, 0, 35000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "overrides", "chosen"),
    [
        (["RUNNING", "SUCCESS", "FAILED"], NO_OVERRIDES, 1),
        (["PENDING", "RUNNING", "FAILED", "SUCCESS"], NO_OVERRIDES, 2),
        (["RUNNING", "PENDING"], NO_OVERRIDES, 0),
        (["RUNNING", "NEW_WORD"], NO_OVERRIDES, 0),
        (["RUNNING", "NEW_WORD"], StatusOverrides.of(["NEW_WORD"], []), 1),
    ],
)
def test_the_newest_run_is_the_newest_that_has_ended(
    statuses: list[str], overrides: StatusOverrides, chosen: int
) -> None:
    runs = [{"ExecutionId": f"e{number}", "ExecutionState": status} for number, status in enumerate(statuses)]
    api = APIS["wedata.newest_workflow_run"]
    task = normalise(api, {"Data": {"Items": runs}}, parameters={"WorkflowId": "w"}, overrides=overrides)
    assert (task.id, task.status) == (f"e{chosen}", statuses[chosen])


def test_a_workflow_that_has_not_run_has_no_newest_run() -> None:
    with pytest.raises(NotFound):
        normalise(APIS["wedata.newest_workflow_run"], {"Data": {"Items": []}}, parameters={"WorkflowId": "w"})
