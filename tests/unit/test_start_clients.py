"""What Alibaba Cloud is sent to start, find, list and stop tasks is what its own clients send, but for blanks in JSON.

The clients are asked what they would send; they send nothing.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import pytest
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.values import load_json

from .calls import asked
from .every_action import actions, every_action, lists, pages_of
from .every_operator import Operator, of, parameters_of, request_of, with_everything, with_what_is_needed
from .test_contract import ALIBABA, model, needed, taken


def client_of(api: TaskApi) -> Any:
    version = api.service.version.replace("-", "")
    module = importlib.import_module(f"alibabacloud_{api.service.name}{version}.client")
    return module.Client(Config(access_key_id="id", access_key_secret="secret", region_id="cn-shanghai"))


def method_of(client: Any, action: Action) -> Any:
    # The client writes start_aiworkflow; and ExecuteOperationASync is named as asynchronous methods are.
    [found] = [
        method
        for name, method in inspect.getmembers(client, inspect.ismethod)
        if name.replace("_", "") == action.name.lower() and not inspect.iscoroutinefunction(method)
    ]
    return found


def on_the_vendors_wire(api: TaskApi, action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the vendor's own client sends for an action."""
    client, request = client_of(api), model(api, f"{action.name}Request")
    arguments = [given[name] for name in action.path_params]
    # A request whose parameters all stand in the path has no model.
    if request is not None:
        arguments.append(request().from_map({name: given[name] for name in given if name not in action.path_params}))
    with patch.object(client, "call_api", return_value={}) as call_api:
        method_of(client, action)(*arguments)
    params, sent, _ = call_api.call_args.args
    return {
        "action": params.action,
        "version": params.version,
        "method": params.method,
        "path": params.pathname,
        "query": plainly(Utils.query(sent.query or {}).items()),
        "form": plainly(parse_qsl(Utils.to_form(sent.body or {}))),
    }


def on_our_wire(api: TaskApi, action: Action, request: Mapping[str, Any]) -> dict[str, Any]:
    sent = CLOUDS["alibaba"].sign(
        asked(api.service, action),
        action.request(request),
        region="cn-shanghai",
        credentials=Credentials("id", "secret"),
        user_agent="test",
        now=datetime.now(UTC),
    )
    url = urlsplit(sent.url)
    return {
        "action": sent.headers["x-acs-action"],
        "version": sent.headers["x-acs-version"],
        "method": sent.method,
        "path": url.path,
        "query": plainly(parse_qsl(url.query)),
        "form": plainly(parse_qsl(sent.body.decode())),
    }


def plainly(pairs: Any) -> dict[str, Any]:
    """Parameters with their JSON decoded: who writes it leaves other blanks."""
    return {name: load_json(value) if value[:1] in "{[" else value for name, value in pairs}


@pytest.mark.parametrize("build", [with_everything, with_what_is_needed])
@pytest.mark.parametrize("operator", of("alibaba"), ids=lambda operator: operator.__name__)
def test_sends_the_start_request_of_alibabas_own_client(operator: Operator, build: Any) -> None:
    built = build(operator)
    api, action, request = built.api, built.start.action, request_of(built)
    # Its client makes JSON of dicts for some of its actions; for the others that is left to who calls it.
    by_client = model(api, f"{action.name}ShrinkRequest") is not None
    native = parameters_of(built) if by_client else request
    assert on_our_wire(api, action, request) == on_the_vendors_wire(api, action, native)
    assert {type(value) for value in request.values()} <= {str, bool}


OTHERS = [(APIS[name], action) for name in ALIBABA for action in actions(APIS[name]) if len(action.params) == 1]


@pytest.mark.parametrize(("api", "action"), OTHERS, ids=[action.name for _, action in OTHERS])
def test_sends_the_single_task_request_of_alibabas_own_client(api: TaskApi, action: Action) -> None:
    given = {action.params[0]: "7"}
    assert on_our_wire(api, action, given) == on_the_vendors_wire(api, action, given)


@pytest.mark.parametrize("name", [name for name in ALIBABA if lists(APIS[name])])
def test_sends_the_list_requests_of_alibabas_own_client(name: str) -> None:
    api = APIS[name]
    for listing in lists(api):
        pages = pages_of(api, listing)
        assert pages.next_page is not None
        given = {**pages.next_page, listing.page_param: "token"}
        assert on_our_wire(api, listing.action, given) == on_the_vendors_wire(api, listing.action, given)


@every_action(ALIBABA)
def test_alibabas_models_accept_the_parameters_of_the_catalog(api: TaskApi, action: Action) -> None:
    request = model(api, f"{action.name}Request")
    given = {*action.params, *action.optional} - set(action.path_params)
    assert all(taken(request, param) for param in given)
    assert request is None or needed(request) <= set(action.params)
    assert model(api, f"{action.name}Response") is not None
