"""Requests with PUT, DELETE, headers and raw bodies equal those that Alibaba Cloud's own client sends."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.core import DaraCore
from darabonba.exceptions import UnretryableException
from darabonba.runtime import RuntimeOptions

from airflow_cloudtasks.clouds.wire import SignedRequest
from airflow_cloudtasks.spec import Action

from .calls import ALIBABA_SERVICE, asked
from .test_signatures import gateway_signature, signed


def vendors_request(action: Action, path: str, content: OpenApiRequest) -> SignedRequest:
    """Return the request that the vendor's client would send."""
    client = Client(
        Config(access_key_id="my-id", access_key_secret="my-secret", endpoint="toy.test", region_id="cn-shanghai")
    )
    params = Params(
        action=action.name,
        version=ALIBABA_SERVICE.version,
        protocol="HTTPS",
        pathname=path,
        method=action.method,
        auth_type="AK",
        style="ROA",
        req_body_type="json",
        body_type="json",
    )
    offline = patch.object(DaraCore, "do_action", side_effect=ConnectionError)
    with offline as sending, pytest.raises(UnretryableException):
        client.call_api(params, content, RuntimeOptions(autoretry=False))
    sent = sending.call_args_list[0].args[0]
    query = "&".join(f"{name}={quote(value, safe='~')}" for name, value in sorted(sent.query.items()))
    url = f"https://toy.test{sent.pathname}{'?' if query else ''}{query}"
    body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
    return SignedRequest(sent.method, url, sent.headers, body)


def comparable(request: SignedRequest) -> dict[str, Any]:
    url = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    of_one_request = (
        "x-acs-date",
        "x-acs-signature-nonce",
        "authorization",
        "user-agent",
        "x-acs-content-sha256",
        "x-acs-credentials-provider",
    )
    is_json = headers.get("content-type", "").startswith("application/json")
    return {
        "method": request.method,
        "path": url.path,
        "query": parse_qsl(url.query),
        "headers": {name: value for name, value in headers.items() if name not in of_one_request},
        "body": json.loads(request.body) if is_json else request.body,
    }


def shrunk(value: Any) -> str:
    return str(Utils.array_to_string_with_specified_style(value, "Ids", "json"))


CASES: dict[str, tuple[Action, Mapping[str, Any], str, OpenApiRequest]] = {
    "DELETE with a query": (
        Action(name="CancelToy", method="DELETE", path="/toys/{Id}", params=("Id", "regionId"), params_in="query"),
        {"Id": "7", "regionId": "cn-shanghai"},
        "/toys/7",
        OpenApiRequest(query={"regionId": "cn-shanghai"}),
    ),
    "PUT with a query beside JSON": (
        Action(name="CreateToy", method="PUT", path="/toys", params=("type", "Input"), places={"type": "query"}),
        {"type": "offline", "Input": {"FileUrl": "x"}},
        "/toys",
        OpenApiRequest(query={"type": "offline"}, body={"Input": {"FileUrl": "x"}}),
    ),
    "PUT with nothing": (
        Action(name="StopToy", method="PUT", path="/toys/{Id}/stop", params=("Id",)),
        {"Id": "7"},
        "/toys/7/stop",
        OpenApiRequest(),
    ),
    "GET with a header": (
        Action(
            name="GetToy",
            method="GET",
            path="/toys/{Id}",
            params=("Id", "workspace"),
            params_in="query",
            places={"workspace": "header"},
        ),
        {"Id": "7", "workspace": "w-1"},
        "/toys/7",
        OpenApiRequest(headers={"workspace": "w-1"}),
    ),
    "a header beside a nested template": (
        Action(
            name="StartToy",
            path="/toys%3Astart",
            params=("workspace", "Id"),
            optional=("Colour",),
            places={"workspace": "header"},
            template={"deployment": {"id": "{Id:integer}", "colours": ["{Colour}"]}, "dry": False},
        ),
        {"workspace": "w-1", "Id": "7", "Colour": "red"},
        "/toys%3Astart",
        OpenApiRequest(headers={"workspace": "w-1"}, body={"deployment": {"id": 7, "colours": ["red"]}, "dry": False}),
    ),
    "a raw body, headers and a query": (
        Action(
            name="InvokeToy",
            path="/toys/{Name}/invocations",
            params=("Name",),
            optional=("qualifier", "x-fc-async-task-id", "payload"),
            params_in="query",
            places={"x-fc-async-task-id": "header", "payload": "body"},
        ),
        {"Name": "f", "qualifier": "LATEST", "x-fc-async-task-id": "t-1", "payload": '{"a": 1}'},
        "/toys/f/invocations",
        OpenApiRequest(
            headers={"x-fc-async-task-id": "t-1"}, query={"qualifier": "LATEST"}, stream=io.BytesIO(b'{"a": 1}')
        ),
    ),
    "a list as JSON in a query": (
        Action(
            name="StopToys",
            path="/",
            params=("Ids",),
            params_in="query",
            template={"Ids": "{Ids:integers}"},
            json_params=("Ids",),
        ),
        {"Ids": ["7", "8"]},
        "/",
        OpenApiRequest(query={"Ids": shrunk([7, 8])}),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_sends_the_request_of_alibabas_own_client(case: str) -> None:
    action, params, path, content = CASES[case]
    ours = signed(asked(ALIBABA_SERVICE, action), action.request(params))
    theirs = vendors_request(action, path, content)
    assert comparable(ours) == comparable(theirs)
    for request in (ours, theirs):
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert headers["authorization"].endswith(f"Signature={gateway_signature(request, 'my-secret')}")
