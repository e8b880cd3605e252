"""What Tencent Cloud's own examples ask for is taken, and what they answer is understood."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tccli_examples import is_usable

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.cancel_requests import refusals
from airflow_cloudtasks.protocol.normalise import normalise, normalise_object
from airflow_cloudtasks.protocol.start_requests import read_start_answer
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import at

from .every_action import example_inputs, example_outputs, examples, lists, pages_of
from .test_contract import TENCENT

STARTS = [
    (APIS[name], start)
    for name in TENCENT
    for start in APIS[name].starts
    if is_usable(APIS[name].service.name, start.action.name)
]
EVERY_START = pytest.mark.parametrize(
    ("api", "start"), STARTS, ids=[f"{api.name} {start.action.name}" for api, start in STARTS]
)


@EVERY_START
def test_the_example_requests_of_a_start_are_taken(api: TaskApi, start: Any) -> None:
    for parameters in example_inputs(api, start.action):
        start.check(parameters)
    assert examples(api, start.action)


@EVERY_START
def test_the_example_answers_of_a_start_have_the_id(api: TaskApi, start: Any) -> None:
    both = zip(example_inputs(api, start.action), example_outputs(api, start.action), strict=True)
    for parameters, answer in both:
        if api.service.name == "lke":
            # The definition has a TaskId, and the examples are older.
            assert set(answer) == {"RequestId"}
            answer["TaskId"] = "8"
        found = read_start_answer(api, start, parameters, answer)
        assert all(found.ids)
        assert (found.job is None) is (start.job is None)


@pytest.mark.parametrize("name", TENCENT)
def test_the_example_answers_of_a_read_are_tasks_of_a_known_state(name: str) -> None:
    api = APIS[name]
    # Some examples are lists without a task.
    for answer in filter(lambda answer: at(answer, api.task) is not None, example_outputs(api, api.read)):
        listed = at(answer, f"{api.list_tasks.tasks}.0.{api.id}") if api.find_in_list and api.list_tasks else None
        task = normalise(api, answer, parameters={api.id_param: listed or "asked-for"})
        assert task.state is not TaskState.UNKNOWN
        assert task.id


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


# The list of a SQL script's runs has a status of another kind, S, and tells ids only.
LISTED = [name for name in TENCENT if lists(APIS[name])]


@pytest.mark.parametrize("name", LISTED)
def test_the_example_answers_of_a_list_hold_tasks(name: str) -> None:
    api = APIS[name]
    for listing in lists(api):
        for answer in example_outputs(api, listing.action):
            listed = pages_of(api, listing).take(answer)
            tasks = [normalise_object(api, each, answer, parameters={}) for each in listed]
            assert all(task.id != "x" for task in tasks)
            assert tasks or at(answer, listing.total or "") == 0


@pytest.mark.parametrize("name", [name for name in TENCENT if APIS[name].cancel])
def test_the_example_answers_of_a_cancel_refuse_nothing(name: str) -> None:
    cancel = APIS[name].cancel
    assert cancel is not None
    assert [refusals(cancel, answer) for answer in example_outputs(APIS[name], cancel.action)] == [[]]
