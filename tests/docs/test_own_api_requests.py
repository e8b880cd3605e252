"""The requests of the guide's specs with a template and with places, as they leave."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint, SignedRequest
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.spec import Action, TaskApi

GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "own_apis.md").read_text()


def spec(name: str) -> TaskApi:
    [block] = [block for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if f"\n{name} = " in block]
    defined: dict[str, Any] = {}
    exec(block, defined)
    api = defined[name]
    assert isinstance(api, TaskApi)
    return api


def sent(api: TaskApi, action: Action, parameters: dict[str, Any]) -> SignedRequest:
    return CLOUDS[api.cloud].sign(
        ApiCall(api.service, action, Endpoint("https://product.test")),
        action.request(parameters),
        region="cn-beijing",
        credentials=Credentials("id", "secret"),
        user_agent="test",
        now=datetime(2026, 1, 31, tzinfo=UTC),
    )


def test_the_template_of_the_guide_sends_a_filter_and_an_integer() -> None:
    api = spec("TAT_COMMAND")
    read = sent(api, api.read, api.parameters("inv-1", {}))
    assert json.loads(read.body) == {"Filters": [{"Name": "invocation-id", "Values": ["inv-1"]}], "Limit": 1}
    start = api.starts[0]
    parameters = encode(api, start, {"Content": "date", "InstanceIds": ["ins-1"], "Timeout": 60})
    assert json.loads(sent(api, start.action, parameters).body) == {
        "Content": "ZGF0ZQ==",
        "InstanceIds": ["ins-1"],
        "CommandType": "SHELL",
        "Timeout": 60,
    }
    del parameters["Timeout"]
    assert "Timeout" not in json.loads(sent(api, start.action, parameters).body)
    assert cancel_requests(api, ["inv-1"], {}) == [{"InvocationId": "inv-1"}]
    answer = {"InvocationSet": [{"InvocationId": "inv-1", "InvocationStatus": "TIMEOUT"}]}
    assert normalise(api, answer, parameters=api.parameters("inv-1", {})).state == "failed"


def test_the_places_of_the_guide_send_a_query_beside_a_json_body() -> None:
    api = spec("TINGWU_TASK")
    source = {"SourceLanguage": "cn", "FileUrl": "https://media.test/1.mp4"}
    start = api.starts[0]
    request = sent(api, start.action, encode(api, start, {"AppKey": "k", "Input": source}))
    assert (request.method, urlsplit(request.url).query) == ("PUT", "type=offline")
    assert json.loads(request.body) == {"AppKey": "k", "Input": source}
    read = sent(api, api.read, api.parameters("t-1", {}))
    assert (read.method, urlsplit(read.url).path, read.body) == ("GET", "/openapi/tingwu/v2/tasks/t-1", b"")
