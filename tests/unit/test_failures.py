"""No task is a success while a part of it has failed, whatever its own status says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.doctor.anonymous import Anonymous
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise_object
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.spec import Failure, TaskApi
from airflow_cloudtasks.values import every_at

STEPS = Failure(path="Steps.*.State", values=("FAIL", "ERROR"))
FLAG = Failure(path="Checks.*.Passed", values=("false",))
NESTED = Failure(path="Results.*.*.Code", values=("-1",))
REASON = Failure(path="Reason")
API = replace(APIS["oos.execution"], failures=(STEPS, FLAG, NESTED, REASON))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("AB*"), inner, max_size=3),
    max_leaves=12,
)


def state(**task: Any) -> TaskState:
    task = {"ExecutionId": "e", "Status": "Success", **task}
    return normalise_object(API, task, task, parameters={"ExecutionId": "e"}).state


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"Steps": []},
        {"Steps": None},
        {"Steps": "FAIL"},
        {"Steps": [{"State": "DONE"}, {}, None, 7]},
        {"Results": {"a": [{"Code": 0}], "b": []}},
        {"Checks": [{"Passed": True}, {"Passed": None}, {"Passed": 0}, {"Passed": ["false"]}]},
        {"Steps": [{"State": "FAILSAFE"}, {"State": True}, {"State": {"State": "FAIL"}}]},
        {"Reason": "  "},
        {"Reason": 0},
        {"Reason": False},
        {"Reason": []},
        {"Reason": {}},
        {"Reason": None},
    ],
)
def test_a_success_without_a_failed_part_is_one(task: dict[str, Any]) -> None:
    assert state(**task) is TaskState.SUCCEEDED


@pytest.mark.parametrize(
    "task",
    [
        {"Steps": [{"State": "DONE"}, {"State": "FAIL"}]},
        {"Steps": [{"State": " fail "}]},
        {"Steps": {"first": {"State": "Error"}}},
        {"Results": {"a": [{"Code": 0}], "b": [{"Code": -1}]}},
        {"Steps": [None, "x", {"State": ["FAIL"]}, {"State": "FAIL"}]},
        {"Checks": {"disk": {"Passed": True}, "net": {"Passed": False}}},
        {"Checks": [{"Passed": "FALSE"}]},
        {"Reason": "disk gone"},
        {"Reason": True},
        {"Reason": {"code": 1}},
    ],
)
def test_a_failed_part_is_a_failure(task: dict[str, Any]) -> None:
    assert state(**task) is TaskState.FAILED


@pytest.mark.parametrize(("status", "expected"), [("Running", TaskState.RUNNING), ("Cancelled", TaskState.CANCELED)])
def test_only_a_success_is_changed(status: str, expected: TaskState) -> None:
    assert state(Status=status, Steps=[{"State": "FAIL"}]) is expected


@given(st.lists(JSON, max_size=3), st.lists(JSON, max_size=3))
def test_a_failed_part_among_any_others_is_a_failure(before: list[Any], after: list[Any]) -> None:
    assert state(Steps=[*before, {"State": "FAIL"}, *after]) is TaskState.FAILED


@given(JSON, st.lists(st.sampled_from(["A", "B", "*", "0"]), min_size=1, max_size=4))
def test_a_path_with_wildcards_reads_any_json(data: Any, keys: list[str]) -> None:
    found = every_at(data, ".".join(keys))
    assert all(value is not None for value in found)


def test_the_user_may_call_a_status_a_success_whatever_the_parts_say() -> None:
    task = {"ExecutionId": "e", "Status": "Success", "Reason": "a warning"}
    overrides = StatusOverrides(success=["Success"])
    found = normalise_object(API, task, task, parameters={"ExecutionId": "e"}, overrides=overrides)
    assert found.state is TaskState.SUCCEEDED


def test_an_anonymised_answer_keeps_its_failed_part() -> None:
    steps = [{"State": "DONE", "Name": "acme"}, {"State": "Fail"}, {"State": "PARTLY_LOST"}]
    answer = Anonymous(API).answer({"Status": "Success", "Steps": steps})
    assert state(**answer) is TaskState.FAILED
    assert [each["State"] for each in answer["Steps"]] == ["DONE", "Fail", "PARTLY_LOST"]
    assert "acme" not in json.dumps(answer)


def test_a_part_that_fails_is_a_change() -> None:
    running, failed = ({"Status": "Success", "Steps": [{"State": each}]} for each in ("DONE", "FAIL"))
    assert fingerprint(API, running) != fingerprint(API, failed)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"path": ""}, "the path of a failure is ''"),
        ({"path": "Steps..State"}, r"the path of a failure is 'Steps\.\.State'"),
        ({"path": "Steps. .State"}, r"the path of a failure is 'Steps\. \.State'"),
        ({"path": "State", "values": "FAIL"}, "State: the values of a failure are 'FAIL'; expected a tuple of texts"),
        ({"path": "State", "values": ("",)}, "State: the values of a failure are"),
        ({"path": "State", "values": (1,)}, "State: the values of a failure are"),
    ],
)
def test_refuses_a_failure_that_can_never_be_seen(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Failure(**arguments)


def test_a_spec_stored_by_an_older_version_keeps_its_field_of_failure() -> None:
    stored = json.loads(json.dumps(APIS["bpstudio.task"].as_dict()))
    del stored["failures"]
    assert TaskApi.from_dict({**stored, "error_if": "ErrorMessage"}) == APIS["bpstudio.task"]
    assert TaskApi.from_dict({**stored, "error_if": None}).failures == ()
    assert TaskApi.from_dict({**stored, "error_if": ""}).failures == ()
    assert TaskApi.from_dict(json.loads(json.dumps(API.as_dict()))) == API
