"""Check values against the Literal types of the spec."""

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
