"""Injected faults: which request is spoiled, and how. The dice are passed in, so that a test can load them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator.engine.values import JsonObject

FaultKind = Literal["throttle", "http_500", "reset", "hang", "bad_json", "expired_token", "lost_answer"]
FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
DEFAULT_HANG_SECONDS = 60.0


@dataclass(slots=True)
class Fault:
    """A rule that spoils requests.

    Attributes:
        kinds: What happens to a request that it hits; several kinds take turns.
        rate: The share of requests that it hits, 0 to 1.
        count: How many more requests it may hit; None for any number.
        seconds: How long a hang keeps the client waiting.
        api: The only API whose requests it hits, by the emulator's name; None for all.
        hits: How many requests it has hit.
    """

    kinds: tuple[FaultKind, ...]
    rate: float = 1.0
    count: int | None = None
    seconds: float = DEFAULT_HANG_SECONDS
    api: str | None = None
    hits: int = 0

    def describe(self) -> JsonObject:
        """Return its settings and its number of hits as a JSON object."""
        return {
            "kind": list(self.kinds),
            "rate": self.rate,
            "count": self.count,
            "seconds": self.seconds,
            "api": self.api,
            "hits": self.hits,
        }


@dataclass(frozen=True, slots=True)
class Hit:
    """What happens to one request.

    Attributes:
        kind: The fault.
        seconds: How long a hang keeps the client waiting.
        ordinal: How many requests the same rule hit before this one.
    """

    kind: FaultKind
    seconds: float
    ordinal: int


class Faults:
    """The rules in force, in the order they were added.

    Args:
        dice: Returns a number in [0, 1) for every rule that is tried.
    """

    def __init__(self, dice: Callable[[], float]) -> None:
        self._dice = dice
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a rule after those in force."""
        self._rules.append(fault)

    def clear(self) -> None:
        """Remove every rule."""
        self._rules.clear()

    def describe(self) -> list[JsonObject]:
        """Return the rules in force as JSON objects, in order."""
        return [rule.describe() for rule in self._rules]

    def strike(self, api: str) -> Hit | None:
        """Return what happens to a request of an API by the first rule that hits it, or None if no rule does."""
        for rule in self._rules:
            if rule.api not in (None, api) or self._dice() >= rule.rate:
                continue
            hit = Hit(rule.kinds[rule.hits % len(rule.kinds)], rule.seconds, rule.hits)
            rule.hits += 1
            if rule.count is not None:
                rule.count -= 1
                if rule.count == 0:
                    self._rules.remove(rule)
            return hit
        return None
