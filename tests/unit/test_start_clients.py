"""Requests that start, find, list and stop tasks equal those of Alibaba Cloud's own clients, except for blanks in JSON.

The clients only build their requests; nothing is sent.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

import pytest
from alibaba_packages import imported
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.emulator.vendor import definitions
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.values import load_json

from .calls import asked
from .every_action import actions, every_action, lists, pages_of
from .test_contract import ALIBABA, model


def client_of(api: TaskApi) -> Any:
    module = imported(api.service.name, api.service.version, "client")
    return module.Client(Config(access_key_id="id", access_key_secret="secret", region_id="cn-shanghai"))


def method_of(client: Any, action: Action) -> Any:
    # The client writes start_aiworkflow. The name of ExecuteOperationASync ends like those of asynchronous methods.
    [found] = [
        method
        for name, method in inspect.getmembers(client, inspect.ismethod)
        if name.replace("_", "") == action.name.lower() and not inspect.iscoroutinefunction(method)
    ]
    return found


def on_the_vendors_wire(api: TaskApi, action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of the vendor's own client."""
    client, request = client_of(api), model(api, f"{action.name}Request")
    arguments = [given[name] for name in action.path_params]
    # A request whose parameters all stand in the path has no model.
    if request is not None:
        arguments.append(filled(request, {name: given[name] for name in given if name not in action.path_params}))
    with patch.object(client, "call_api", return_value={}) as call_api:
        method_of(client, action)(*arguments)
    params, sent, _ = call_api.call_args.args
    return {
        "action": params.action,
        "version": params.version,
        "method": params.method,
        "path": params.pathname,
        "query": plainly(Utils.query(sent.query or {}).items()),
        "body": (sent.body or {})
        if params.req_body_type == "json"
        else plainly(parse_qsl(Utils.to_form(sent.body or {}))),
    }


def filled(request: Any, given: Mapping[str, Any]) -> Any:
    """Return the model of a request; ``from_map`` alone makes lists of what is not given."""
    model = request().from_map(given)
    for name, value in vars(model).items():
        if value == []:
            setattr(model, name, None)
    return model


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
        "body": json.loads(sent.body or "{}")
        if sent.headers.get("content-type", "").startswith("application/json")
        else plainly(parse_qsl(sent.body.decode())),
    }


def plainly(pairs: Any) -> dict[str, Any]:
    """Return the parameters with their JSON decoded, because writers of JSON differ in blanks."""
    return {name: load_json(value) if value[:1] in "{[" else value for name, value in pairs}


OTHERS = [(APIS[name], action) for name in ALIBABA for action in actions(APIS[name]) if len(action.params) == 1]


@pytest.mark.parametrize(("api", "action"), OTHERS, ids=[action.name for _, action in OTHERS])
def test_sends_the_single_task_request_of_alibabas_own_client(api: TaskApi, action: Action) -> None:
    given = {action.params[0]: "7"}
    # The vendor's client makes JSON of lists itself.
    native = {
        name: load_json(value) if name in action.json_params else value for name, value in action.request(given).items()
    }
    assert on_our_wire(api, action, given) == on_the_vendors_wire(api, action, native)


@pytest.mark.parametrize("name", [name for name in ALIBABA if lists(APIS[name])])
def test_sends_the_list_requests_of_alibabas_own_client(name: str) -> None:
    api = APIS[name]
    for listing in lists(api):
        pages = pages_of(api, listing)
        assert pages.next_page is not None
        given = {**pages.next_page, listing.page_param: "token"}
        assert on_our_wire(api, listing.action, given) == on_the_vendors_wire(api, listing.action, given)


def page_params(api: TaskApi, action: Action) -> set[str | None]:
    """Return the parameters by which the pages of a list are requested."""
    return {
        name
        for listing in lists(api)
        if listing.action == action
        for name in (listing.page_param, listing.page_size_param)
    }


@every_action(ALIBABA)
def test_alibabas_models_accept_the_parameters_of_the_catalog(api: TaskApi, action: Action) -> None:
    defined = definitions.read("alibaba", api.service.name, api.service.version)["actions"][action.name]["parameters"]
    outside = {name: each for name, each in defined.items() if each["in"] != "path"}
    assert set(action.members) <= set(outside)
    required = {name for name, each in outside.items() if each.get("required")}
    assert required <= {*action.params, *action.template, *page_params(api, action)}
    assert model(api, f"{action.name}Response") is not None
