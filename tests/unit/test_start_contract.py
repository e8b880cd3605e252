"""Requests that start, read, list, cancel and explain tasks follow Tencent Cloud's own definitions, which tccli holds.

For Alibaba Cloud, test_start_clients.py compares requests with those of its clients.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from api_examples import read

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests
from airflow_cloudtasks.protocol.explain import explanation
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.spec.action import Action

from .every_action import every_action, example_outputs, lists, pages_of
from .test_contract import TENCENT, defined, definitions

_TYPES = {"string": str, "int": int, "bool": bool, "list": list, "object": dict, "float": float}


def mistakes(api: TaskApi, action: Action, request: Mapping[str, Any]) -> list[str]:
    """Return where a request deviates from its definition, at any depth."""
    return _mistakes(api, defined(api, action)["input"], request, action.name)


def _mistakes(api: TaskApi, name: str, given: Mapping[str, Any], at: str) -> list[str]:
    objects = definitions(api.service.name, api.service.version)["objects"]
    members = {member["name"]: member for member in objects[name]["members"]}
    found = [f"{at}.{name}: unknown" for name in given if name not in members]
    found += [f"{at}.{name}: missing" for name, member in members.items() if member["required"] and name not in given]
    for name, value in given.items():
        member = members.get(name, {"type": "string", "member": "string"})
        if type(value) is not _TYPES[member["type"]]:
            found.append(f"{at}.{name}: {value!r} is no {member['type']}")
            continue
        for item in value if isinstance(value, list) else [value]:
            if member["member"] in objects and isinstance(item, dict):
                found += _mistakes(api, member["member"], item, f"{at}.{name}")
            elif member["type"] == "list" and (member["member"] in objects or not isinstance(item, str)):
                found.append(f"{at}.{name}: {item!r} is no {member['member']}")
    return found


def test_the_checker_finds_deviations_from_the_definitions() -> None:
    api = APIS["wedata.backfill"]
    given = {"ProjectId": 1, "TaskIds": [1], "DataBackfillRangeList": [{"Start": ""}], "SkipEventListening": 1}
    assert mistakes(api, api.starts[0].action, given | {"Plan": ""}) == [
        "CreateDataBackfillPlan.Plan: unknown",
        "CreateDataBackfillPlan.ProjectId: 1 is no string",
        "CreateDataBackfillPlan.TaskIds: 1 is no string",
        "CreateDataBackfillPlan.DataBackfillRangeList.Start: unknown",
        "CreateDataBackfillPlan.SkipEventListening: 1 is no bool",
    ]
    assert mistakes(api, api.read, {"ProjectId": "1"}) == ["GetDataBackfillPlan.DataBackfillPlanId: missing"]


@every_action(TENCENT)
def test_tencents_definitions_accept_the_parameters_of_the_catalog(api: TaskApi, action: Action) -> None:
    objects = definitions(api.service.name, api.service.version)["objects"]
    members = {member["name"]: member["required"] for member in objects[defined(api, action)["input"]]["members"]}
    assert set(action.members) <= set(members)
    assert {name for name, required in members.items() if required} <= {*action.params, *action.template}


@pytest.mark.parametrize("name", TENCENT)
def test_the_read_request_follows_tencents_definitions(name: str) -> None:
    api = APIS[name]
    reading = Reading(api, api.parameters("7", dict.fromkeys((*api.task_params, *api.read.optional), "1")))
    assert mistakes(api, api.read, api.read.request(reading.request or {})) == []


@pytest.mark.parametrize("name", [name for name in TENCENT if lists(APIS[name])])
def test_the_list_requests_follow_tencents_definitions(name: str) -> None:
    api = APIS[name]
    for listing in lists(api):
        pages = pages_of(api, listing)
        assert pages.next_page is not None
        assert mistakes(api, listing.action, listing.action.request(pages.next_page)) == []


@pytest.mark.parametrize("name", [name for name in TENCENT if APIS[name].cancel])
def test_the_cancel_requests_follow_tencents_definitions(name: str) -> None:
    api = APIS[name]
    assert api.cancel is not None
    known = dict.fromkeys((*api.task_params, *api.cancel.found), 1)
    for request in cancel_requests(api, ["7", "8"], known):
        assert mistakes(api, api.cancel.action, api.cancel.action.request(request)) == []


EXPLAINED = [name for name in TENCENT if (parts := APIS[name].parts) and (parts.listed or parts.log)]


def failure(name: str) -> dict[str, Any]:
    """Return the detail of a failed task, and the actions that explain it."""
    found: dict[str, Any] = json.loads(read(APIS[name], "failure.json", "the detail of a failed task, and the actions"))
    return found


def questions(name: str) -> list[tuple[Action, dict[str, Any]]]:
    """Return the requests that explain a failed task, answered by the vendor's examples."""
    api = APIS[name]
    task = CloudTask(api=name, cloud="tencent", id="7", state=TaskState.FAILED, detail=failure(name)["detail"])
    asking = explanation(api, task, api.parameters("7", dict.fromkeys(api.task_params, "1")))
    requests = [next(asking)]
    for _ in range(4):
        try:
            requests.append(asking.send(example_outputs(api, requests[-1][0])[0]))
        except StopIteration:
            break
    return requests


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_explanation_requests_follow_tencents_definitions(name: str) -> None:
    for action, parameters in questions(name):
        assert mistakes(APIS[name], action, action.request(parameters)) == []


@pytest.mark.parametrize("name", EXPLAINED)
def test_which_actions_explain_a_failure(name: str) -> None:
    assert [action.name for action, _ in questions(name)] == failure(name)["actions"]
