"""What an answer of Airflow can be. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Is(Generic[_T]):
    """It is there, with this value."""

    value: _T


@dataclass(frozen=True, slots=True)
class IsNot:
    """It is not there."""


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
