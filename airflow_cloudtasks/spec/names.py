"""Which values can name an object of a vendor: a task, a project, a workflow. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments

# What Python, JSON and pandas print for a missing value or a boolean. No vendor gives such an id.
_WORDS = frozenset({"none", "null", "nan", "nat", "<na>", "true", "false"})

# What Python prints for a float that stands for an integer. Other decimals may be names, e.g. the version 1.10.
_FLOAT = re.compile(r"[+-]?(\d+\.0+|\d+(\.\d+)?e[+-]\d+|\d+\.\d+e\d+|inf(inity)?)", re.ASCII)

# What Python and JSON print for a list, a tuple, a dict or a set.
_COLLECTION = re.compile(r"\[.*\]|\(.*\)|{.*}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What is known of arguments while they are checked.

    Args:
        is_pending: Returns whether a value is known only when the Airflow task runs. Such a value is not checked.
        native: The paths of the values that Airflow has rendered from templates to native Python objects.
    """

    is_pending: Callable[[Any], bool] = lambda _: False
    native: Container[str] = frozenset()

    def hint(self, path: str, value: Any) -> str:
        """Return a sentence for the end of an error if native rendering has made a value; otherwise an empty text.

        Args:
            path: The path of the value, e.g. ``AdvancedParams.version``.
            value: The value. Text is what every template is rendered to.
        """
        if path not in self.native or isinstance(value, str):
            return ""
        return (
            " The cause is render_template_as_native_obj=True: Airflow then turns a rendered text that looks like a "
            "Python value into that value. To keep the text, quote it within the template: \"'{{ … }}'\"."
        )


RENDERED = Arguments()
"""Arguments whose values are all known."""


def why_no_name(value: Any) -> str | None:
    """Return why a value cannot name an object of a vendor, for the end of an error text; None if it can.

    Args:
        value: The value.
    """
    match value:
        case str():
            return _why_no_name(value)
        case None:
            return "no id; expected text, or an integer."
        case bool():
            return "a boolean; expected an id as text, or as an integer."
        case int():
            return None
        case float():
            return "a float, which may have lost digits; expected the id as text, or as an integer."
        case _:
            return f"of type {type(value).__name__}; expected one id as text, or as an integer."


def as_name(value: str | int) -> str:
    """Return an id as text; also that of an enumeration, whose ``str`` would be its member's name.

    Args:
        value: A value for which :func:`why_no_name` returns None.
    """
    return str.__str__(value) if isinstance(value, str) else int.__repr__(value)


def check_name(owner: str, name: str, value: Any, arguments: Arguments = RENDERED) -> None:
    """Refuse a value that cannot name an object of a vendor.

    Args:
        owner: What takes the parameter, e.g. ``wedata.task``.
        name: The parameter, e.g. ``ProjectId``.
        value: The value.
        arguments: What is known of the arguments.

    Raises:
        InvalidArguments: The value is no id; the text has the parameter's name and says why.
    """
    if not arguments.is_pending(value) and (reason := why_no_name(value)) is not None:
        raise InvalidArguments(f"{owner}: {name} is {value!r:.100}, {reason}{arguments.hint(name, value)}")


@lru_cache(maxsize=4096)  # every poll checks the same few texts
def _why_no_name(text: str) -> str | None:
    word = text.strip().lower()
    if not any(character.isprintable() and not character.isspace() for character in word):
        return "a blank text; expected an id."
    if word in _WORDS:
        return "the text of a missing value or a boolean; expected an id."
    if _FLOAT.fullmatch(word):
        return "the text of a float, which may have lost digits; expected the id as text, or as an integer."
    if _COLLECTION.fullmatch(word):
        return (
            "the text of a list or a dict; expected an id. To pass on several ids, pass the other task's output itself."
        )
    return None
