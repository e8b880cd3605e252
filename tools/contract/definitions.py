"""Read the files that tools/definitions writes: what the vendors define, and what they document.

The emulator reads the first of them with a reader of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from airflow_cloudtasks.spec import Service

_ROOT = Path(__file__).parents[2]
_DEFINITIONS = _ROOT / "airflow_cloudtasks" / "emulator" / "definitions"
_DOCUMENTED = _ROOT / "tests" / "contract" / "documented"

ANYTHING = "any"
"""The type of a field of any type."""

UNDESCRIBED = "undescribed"
"""The type of what is inside of a field of any type."""


@cache
def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _file(service: Service) -> str:
    return f"{service.cloud}-{service.name}-{service.version}.json"


def defined_actions(service: Service) -> dict[str, Any]:
    """Return the definitions of a service's actions, by name.

    Args:
        service: The service.
    """
    actions: dict[str, Any] = _read(_DEFINITIONS / _file(service))["actions"]
    return actions


def defined_hosts(service: Service) -> dict[str, Any] | None:
    """Return by which rule the vendor's client finds a host: ``product``, ``rule`` and ``regions``; None for no rule.

    Args:
        service: The service.
    """
    hosts: dict[str, Any] | None = _read(_DEFINITIONS / _file(service)).get("host")
    return hosts


def examples(service: Service, action: str) -> list[dict[str, str]]:
    """Return the vendor's examples of an action: each an ``input`` and an ``output``, as the vendor writes them.

    Args:
        service: The service.
        action: The action.
    """
    found: list[dict[str, str]] = _read(_DOCUMENTED / _file(service)).get("examples", {}).get(action, [])
    return found


def parse_input(text: str) -> dict[str, Any]:
    """Return the parameters of an example request: a JSON body, or ``&Name=value`` lines of a query.

    Args:
        text: The example's ``input``.
    """
    start = text.find("{")
    if start >= 0:
        # Some examples have more than one request.
        parameters: dict[str, Any] = json.JSONDecoder().raw_decode(text[start:])[0]
        return parameters
    lines = (line.removeprefix("&").partition("=") for line in text.splitlines()[1:])
    return {name: value for name, equals, value in lines if equals}


def status_document(service: Service, api: str) -> str:
    """Return what the vendor says of the status of an API's tasks.

    Args:
        service: The service.
        api: The name of the API.
    """
    found: str = _read(_DOCUMENTED / _file(service))["statuses"].get(api, "")
    return found


def parameter_document(service: Service, action: str, name: str) -> str:
    """Return what the vendor says of a parameter that a template fills.

    Args:
        service: The service.
        action: The action.
        name: The parameter.
    """
    found: str = _read(_DOCUMENTED / _file(service))["parameters"].get(f"{action} {name}", "")
    return found


def types_at(answer: Any, path: str) -> set[str]:
    """Return the types of the fields at a dotted path of an answer; none if it has no such field.

    Args:
        answer: The definition of an answer, or of an object in it.
        path: The path; the empty path is the answer.
    """
    return {_type(shape) for shape in shapes_at(answer, path)}


def _type(shape: Any) -> str:
    match shape:
        case dict():
            return "object"
        case list():
            return "array"
        case _:
            return str(shape)


def shapes_at(answer: Any, path: str) -> list[Any]:
    """Return the definitions of what is at a dotted path of an answer; none if it has no such field.

    Args:
        answer: The definition of an answer, or of an object in it.
        path: The path. An index stands for any item of a list, ``*`` for any item of a list or value of an object.
    """
    found = [answer]
    for key in path.split(".") if path else ():
        found = [inner for shape in found for inner in _inside(shape, key)]
    return found


def _inside(shape: Any, key: str) -> Iterator[Any]:
    if isinstance(shape, dict):
        yield from shape.values() if key == "*" else [shape[key]] if key in shape else []
    elif isinstance(shape, list) and (key == "*" or key.isdecimal()):
        yield shape[0]
    elif shape in (ANYTHING, UNDESCRIBED):
        yield UNDESCRIBED


_TAG = re.compile(r"</?\w+/?>")
_NO_VALUE = "可能返回 null"
# In Chinese text, a word of ASCII is a status if punctuation, an explanation or the end of the line follows it.
_IN_CHINESE = re.compile(r"(?<![\w.=-])([A-Za-z0-9_]+)(?=[ \t]*(?:[:：（(，,、；;。.\n-]|$))", re.ASCII)
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.])(-?\d+)(?![A-Za-z0-9_.%])", re.ASCII)
_ITEM = re.compile(r"^\s*[-*]\s+[*`]*([\w-]+)", re.MULTILINE)
_QUOTED = re.compile(r"`([\w-]+)`")
_SENTENCE = re.compile(r"Valid values: ([\w, -]+)\.")


def status_words(document: str, kind: str) -> list[str]:
    """Return the statuses that a text of the vendor lists, each once.

    Args:
        document: The text, in Chinese or English.
        kind: The type of the status field, ``integer`` or ``string``.
    """
    return list(dict.fromkeys(_status_words(document, kind)))


def _status_words(document: str, kind: str) -> Iterator[str]:
    text = "\n".join(line for line in _TAG.sub("\n", document).splitlines() if _NO_VALUE not in line)
    if kind == "integer":
        yield from _NUMBER.findall(text)
    elif not text.isascii():
        yield from _IN_CHINESE.findall(text)
    elif words := _ITEM.findall(text) or _QUOTED.findall(text):
        yield from words
    elif sentence := _SENTENCE.search(text):
        yield from re.findall(r"[\w-]+", sentence[1].replace(" and ", " "))
