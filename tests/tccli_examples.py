"""How the examples of Tencent Cloud's tccli write a request."""

from __future__ import annotations

import json
from typing import Any


def parse_input(text: str) -> dict[str, Any]:
    """Return the parameters of an example request: a JSON body, or ``&Name=value`` lines of a query."""
    start = text.find("{")
    if start >= 0:
        parameters: dict[str, Any] = json.loads(text[start:])
        return parameters
    lines = (line.removeprefix("&").partition("=") for line in text.splitlines()[1:])
    return {name: value for name, equals, value in lines if equals}
