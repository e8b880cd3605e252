"""The vendors' definitions of the actions that the emulator serves, generated into the folder ``definitions``.

``tools/definitions`` writes them from tccli and from the packages ``alibabacloud-*``. A file is read when one of its
actions is declared.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from airflow_cloudtasks.emulator.vendor.contract import Parameter

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import Cloud
    from airflow_cloudtasks.emulator.vendor.contract import Kind, Location

_FOLDER = files("airflow_cloudtasks.emulator") / "definitions"
# Requests in RPC style may have any parameter in the query or in a form, whatever the vendor's client does.
_ANYWHERE: tuple[Location, ...] = ("query", "form")
_BODY: tuple[Location, ...] = ("json", "form")


@cache
def read(cloud: Cloud, service: str, version: str) -> dict[str, Any]:
    """Return the definition of a service.

    Args:
        cloud: The vendor.
        service: The service's code.
        version: The version of its API.

    Raises:
        FileNotFoundError: There is none.
    """
    found: dict[str, Any] = json.loads((_FOLDER / f"{cloud}-{service}-{version}.json").read_text(encoding="utf-8"))
    return found


def parameters(cloud: Cloud, service: str, version: str, action: str) -> tuple[Parameter, ...]:
    """Return the parameters of an action.

    Args:
        cloud: The vendor.
        service: The service's code.
        version: The version of its API.
        action: The vendor's name of the action.

    Raises:
        KeyError: The definition has no such action.
    """
    defined = read(cloud, service, version)["actions"][action]
    style = defined.get("style")
    return tuple(_parameter(name, each, _locations(style, each)) for name, each in defined["parameters"].items())


def _locations(style: str | None, defined: dict[str, Any]) -> tuple[Location, ...]:
    if style is None:
        return ("json", "query")
    if style == "RPC":
        return _ANYWHERE
    return _BODY if defined["in"] == "body" else (cast("Location", defined["in"]),)


def _parameter(name: str, defined: dict[str, Any], locations: tuple[Location, ...]) -> Parameter:
    members = defined.get("members", {})
    return Parameter(
        name,
        locations,
        required=defined.get("required", False),
        type=cast("Kind", defined["type"]),
        items=cast("Kind", defined.get("items", "string")),
        members=tuple(_parameter(inner, each, locations) for inner, each in members.items()),
    )


def blank_answer(cloud: Cloud, service: str, version: str, action: str, at: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return an answer, or an object in it, with every field of its definition: texts empty, numbers zero.

    Args:
        cloud: The vendor.
        service: The service's code.
        version: The version of its API.
        action: The vendor's name of the action.
        at: The path of the object; of a list, its first item counts.
    """
    defined = read(cloud, service, version)["actions"][action]["answer"]
    for name in at:
        defined = defined[name]
        defined = defined[0] if isinstance(defined, list) else defined
    blank = _blank(defined)
    return blank if isinstance(blank, dict) else {}


_BLANKS: dict[str, Any] = {"string": "", "integer": 0, "number": 0.0, "boolean": False}


def _blank(defined: Any) -> Any:
    match defined:
        case dict():
            return {name: _blank(each) for name, each in defined.items()}
        case list():
            return []
        case _:
            return _BLANKS.get(defined)
