"""Check the emulator's declarations and answers by the vendors' definitions."""

from __future__ import annotations

from typing import Any

from contract.definitions import ANYTHING

_CHECKS: dict[str, type | tuple[type, ...]] = {
    "integer": int,
    "boolean": bool,
    "string": str,
    "number": (int, float),
}


def declared(defined: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an action by name: type, type of items, whether required, members of an object."""
    return {
        name: {
            "type": each["type"],
            "items": each.get("items", "string"),
            "required": each.get("required", False),
            "members": declared(each.get("members", {})),
        }
        for name, each in defined.items()
    }


def mistakes(shape: Any, answer: Any, at: str) -> list[str]:
    """The differences of an answer from its definition: unknown names and wrong types, at any depth."""
    if answer is None or shape == ANYTHING:
        return []
    if isinstance(shape, dict) and isinstance(answer, dict):
        found = [f"{at}.{name}: unknown" for name in answer.keys() - shape.keys()]
        for name in answer.keys() & shape.keys():
            found += mistakes(shape[name], answer[name], f"{at}.{name}")
        return found
    if isinstance(shape, list) and isinstance(answer, list):
        return [mistake for item in answer for mistake in mistakes(shape[0], item, at)]
    is_scalar = isinstance(shape, str) and shape in _CHECKS
    if is_scalar and isinstance(answer, _CHECKS[shape]) and isinstance(answer, bool) is (shape == "boolean"):
        return []
    return [f"{at}: {answer!r} is no {shape if isinstance(shape, str) else type(shape).__name__}"]


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
