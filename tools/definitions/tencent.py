"""Read the definitions of Tencent Cloud's actions that its command line tool tccli ships."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

_TYPES = {"int": "integer", "bool": "boolean", "float": "number", "list": "array"}
# How the items of a list are typed, and not the members of an object.
_ITEMS = {"int64": "integer", "uint64": "integer", "float": "number", "double": "number", "bool": "boolean"}


class Package:
    """tccli's definition of one service.

    Args:
        packages: The folder that tccli is installed in.
        name: The service's code.
        version: The version of its API.
    """

    def __init__(self, packages: Path, name: str, version: str) -> None:
        folder = packages / "tccli" / "services" / name / f"v{version.replace('-', '')}"
        api = json.loads((folder / "api.json").read_bytes())
        self._actions = api["actions"]
        self._objects = {name: each.get("members", []) for name, each in api["objects"].items()}
        self._examples = json.loads((folder / "examples.json").read_bytes())["actions"]

    def definition(self, actions: Iterable[str]) -> dict[str, Any]:
        """Return the definition of the service.

        Args:
            actions: The names of the actions.

        Raises:
            KeyError: tccli has no such action.
        """
        return {"actions": {action: _action(self._actions[action], self._objects) for action in sorted(actions)}}

    def examples(self, action: str) -> list[dict[str, str]]:
        """Return the examples of an action: each an ``input`` and an ``output``, as the vendor writes them.

        Args:
            action: The name of the action.
        """
        examples = self._examples.get(action, [])
        return [{"input": each["input"], "output": each["output"]} for each in examples]

    def document(self, action: str, path: str, of: Literal["input", "output"] = "output") -> str:
        """Return what the vendor says of a field of an answer, or of a request.

        Args:
            action: The name of the action.
            path: The path of the field; an index in it is left out.
            of: ``output`` for the answer, ``input`` for the request.

        Raises:
            KeyError: There is no such field.
        """
        member = {"member": self._actions[action][of], "document": ""}
        for key in (key for key in path.split(".") if not key.isdecimal()):
            member = dict(_members(self._objects, member["member"]))[key]
        return member["document"].strip()


def _action(defined: Mapping[str, Any], objects: Mapping[str, Any]) -> dict[str, Any]:
    answer = {name: _answer(member, objects, ()) for name, member in _members(objects, defined["output"])}
    answer.pop("RequestId", None)
    return {"parameters": _parameters(objects, defined["input"], ()), "answer": answer}


def _members(objects: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    return sorted((member["name"], member) for member in objects.get(name, []))


def _parameters(objects: Mapping[str, Any], name: str, above: tuple[str, ...]) -> dict[str, Any]:
    return {member["name"]: _parameter(member, objects, (*above, name)) for _, member in _members(objects, name)}


def _parameter(member: Mapping[str, Any], objects: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": _TYPES.get(member["type"], member["type"])}
    if member.get("required"):
        found["required"] = True
    inner = member.get("member", "")
    if found["type"] == "array":
        found["items"] = "object" if inner in objects else _ITEMS.get(inner, inner)
    if inner in objects and inner not in above and (members := _parameters(objects, inner, above)):
        found["members"] = members
    return found


def _answer(member: Mapping[str, Any], objects: Mapping[str, Any], above: tuple[str, ...]) -> Any:
    kind, inner = member["type"], member.get("member", "")
    if kind not in ("object", "list"):
        return _TYPES.get(kind, kind)
    if inner in objects and inner not in above:
        shape: Any = {name: _answer(each, objects, (*above, inner)) for name, each in _members(objects, inner)}
    else:
        shape = "any" if inner in objects else _ITEMS.get(inner, _TYPES.get(inner, inner))
    return [shape] if kind == "list" else shape
