"""Injected faults: which requests fail, and how. A test can pass in the random numbers that decide this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator.engine.values import JsonObject

FaultKind = Literal[
    "throttle",
    "http_429",
    "http_500",
    "http_502",
    "http_503",
    "reset",
    "hang",
    "bad_json",
    "bad_utf8",
    "html",
    "expired_token",
    "lost_answer",
    "stale",
]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
DEFAULT_HANG_SECONDS = 60.0
RETRY_AFTER_KINDS: tuple[FaultKind, ...] = ("throttle", "http_500", "http_429", "http_502", "http_503")


@dataclass(slots=True)
class FaultRule:
    """A rule that makes requests fail.

    Attributes:
        kinds: The faults that the rule injects, in turn.
        rate: The share of requests that fail, 0 to 1.
        count: How many more requests may fail; None for any number.
        seconds: How long a hang keeps the client waiting, or how far behind the tasks a stale answer is.
        api: The emulator's name of the API whose requests fail; None for all APIs.
        retry_after: The seconds in the ``Retry-After`` header of :data:`RETRY_AFTER_KINDS`; None for no header.
        hits: How many requests have failed by this rule.
    """

    kinds: tuple[FaultKind, ...]
    rate: float = 1.0
    count: int | None = None
    seconds: float = DEFAULT_HANG_SECONDS
    api: str | None = None
    retry_after: int | None = None
    hits: int = 0

    def describe(self) -> JsonObject:
        """Return the rule's settings and its number of hits as a JSON object."""
        described: JsonObject = {
            "kind": list(self.kinds),
            "rate": self.rate,
            "count": self.count,
            "seconds": self.seconds,
            "api": self.api,
            "hits": self.hits,
        }
        return described if self.retry_after is None else described | {"retry_after": self.retry_after}


@dataclass(frozen=True, slots=True)
class Hit:
    """The fault that a rule injects into one request.

    Attributes:
        kind: The fault.
        seconds: How long a hang keeps the client waiting, or how far behind the tasks a stale answer is.
        ordinal: How many requests have failed by the same rule before this one.
        retry_after: The seconds in the answer's ``Retry-After`` header; None for no header.
    """

    kind: FaultKind
    seconds: float
    ordinal: int
    retry_after: int | None = None


class Faults:
    """The rules in force, in the order they were added.

    Args:
        random_number: Returns a number in [0, 1). A rule injects its fault if the number is below the rule's rate.
    """

    def __init__(self, random_number: Callable[[], float]) -> None:
        self._random_number = random_number
        self._rules: list[FaultRule] = []

    def add(self, rule: FaultRule) -> None:
        """Add a rule after those in force."""
        self._rules.append(rule)

    def clear(self) -> None:
        """Remove every rule."""
        self._rules.clear()

    def describe(self) -> list[JsonObject]:
        """Return the rules in force as JSON objects, in order."""
        return [rule.describe() for rule in self._rules]

    def strike(self, api: str) -> Hit | None:
        """Return the fault to inject into a request of an API, from the first rule that has one; None for no fault."""
        for rule in self._rules:
            if rule.api not in (None, api) or self._random_number() >= rule.rate:
                continue
            hit = Hit(rule.kinds[rule.hits % len(rule.kinds)], rule.seconds, rule.hits, rule.retry_after)
            rule.hits += 1
            if rule.count is not None:
                rule.count -= 1
                if rule.count == 0:
                    self._rules.remove(rule)
            return hit
        return None
