"""Requests are signed as the vendors document it, and their parameters arrive unchanged."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from airflow_cloudtasks.catalog import BDRC_TASK
from airflow_cloudtasks.clouds import alibaba, tencent
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint, Location, SignedRequest
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec import Action, Service

from .calls import ALIBABA_SERVICE, FORM, JSON, ROA, RPC, TENCENT_SERVICE, asked

NOW = datetime(2025, 1, 1, tzinfo=UTC)
KEY = Credentials("my-id", "my-secret")
TEMPORARY = Credentials("my-id", "my-secret", "my-token")


def signed(
    call: ApiCall, params: Mapping[str, Any] | None = None, credentials: Credentials = KEY, now: datetime = NOW
) -> SignedRequest:
    return CLOUDS[call.service.cloud].sign(
        call,
        {"TaskId": "7"} if params is None else params,
        region="ap-guangzhou",
        credentials=credentials,
        user_agent="tests",
        now=now,
    )


def test_signs_alibabas_published_example_as_published() -> None:
    # Source: Alibaba Cloud, "V3 request structure and signature method", the example with fixed parameters.
    ecs = Service(cloud="alibaba", name="ecs", version="2014-05-26")
    call = ApiCall(
        ecs,
        Action(name="RunInstances", params=("ImageId", "RegionId"), params_in="query"),
        alibaba.endpoint(ecs, Location("cn-shanghai")),
    )
    with mock.patch.object(alibaba.secrets, "token_hex", return_value="3156853299f313e23d1673dc12e1703d"):
        request = signed(
            call,
            {"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
            Credentials("YourAccessKeyId", "YourAccessKeySecret"),
            datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        )
    assert request.headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )
    assert request.url.startswith("https://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019")


def test_signs_tencents_published_example_as_published() -> None:
    # Source: Tencent Cloud, "Signature v3", CVM's DescribeInstances. The page shows the keys as asterisks, and they
    # are the keys that it signs with.
    cvm = Service(cloud="tencent", name="cvm", version="2017-03-12")
    call = ApiCall(cvm, Action(name="DescribeInstances"), tencent.endpoint(cvm, Location("ap-guangzhou")))
    request = signed(
        call,
        {"Limit": 1, "Filters": [{"Values": ["未命名"], "Name": "instance-name"}]},
        Credentials("AKID" + "*" * 32, "*" * 32),
        datetime.fromtimestamp(1551113065, UTC),
    )
    assert request.body == (rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}')
    assert hashlib.sha256(request.body).hexdigest() == (
        "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    )
    assert request.headers["Authorization"] == (
        f"TC3-HMAC-SHA256 Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )
    assert {name: request.headers[name] for name in request.headers if name.startswith("X-TC")} == {
        "X-TC-Action": "DescribeInstances",
        "X-TC-Timestamp": "1551113065",
        "X-TC-Version": "2017-03-12",
        "X-TC-Region": "ap-guangzhou",
        "X-TC-RequestClient": "tests",
    }


def gateway_signature(request: SignedRequest, secret: str) -> str:
    """Return the signature that Alibaba's gateway computes for a request, without the SDK's implementation."""
    url = urlsplit(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    names = re.search("SignedHeaders=([^,]+)", headers["authorization"]).group(1).split(";")
    canonical = "\n".join(
        (
            request.method,
            url.path,
            url.query,
            "".join(f"{name}:{headers[name]}\n" for name in names),
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        )
    )
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


STRANGE_VALUES = ["a b", "a/b", "a+b", "a&b=c", "a*b~c", "100%", "任务", "%2F", "a'b\"c", "a\nb", "?x#y"]


@pytest.mark.parametrize("action", [RPC, FORM, ROA], ids=["query", "form", "path"])
@pytest.mark.parametrize("value", STRANGE_VALUES)
def test_alibabas_signature_covers_the_request_as_sent(action: Action, value: str) -> None:
    request = signed(asked(ALIBABA_SERVICE, action), {"TaskId": value}, TEMPORARY)
    assert request.headers["Authorization"].endswith(f"Signature={gateway_signature(request, 'my-secret')}")


@pytest.mark.parametrize("value", STRANGE_VALUES)
def test_parameters_arrive_unchanged(value: str) -> None:
    params = {"TaskId": value}
    assert dict(parse_qsl(urlsplit(signed(asked(ALIBABA_SERVICE, RPC), params).url).query)) == params
    assert dict(parse_qsl(signed(asked(ALIBABA_SERVICE, FORM), params).body.decode())) == params
    assert json.loads(signed(asked(TENCENT_SERVICE, JSON), params).body) == params
    path = urlsplit(signed(asked(ALIBABA_SERVICE, ROA), params).url).path
    assert unquote(path) == f"/toys/{value}"
    assert path.count("/") == 2


def test_sorts_and_escapes_an_rpc_query_by_rfc_3986() -> None:
    request = signed(asked(ALIBABA_SERVICE, RPC), {"b": "x y", "a": "*~", "c": [1, {"d": "y"}]})
    assert urlsplit(request.url).query == "a=%2A~&b=x%20y&c.1=1&c.2.d=y"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_refuses_an_id_that_would_change_the_path(value: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"TaskId {value!r} cannot stand in the path of a request")):
        signed(asked(BDRC_TASK.service, BDRC_TASK.read), {"TaskId": value})


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("t-0004d9ctt1ii", "/api/v1/tasks/t-0004d9ctt1ii"),
        ("../../secrets", "/api/v1/tasks/..%2F..%2Fsecrets"),
        ("a b?c#d", "/api/v1/tasks/a%20b%3Fc%23d"),
        ("任务", "/api/v1/tasks/%E4%BB%BB%E5%8A%A1"),
        ("%2e%2e", "/api/v1/tasks/%252e%252e"),
        ("...", "/api/v1/tasks/..."),
    ],
)
def test_an_id_stays_one_segment_of_bdrcs_path(value: str, path: str) -> None:
    request = signed(asked(BDRC_TASK.service, BDRC_TASK.read), {"TaskId": value})
    assert (request.method, request.url, request.body) == ("GET", f"https://toy.test{path}", b"")


def test_every_request_to_alibaba_has_its_own_nonce() -> None:
    nonces = {signed(asked(ALIBABA_SERVICE, RPC)).headers["x-acs-signature-nonce"] for _ in range(50)}
    assert len(nonces) == 50


def test_sends_and_signs_alibabas_token() -> None:
    headers = signed(asked(ALIBABA_SERVICE, RPC), credentials=TEMPORARY).headers
    assert headers["x-acs-security-token"] == "my-token"
    assert headers["x-acs-accesskey-id"] == "my-id"
    assert "x-acs-security-token" in headers["Authorization"].partition("SignedHeaders=")[2]


def test_sends_tencents_token() -> None:
    assert signed(asked(TENCENT_SERVICE, JSON), credentials=TEMPORARY).headers["X-TC-Token"] == "my-token"


@pytest.mark.parametrize(
    "call", [asked(ALIBABA_SERVICE, RPC), asked(TENCENT_SERVICE, JSON)], ids=["alibaba", "tencent"]
)
def test_sends_no_token_header_without_a_token(call: ApiCall) -> None:
    assert not [name for name in signed(call).headers if "token" in name.lower()]


@pytest.mark.parametrize(
    "call", [asked(ALIBABA_SERVICE, RPC), asked(TENCENT_SERVICE, JSON)], ids=["alibaba", "tencent"]
)
def test_never_sends_the_secret(call: ApiCall) -> None:
    request = signed(call, credentials=TEMPORARY)
    assert "my-secret" not in f"{request.url} {dict(request.headers)} {request.body!r}"


@pytest.mark.parametrize(
    "call", [asked(ALIBABA_SERVICE, RPC), asked(TENCENT_SERVICE, JSON)], ids=["alibaba", "tencent"]
)
def test_signs_the_called_host_with_its_port(call: ApiCall) -> None:
    request = signed(ApiCall(call.service, call.action, Endpoint("http://127.0.0.1:8787")))
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["host"] == "127.0.0.1:8787"
    assert request.url.startswith("http://127.0.0.1:8787/")


def test_reprs_hold_no_secret() -> None:
    call = asked(ALIBABA_SERVICE, RPC, secrets=("my-secret", "my-token"))
    shown = repr((TEMPORARY, call, signed(call, credentials=TEMPORARY)))
    assert "my-id" in shown
    assert not [word for word in ("my-secret", "my-token", "Signature=") if word in shown]


EVERY_PLACE = Action(
    name="InvokeToy",
    method="PUT",
    path="/toys/{TaskId}",
    params=("TaskId", "type", "workspace"),
    optional=("payload",),
    places={"workspace": "header", "type": "query", "payload": "body"},
)


@pytest.mark.parametrize("payload", ["text", b"\xff\x00", {"k": "v"}], ids=["text", "bytes", "JSON"])
def test_sends_each_parameter_in_its_place(payload: Any) -> None:
    params = {"TaskId": "7", "type": "offline", "workspace": "w 1", "payload": payload}
    request = signed(asked(ALIBABA_SERVICE, EVERY_PLACE), params, TEMPORARY)
    assert (request.method, request.url) == ("PUT", "https://toy.test/toys/7?type=offline")
    assert request.headers["workspace"] == "w 1"
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.body == (b'{"k": "v"}' if payload == {"k": "v"} else payload if payload != "text" else b"text")
    assert request.headers["Authorization"].endswith(f"Signature={gateway_signature(request, 'my-secret')}")


def test_sends_no_body_without_parameters_for_it() -> None:
    params = {"TaskId": "7", "type": "a", "workspace": None, "payload": None}
    request = signed(asked(ALIBABA_SERVICE, EVERY_PLACE), params)
    assert (request.body, "content-type" in request.headers, "workspace" in request.headers) == (b"", False, False)


@pytest.mark.parametrize("value", ["a\r\nx-acs-action: Other", "任务", " a", "a ", ""])
def test_refuses_a_header_that_http_cannot_carry(value: str) -> None:
    with pytest.raises(InvalidArguments, match=r"workspace is .*; expected printable ASCII text"):
        signed(asked(ALIBABA_SERVICE, EVERY_PLACE), {"TaskId": "7", "type": "a", "workspace": value})
