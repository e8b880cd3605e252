"""What an answer of Airflow can be. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Generic, ParamSpec, TypeAlias, TypeVar

_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Is(Generic[_T]):
    """It is there, with this value."""

    value: _T


@dataclass(frozen=True, slots=True)
class IsNot:
    """It is not there.

    Args:
        why: A sentence for the user about what is there in its place; empty if nothing is.
    """

    why: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be asked.

    Args:
        why: The kind of the failure, without any value that Airflow holds.
    """

    why: str


Fact: TypeAlias = Is[_T] | IsNot | Unknown


def failure(error: Exception) -> Unknown:
    """Return that something could not be asked because of an error.

    Args:
        error: The error.
    """
    # Not the text: it may hold what was asked for.
    return Unknown(type(error).__name__)


def unknown_on_error(question: Callable[_P, _T]) -> Callable[_P, _T | Unknown]:
    """Decorate a question to Airflow: any error means that it could not be asked.

    The database, the API server and each secrets backend raise errors of their own.

    Args:
        question: Returns a fact, or raises.
    """

    @wraps(question)
    def asked(*args: _P.args, **kwargs: _P.kwargs) -> _T | Unknown:
        try:
            return question(*args, **kwargs)
        except Exception as error:
            return failure(error)

    return asked
