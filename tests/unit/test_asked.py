"""What two tries compare: digests of what they ask for, and attempts of every earlier version."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.protocol.start_requests import look_up_scope, look_up_texts
from airflow_cloudtasks.starting.asked import Asked, agreement, digest_of, needed_params, old_digest
from airflow_cloudtasks.starting.attempt import Attempt

RUN, SQL, ICE, RERUN = (
    APIS[name] for name in ("wedata.workflow_run", "wedata.sql_run", "ice.workflow_task", "wedata.task_instance")
)
WORKFLOW = {"ProjectId": "7", "WorkflowId": "w"}
CHINA = timezone(timedelta(hours=8))
NOW = Asked(digest="2:d", api="a", action="A", conn_id="c", account="k", region="r")


def digest(parameters: dict[str, Any], api: Any = RUN) -> str:
    return digest_of(api, api.start(), parameters)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ({"AdvancedParams": {"a": "1", "b": "2"}}, {"AdvancedParams": {"b": "2", "a": "1"}}),
        ({"AdvancedParams": {"a": 1}}, {"AdvancedParams": '{"a": "1"}'}),
        ({"AdvancedParams": {"a": "1"}}, {"AdvancedParams": [{"ParamKey": "a", "ParamValue": "1"}]}),
        ({"TaskIds": ["1", "2"]}, {"TaskIds": '["1", "2"]'}),
        ({"TaskIds": [1, 2]}, {"TaskIds": ("1", "2")}),
        ({"TaskIds": {"b", "a", "c"}}, {"TaskIds": ["a", "b", "c"]}),
        ({"TaskIds": None}, {}),
        ({"ProjectId": 7}, {"ProjectId": "7"}),
        (
            {"AdvancedParams": {"at": datetime(2026, 1, 31, 12, tzinfo=UTC)}},
            {"AdvancedParams": {"at": datetime(2026, 1, 31, 20, tzinfo=CHINA)}},
        ),
        (
            {"AdvancedParams": {"at": datetime(2026, 1, 31, 12, tzinfo=UTC)}},
            {"AdvancedParams": {"at": "2026-01-31 20:00:00"}},
        ),
    ],
)
def test_equal_requests_have_one_digest(one: dict[str, Any], another: dict[str, Any]) -> None:
    assert digest(WORKFLOW | one) == digest(WORKFLOW | another)


def test_json_in_text_has_the_digest_of_its_value() -> None:
    one = {"WorkflowId": "w", "TaskInput": {"Media": "m", "Type": "OSS"}}
    another = {"WorkflowId": "w", "TaskInput": '{"Type":"OSS",  "Media":"m"}'}
    assert digest(one, ICE) == digest(another, ICE)


@pytest.mark.parametrize(
    "other",
    [
        {"WorkflowId": "x"},
        {"AdvancedParams": {"a": "2"}},
        {"AdvancedParams": {"b": "1"}},
        {"AdvancedParams": {}},
        {"TaskIds": ["1"]},
    ],
)
def test_other_requests_have_another_digest(other: dict[str, Any]) -> None:
    asked = WORKFLOW | {"AdvancedParams": {"a": "1"}}
    assert digest(asked) != digest(asked | other)


def test_the_order_of_a_list_counts() -> None:
    assert digest(WORKFLOW | {"TaskIds": ["1", "2"]}) != digest(WORKFLOW | {"TaskIds": ["2", "1"]})


def test_a_digest_is_the_same_in_every_process() -> None:
    # PYTHONHASHSEED decides the order of a set.
    program = (
        "from airflow_cloudtasks.catalog import APIS; from airflow_cloudtasks.starting.asked import digest_of; "
        "api = APIS['wedata.workflow_run']; ids = {'task-%d' % n for n in range(20)}; "
        "print(digest_of(api, api.start(), {'ProjectId': '7', 'WorkflowId': 'w', 'TaskIds': ids}))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


def test_a_digest_of_this_version_never_changes() -> None:
    """A digest that changes with an upgrade would make a running task another one. Then raise the prefix."""
    assert digest(WORKFLOW | {"AdvancedParams": {"a": "1"}, "TaskIds": [1]}) == (
        "2:"
        + hashlib.sha256(
            json.dumps(
                {
                    "AdvancedParams": [{"ParamKey": "a", "ParamValue": "1"}],
                    "ProjectId": "7",
                    "TaskIds": ["1"],
                    "WorkflowId": "w",
                }
            ).encode()
        ).hexdigest()
    )


def test_an_attempt_holds_no_parameter_but_those_that_name_the_task() -> None:
    secret = "hunter2-hunter2"
    parameters = WORKFLOW | {"AdvancedParams": {"password": secret}}
    assert needed_params(RUN, RUN.start(), parameters) == {"ProjectId": "7", "WorkflowId": "w"}
    asked = Asked(digest=digest(parameters), params=needed_params(RUN, RUN.start(), parameters))
    attempt = Attempt(run=1, progress="asking", token="t", sent_at=1.0, asked=asked)
    assert secret not in json.dumps(attempt.as_dict())


def test_needs_the_parameters_of_the_read_of_the_job_and_of_the_cancellation() -> None:
    parameters = {"ProjectId": "7", "InstanceKeyList": ["a"], "RerunType": "1"}
    assert needed_params(RERUN, RERUN.start(), parameters) == {"ProjectId": "7"}


@pytest.mark.parametrize(
    ("change", "agrees"),
    [
        ({}, "same"),
        ({"digest": "2:other"}, "other"),
        ({"api": "b"}, "elsewhere"),
        ({"action": "B"}, "elsewhere"),
        ({"region": "s"}, "elsewhere"),
        ({"conn_id": "renamed"}, "same"),
        ({"account": "rotated"}, "same"),
        ({"conn_id": "renamed", "account": "another"}, "elsewhere"),
        ({"conn_id": "renamed", "account": ""}, "elsewhere"),
        ({"digest": ""}, "unknown"),
        ({"digest": "3:d"}, "unknown"),
        ({"digest": "old"}, "same"),
    ],
)
def test_compares_requests_by_content_and_place(change: dict[str, str], agrees: str) -> None:
    assert agreement(replace(NOW, **change), NOW, "old") == agrees  # type: ignore[arg-type]


def test_recognises_the_digest_that_0_2_0_stored() -> None:
    stored = "7b0a9a2e1d0b6d5d6f2cc1f7a1b3d4e5"
    request = {"ProjectId": "7", "WorkflowId": "w"}
    asked = ["tencent_default", None, "wedata.workflow_run", "CreateTriggerWorkflowRun", request]
    now = old_digest(RUN, RUN.start(), {"ProjectId": 7, "WorkflowId": "w"}, "tencent_default", None)
    assert now == hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    assert agreement(Asked(digest=now), NOW, now) == "same"
    assert agreement(Asked(digest=stored), NOW, now) == "unknown"


def test_reads_what_each_version_stored() -> None:
    version_0_1_0 = {"run": 2, "stage": "begun", "token": "t", "sent_at": 5.0, "ids": ["e"], "job": None, "asked": "d"}
    version_0_2_0 = {**version_0_1_0, "progress": version_0_1_0["stage"]}
    del version_0_2_0["stage"]
    expected = Attempt(run=2, progress="begun", token="t", sent_at=5.0, ids=("e",), asked=Asked(digest="d"))
    assert Attempt.from_dict(version_0_1_0) == Attempt.from_dict(version_0_2_0) == expected
    without_asked = {name: value for name, value in version_0_2_0.items() if name != "asked"}
    assert Attempt.from_dict(without_asked) == replace(expected, asked=Asked())


def test_reads_what_it_stored_and_ignores_fields_of_later_versions() -> None:
    attempt = Attempt(
        run=1,
        progress="asking",
        token="t",
        sent_at=1.0,
        asked=replace(NOW, params={"ProjectId": "7"}),
        identity="row",
        is_ours=False,
    )
    stored = json.loads(json.dumps(attempt.as_dict()))
    assert Attempt.from_dict(stored) == attempt
    later = {**stored, "new": 1, "asked": {**stored["asked"], "newer": 2}}
    assert Attempt.from_dict(later) == attempt


@pytest.mark.parametrize(
    ("api", "action", "parameters", "others"),
    [
        ("wedata.sql_run", None, {"ProjectId": "1", "ScriptId": "2"}, ["Params", "ScriptConfig"]),
        ("wedata.workflow_run", None, {"ProjectId": "1", "WorkflowId": "2"}, ["AdvancedParams", "TaskIds"]),
    ],
)
def test_starts_whose_look_ups_may_find_each_others_tasks_have_one_scope(
    api: str, action: str | None, parameters: dict[str, Any], others: list[str]
) -> None:
    start = APIS[api].start(action)
    more = {name: {"x": "1"} for name in others}
    assert look_up_scope(start, parameters | more) == parameters
    assert look_up_scope(start, parameters) == parameters


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ({"ResourceType": " ACS::ECS::Instance"}, {"ResourceType": "ACS::ECS::Instance"}),
        ({}, {}),
        ({"ResourceType": None}, {}),
        ({"ResourceType": " "}, {}),
        ({"ResourceType": ["ACS::ECS::Instance"]}, {}),
        ({"ResourceType": '["ACS::ECS::Instance"]'}, {}),
    ],
)
def test_only_texts_tell_requests_without_ids_apart(given: dict[str, Any], texts: dict[str, str]) -> None:
    start = APIS["bdrc.task"].start("UpdateResources")
    assert look_up_scope(start, given) == {}
    assert look_up_texts(start, given) == texts


def test_without_a_look_up_nothing_is_told_apart() -> None:
    start = APIS["bdrc.task"].start("CheckRules")
    assert (look_up_scope(start, {}), look_up_texts(start, {})) == ({}, {})
