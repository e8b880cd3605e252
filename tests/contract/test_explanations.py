"""The requests that explain a failed task, made of the vendor's own examples, follow its definitions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from api_examples import read
from contract.definitions import defined_actions, examples
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
    asking = explanation(api, failed(name), api.parameters("7", dict.fromkeys(api.task_params, "1")))
    requests = [next(asking)]
    for _ in range(4):
        try:
            requests.append(asking.send(answer(name, requests[-1][0])))
        except StopIteration:
            break
    return requests


def failed(name: str) -> CloudTask:
    """Return the failed task of an example."""
    api = APIS[name]
    time = datetime(2026, 1, 5, 8, 30, 16, tzinfo=UTC)
    detail = failure(name)["detail"]
    made = CloudTask(api=name, cloud=api.cloud, id="7", state=TaskState.FAILED, detail=detail)
    return replace(made, created_at=time, finished_at=time)


def answer(name: str, action: Action) -> Any:
    """Return the vendor's example of an answer; Alibaba Cloud has none, so it is in ``failure.json``."""
    if (answers := failure(name).get("answers")) is not None:
        return answers[action.name]
    return json.loads(examples(APIS[name].service, action.name)[0]["output"])["Response"]


@pytest.mark.parametrize("name", EXPLAINED)
def test_the_explanation_requests_follow_the_vendors_definitions(name: str) -> None:
    found = Findings(APIS[name])
    for action, parameters in questions(name):
        compare_request(APIS[name], action, action.request(parameters), found)
    assert found.deviations == {}
    assert found.compared["parameters"]


@pytest.mark.parametrize("name", EXPLAINED)
def test_which_actions_explain_a_failure(name: str) -> None:
    assert [action.name for action, _ in questions(name)] == failure(name)["actions"]


@pytest.mark.parametrize("name", [name for name in EXPLAINED if "message" in failure(name)])
def test_what_the_message_says_of_a_failure(name: str) -> None:
    api = APIS[name]
    asking = explanation(api, failed(name), api.parameters("7", dict.fromkeys(api.task_params, "1")))
    task = all_answered(asking, name)
    assert task.message == failure(name)["message"]


def all_answered(asking: Any, name: str) -> CloudTask:
    """Answer every request, and return the explained task."""
    step: Any = None
    while True:
        try:
            action, _ = asking.send(step)
        except StopIteration as ended:
            task: CloudTask = ended.value
            return task
        step = answer(name, action)


@pytest.mark.parametrize("name", [name for name in EXPLAINED if "answers" in failure(name)])
def test_the_answers_of_the_examples_have_the_fields_of_the_vendors_definitions(name: str) -> None:
    defined = defined_actions(APIS[name].service)
    for action, content in failure(name)["answers"].items():
        assert unknown(content, defined[action]["answer"]) == [], action


def unknown(content: Any, shape: Any) -> list[str]:
    """Return the fields of an answer that its definition lacks."""
    match content, shape:
        case dict(), dict():
            return [
                field
                for key, value in content.items()
                for field in (unknown(value, shape[key]) if key in shape else [key])
            ]
        case list(), [item, *_]:
            return [field for value in content for field in unknown(value, item)]
        case _:
            return []
