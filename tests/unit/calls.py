"""Calls and answers for the tests of both clouds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.clouds.wire import ApiCall, Endpoint, HttpAnswer
from airflow_cloudtasks.spec import Action, Service, TaskApi

ALIBABA_SERVICE = Service(cloud="alibaba", name="toy", version="2020-01-01", title="Toy", host="toy.aliyuncs.com")
TENCENT_SERVICE = Service(cloud="tencent", name="toy", version="2020-01-01", title="Toy")
RPC = Action(name="GetToy", params=("TaskId",), params_in="query")
FORM = Action(name="GetToy", params=("TaskId",), params_in="form", success_code="200")
ROA = Action(name="GetToy", params=("TaskId",), method="GET", path="/toys/{TaskId}", params_in="query")
JSON = Action(name="GetToy", params=("TaskId",))


def asked(service: Service, action: Action, secrets: tuple[str, ...] = (), url: str = "https://toy.test") -> ApiCall:
    return ApiCall(service, action, Endpoint(url), secrets)


def read_call(api: TaskApi) -> ApiCall:
    return asked(api.service, api.read)


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> HttpAnswer:
    """Return an answer. A body of bytes is sent unchanged, any other as JSON."""
    return HttpAnswer(status, headers or {}, body if isinstance(body, bytes) else json.dumps(body).encode())
