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
    return [parse_input(each["input"]) for each in examples(api, action)]


def example_bodies(api: TaskApi, action: Action) -> list[bytes]:
    return [each["output"].encode() for each in examples(api, action)]


def example_outputs(api: TaskApi, action: Action) -> list[dict[str, Any]]:
    return [json.loads(each["output"])["Response"] for each in examples(api, action)]
