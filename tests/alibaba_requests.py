"""Requests of this package and of Alibaba Cloud's own clients, to be compared. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from alibaba_packages import imported, method_of, model
from alibabacloud_tea_openapi.models import Config
from alibabacloud_tea_openapi.utils import Utils

from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.values import load_json


def client_of(api: TaskApi) -> Any:
    module = imported(api.service.name, api.service.version, "client")
    return module.Client(Config(access_key_id="id", access_key_secret="secret", region_id="cn-shanghai"))


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
        "query": _given(plainly(Utils.query(sent.query or {}).items())),
        "body": _given(
            (sent.body or {}) if params.req_body_type == "json" else plainly(parse_qsl(Utils.to_form(sent.body or {})))
        ),
    }


def _given(sent: Any) -> Any:
    """Return parameters without the empty lists that the client's models add to the objects inside."""
    match sent:
        case Mapping():
            return {name: _given(value) for name, value in sent.items() if value != []}
        case list():
            return [_given(value) for value in sent]
        case _:
            return sent


def filled(request: Any, given: Mapping[str, Any]) -> Any:
    """Return the model of a request; ``from_map`` alone makes lists of what is not given."""
    model = request().from_map(given)
    for name, value in vars(model).items():
        if value == []:
            setattr(model, name, None)
    return model


def on_our_wire(api: TaskApi, action: Action, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of this package.

    ``request`` has what ``Action.request`` returns.
    """
    sent = CLOUDS["alibaba"].sign(
        ApiCall(api.service, action, Endpoint("https://example.test"), ()),
        request,
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
