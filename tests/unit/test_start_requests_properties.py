"""A listed task that shows what a start request sent is a candidate, whatever was sent and in either form."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.start_requests import earliest_creation, expected_fields, is_candidate
from airflow_cloudtasks.spec.names import why_no_name

RUN = APIS["wedata.workflow_run"]
START = RUN.start()
SENT_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)

WORDS = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
PLAIN = st.one_of(WORDS, st.integers(), st.booleans())
IDS = WORDS.filter(lambda word: why_no_name(word) is None)
PARAMETERS = st.fixed_dictionaries(
    {"ProjectId": IDS, "WorkflowId": IDS},
    optional={"AdvancedParams": st.dictionaries(WORDS, PLAIN, max_size=3), "TaskIds": st.lists(IDS, max_size=3)},
)


def listed(parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The run in the vendor's list, with the parameters as they were sent."""
    sent = encode(RUN, START, parameters)
    return {
        "ExecutionId": "e",
        "WorkflowId": sent["WorkflowId"],
        "TriggerType": "ManualTrigger",
        "WorkflowParams": json.dumps(sent.get("AdvancedParams")),
        "SelectedTaskIds": sent.get("TaskIds"),
        **changes,
    }


def is_found(parameters: dict[str, Any], task: dict[str, Any]) -> bool:
    since = earliest_creation(SENT_AT.timestamp())
    return is_candidate(START, expected_fields(RUN, START, parameters), task, SENT_AT, since)


@given(PARAMETERS)
def test_a_task_that_shows_the_parameters_as_sent_is_a_candidate(parameters: dict[str, Any]) -> None:
    assert is_found(parameters, listed(parameters))


@given(PARAMETERS)
def test_a_task_that_shows_the_parameters_as_given_is_a_candidate(parameters: dict[str, Any]) -> None:
    shown = json.dumps(parameters.get("AdvancedParams"))
    assert is_found(parameters, listed(parameters, WorkflowParams=shown, SelectedTaskIds=parameters.get("TaskIds")))


@given(PARAMETERS, st.lists(WORDS, max_size=3))
def test_a_task_that_shows_more_is_a_candidate(parameters: dict[str, Any], more: list[str]) -> None:
    shown = [*parameters.get("TaskIds", ()), *more]
    assert is_found(parameters, listed(parameters, SelectedTaskIds=shown))


@pytest.mark.parametrize("field", ["WorkflowId", "TriggerType"])
@given(parameters=PARAMETERS)
def test_a_task_that_lacks_a_required_field_is_none(field: str, parameters: dict[str, Any]) -> None:
    task = listed(parameters)
    del task[field]
    assert not is_found(parameters, task)


@given(PARAMETERS, WORDS)
def test_a_task_that_lacks_a_parameter_is_none(parameters: dict[str, Any], name: str) -> None:
    requested = {**parameters, "AdvancedParams": {**parameters.get("AdvancedParams", {}), name: "requested"}}
    shown = {**requested["AdvancedParams"], name: "another value"}
    assert not is_found(requested, listed(requested, WorkflowParams=json.dumps(shown)))
