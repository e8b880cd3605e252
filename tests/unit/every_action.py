"""Every action that the catalog names, and Tencent Cloud's own examples of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tccli
from tccli_examples import parse_input

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.spec.template import placeholders


def actions(api: TaskApi) -> Iterator[Action]:
    """Yield every action of an API."""
    yield api.read
    yield from (listing.action for listing in lists(api))
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


def pages_of(api: TaskApi, listing: TaskList) -> Pages:
    return Pages(listing, dict.fromkeys(listing.action.params, "x"), api.name, "2026-01-31T20:30:00Z")


def every_action(names: list[str]) -> Any:
    pairs = {
        (APIS[name].service.name, action.name): (APIS[name], action) for name in names for action in actions(APIS[name])
    }
    return pytest.mark.parametrize(("api", "action"), pairs.values(), ids=[" ".join(pair) for pair in pairs])


def examples(api: TaskApi, action: Action) -> list[dict[str, str]]:
    folder = Path(tccli.__path__[0]) / "services" / api.service.name / f"v{api.service.version.replace('-', '')}"
    found: list[dict[str, str]] = json.loads((folder / "examples.json").read_bytes())["actions"][action.name]
    return found


def example_inputs(api: TaskApi, action: Action) -> list[dict[str, Any]]:
    """Return the parameters of an action's example requests, those inside its template too."""
    return [as_parameters(action, parse_input(each["input"])) for each in examples(api, action)]


def as_parameters(action: Action, request: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of which an action makes a request."""
    found = {name: value for name, value in request.items() if name not in action.template}
    return found | dict(_filled(action.template, request))


def _filled(template: Any, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the value of each placeholder of a template that was filled to a value."""
    match template, value:
        case str(), _:
            yield from ((name, value) for name, _ in placeholders(template))
        case dict(), dict():
            for name in template.keys() & value.keys():
                yield from _filled(template[name], value[name])
        case list(), list():
            for part, item in zip(template, value, strict=False):
                yield from _filled(part, item)


def example_bodies(api: TaskApi, action: Action) -> list[bytes]:
    return [each["output"].encode() for each in examples(api, action)]


def example_outputs(api: TaskApi, action: Action) -> list[dict[str, Any]]:
    return [json.loads(each["output"])["Response"] for each in examples(api, action)]
