"""Check single values of the spec: those of Literal types, and paths."""

from __future__ import annotations

from typing import Any, get_args


def check_literal(statement: str, value: Any, literal: Any) -> None:
    """Refuse a value that its Literal type does not list.

    Args:
        statement: The start of the error text: which field of what has the value, e.g. ``GetTask: method is``.
        value: The value.
        literal: The Literal type of the field.

    Raises:
        ValueError: The type does not list the value; the text names the values that it lists.
    """
    if value not in get_args(literal):
        raise ValueError(f"{statement} {value!r}; expected one of {get_args(literal)}.")


def is_path(path: str) -> bool:
    """Return whether a text is a path: names with dots between them, none of them blank.

    Args:
        path: The text.
    """
    return all(map(str.strip, path.split(".")))
