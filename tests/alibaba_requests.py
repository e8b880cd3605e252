"""Requests of this package and of Alibaba Cloud's own clients, to be compared. Nothing is sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from alibaba_packages import call, imported
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
    client = client_of(api)
    with patch.object(client, "call_api", return_value={}) as call_api:
        call(client, api, action, given)
    params, sent, _ = call_api.call_args.args
    return {
        "action": params.action,
        "version": params.version,
        "method": params.method,
        "path": params.pathname,
        "headers": {name: value for name, value in (sent.headers or {}).items() if action.places.get(name) == "header"},
        "query": without_empty_lists(plainly(Utils.query(sent.query or {}).items())),
        "body": sent.body
        if "body" in action.places.values()
        else without_empty_lists(
            (sent.body or {}) if params.req_body_type == "json" else plainly(parse_qsl(Utils.to_form(sent.body or {})))
        ),
    }


def without_empty_lists(value: Any) -> Any:
    """Return a value without empty lists: the vendor's models have one for each list that is not given."""
    if isinstance(value, dict):
        return {name: without_empty_lists(item) for name, item in value.items() if item != []}
    return [without_empty_lists(item) for item in value] if isinstance(value, list) else value


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
        "headers": {
            name: sent.headers[name.lower()]
            for name, place in action.places.items()
            if place == "header" and name.lower() in sent.headers
        },
        "query": plainly(parse_qsl(url.query)),
        "body": (sent.body.decode() or None)
        if "body" in action.places.values()
        else json.loads(sent.body or "{}")
        if sent.headers.get("content-type", "").startswith("application/json")
        else plainly(parse_qsl(sent.body.decode())),
    }


def plainly(pairs: Any) -> dict[str, Any]:
    """Return the parameters with their JSON decoded, because writers of JSON differ in blanks."""
    return {name: load_json(value) if value[:1] in "{[" else value for name, value in pairs}
