"""Every action that the catalog names, and Tencent Cloud's own examples of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from contract import definitions
from contract.definitions import parse_input
from contract.requests import parameters_of

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.spec.action import Action


def actions(api: TaskApi) -> Iterator[Action]:
    """Yield every action of an API."""
    yield api.read
    yield from (listing.action for listing in lists(api))
    if api.read_many is not None:
        yield api.read_many.action
    for start in api.starts:
        yield start.action
        if start.then is not None:
            yield start.then
    if api.cancel is not None:
        yield api.cancel.action
    if api.parts is not None:
        yield from filter(None, (api.parts.listed and api.parts.listed.action, api.parts.log and api.parts.log.action))


def lists(api: TaskApi) -> list[TaskList]:
    found = [api.list_tasks, *(start.find.tasks for start in api.starts if start.find)]
    return [listing for listing in found if listing is not None]


def every_action(names: list[str]) -> Any:
    pairs = {
        (APIS[name].service.name, action.name): (APIS[name], action) for name in names for action in actions(APIS[name])
    }
    return pytest.mark.parametrize(("api", "action"), pairs.values(), ids=[" ".join(pair) for pair in pairs])


def example_inputs(api: TaskApi, action: Action) -> list[dict[str, Any]]:
    """Return the parameters of an action's example requests, those inside its template too."""
    return [
        parameters_of(action, parse_input(each["input"])) for each in definitions.examples(api.service, action.name)
    ]


def example_bodies(api: TaskApi, action: Action) -> list[bytes]:
    return [each["output"].encode() for each in definitions.examples(api.service, action.name)]


def example_outputs(api: TaskApi, action: Action) -> list[dict[str, Any]]:
    return [json.loads(body)["Response"] for body in example_bodies(api, action)]
