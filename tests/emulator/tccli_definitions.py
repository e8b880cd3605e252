"""Tencent Cloud's own definitions, which tccli ships, to check the emulator's declarations and answers."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from tccli_examples import is_usable, parse_input

_KINDS = {
    "int": "integer",
    "bool": "boolean",
    "float": "number",
    "list": "array",
    "string": "string",
    "object": "object",
}
_CHECKS: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "boolean": bool,
    "array": list,
    "string": str,
    "object": dict,
    "number": (int, float),
}


@lru_cache
def _load(service: str, version: str, name: str) -> Any:
    folder = files("tccli") / "services" / service / f"v{version.replace('-', '')}"
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


_ITEMS = {"int64": "integer", "uint64": "integer", "float": "number", "double": "number", "bool": "boolean"}


def declared(service: str, version: str, action: str) -> dict[str, Any]:
    """The parameters of an action by name: kind, kind of items, whether required, members of an object."""
    api = _load(service, version, "api")
    return _members(api, api["actions"][action]["input"])


def _members(api: Any, name: str) -> dict[str, Any]:
    found = {}
    for member in api["objects"][name]["members"]:
        kind = _KINDS[member["type"]]
        inner = member["member"]
        items = "object" if inner in api["objects"] else _ITEMS.get(inner, inner)
        found[member["name"]] = {
            "type": kind,
            "items": items if kind == "array" else "string",
            "required": bool(member.get("required")),
            "members": _members(api, inner) if inner in api["objects"] else {},
        }
    return found


def example_inputs(service: str, version: str, action: str) -> list[dict[str, Any]]:
    """The bodies of an action's example requests."""
    examples = _load(service, version, "examples")["actions"].get(action, [])
    return [parse_input(example["input"]) for example in examples if is_usable(service, action)]


def example_outputs(service: str, version: str, action: str) -> list[dict[str, Any]]:
    """The bodies of an action's example answers, without their envelope."""
    examples = _load(service, version, "examples")["actions"].get(action, [])
    return [json.loads(example["output"])["Response"] for example in examples if is_usable(service, action)]


def mistakes(service: str, version: str, action: str, answer: Any) -> list[str]:
    """The differences of an answer from its definition: unknown names and wrong types, at any depth."""
    api = _load(service, version, "api")
    return _mistakes(api, api["actions"][action]["output"], answer, action)


def _mistakes(api: Any, name: str, value: dict[str, Any], at: str) -> list[str]:
    members = {member["name"]: member for member in api["objects"][name]["members"]}
    found = [f"{at}.{key}: unknown" for key in value if key not in members]
    for key, member in members.items():
        one, inner = value.get(key), member["member"]
        if one is None:
            continue
        kind = _KINDS[member["type"]]
        wrong_bool = isinstance(one, bool) and kind != "boolean"
        if not isinstance(one, _CHECKS[kind]) or wrong_bool:
            found.append(f"{at}.{key}: {one!r} is no {kind}")
        elif inner in api["objects"]:
            for item in one if kind == "array" else [one]:
                found += _mistakes(api, inner, item, f"{at}.{key}")
    return found


def lacking(example: Any, answer: Any, at: str = "") -> list[str]:
    """The names that an example answer has and ours lacks, at any depth."""
    if isinstance(example, dict) and isinstance(answer, dict):
        missing = [f"{at}.{name}" for name in example.keys() - answer.keys() - {"RequestId"}]
        return missing + [
            text
            for name in example.keys() & answer.keys()
            for text in lacking(example[name], answer[name], f"{at}.{name}")
        ]
    if isinstance(example, list) and isinstance(answer, list) and example and answer:
        return lacking(example[0], answer[0], at)
    return []
