"""Name the typed argument in an error that names the vendor's parameter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from airflow_cloudtasks.errors import InvalidArguments

# An entry of "Args:" in a docstring, e.g. "project_id: The vendor's ``ProjectId`` (templated)."
_ENTRY = re.compile(r"^ {4}(\w+): .*\b[Tt]he vendor's ``([\w.]+)``", re.MULTILINE)


@contextmanager
def naming_arguments(kind: type) -> Iterator[None]:
    """Add the argument's name to an error about a parameter.

    Args:
        kind: The operator or sensor that takes the argument.

    Raises:
        InvalidArguments: The error, with a sentence more if its argument has another name than the parameter.
    """
    try:
        yield
    except InvalidArguments as error:
        if (hint := _hint(kind, str(error))) is None:
            raise
        raise InvalidArguments(f"{error} {hint}") from None


@cache
def argument_names(kind: type) -> dict[str, str]:
    """Return the arguments of an operator or sensor by the vendor's parameters, as its docstring has them.

    Args:
        kind: The operator or sensor.
    """
    docs = [inspect.cleandoc(each.__doc__ or "") for each in reversed(kind.__mro__)]
    return {parameter: argument for doc in docs for argument, parameter in _ENTRY.findall(doc)}


def _hint(kind: type, text: str) -> str | None:
    """Return a sentence about the first parameter that a text names; None if its argument is named, too."""
    names = argument_names(kind)
    for word in re.findall(r"[\w.]+", text):
        parts = word.split(".")
        paths = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
        for path in (*paths, *parts):
            if (argument := names.get(path)) is not None:
                return None if re.search(rf"\b{argument}\b", text) else f"{path} is the argument {argument}."
    return None
