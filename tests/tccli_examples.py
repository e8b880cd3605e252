"""How the examples of Tencent Cloud's tccli write a request."""

from __future__ import annotations

import json
from typing import Any

# Examples that are no requests of the present API, by service and action, with the reason. No action: all of them.
UNUSABLE = {
    ("batch", ""): "a form of API 2.0, with dots in the names",
    ("asw", "StartExecution"): "parameters of another product",
    ("asw", "StopExecution"): "no parameters",
    ("ckafka", "DescribeTaskStatus"): "a form of API 2.0, with every value as text",
    ("redis", "DescribeTaskInfo"): "a form of API 2.0, with every value as text",
    ("cynosdb", "DescribeFlow"): "a form of API 2.0, with every value as text",
    ("dcdb", "DescribeFlow"): "a form of API 2.0, with every value as text",
    ("mariadb", "DescribeFlow"): "a form of API 2.0, with every value as text",
    ("sqlserver", "DescribeFlowStatus"): "a form of API 2.0, with every value as text",
    ("vod", "DescribeTasks"): "a form of API 2.0, with every value as text",
}


def is_usable(service: str, action: str) -> bool:
    """Return whether the examples of an action are requests of the present API."""
    return not {(service, ""), (service, action)} & UNUSABLE.keys()


def parse_input(text: str) -> dict[str, Any]:
    """Return the parameters of an example request: a JSON body, or ``&Name=value`` lines of a query."""
    start = text.find("{")
    if start >= 0:
        # Some examples have more than one request.
        parameters: dict[str, Any] = json.JSONDecoder().raw_decode(text[start:])[0]
        return parameters
    lines = (line.removeprefix("&").partition("=") for line in text.splitlines()[1:])
    return {name: value for name, equals, value in lines if equals}
