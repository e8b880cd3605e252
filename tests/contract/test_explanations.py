"""The requests that explain a failed task, made of the vendor's own examples, follow its definitions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_examples import read
from contract.definitions import examples
from contract.findings import Findings
from contract.requests import compare_request

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.explain import explanation
from airflow_cloudtasks.spec.action import Action

EXPLAINED = [name for name, api in APIS.items() if api.parts and (api.parts.listed or api.parts.log)]


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
            [example, *_] = examples(api.service, requests[-1][0].name)
            requests.append(asking.send(json.loads(example["output"])["Response"]))
        except StopIteration:
            break
    return requests


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_explanation_requests_follow_tencents_definitions(name: str) -> None:
    found = Findings(APIS[name])
    for action, parameters in questions(name):
        compare_request(APIS[name], action, action.request(parameters), found)
    assert found.deviations == {}
    assert found.compared["parameters"]


@pytest.mark.parametrize("name", EXPLAINED)
def test_which_actions_explain_a_failure(name: str) -> None:
    assert [action.name for action, _ in questions(name)] == failure(name)["actions"]
