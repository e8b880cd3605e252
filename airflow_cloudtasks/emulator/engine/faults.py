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
        kinds: What happens to a request it hits; several are taken in turn.
        rate: The share of requests it hits, 0 to 1.
        count: How many more it may hit; None for no end.
        seconds: How long a hang keeps the client waiting.
        api: The only API whose requests it hits, by the emulator's name; None for all.
        hits: How many it has hit.
    """

    kinds: tuple[FaultKind, ...]
    rate: float = 1.0
    count: int | None = None
    seconds: float = DEFAULT_HANG_SECONDS
    api: str | None = None
    hits: int = 0

    def describe(self) -> JsonObject:
        """Tell the rule as the control plane shows it.

        Returns:
            Its settings, and how many it has hit.
        """
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
    """The rules in force, asked in the order they were added.

    Args:
        dice: Gives a number from 0 up to, and without, 1 for every rule asked.
    """

    def __init__(self, dice: Callable[[], float]) -> None:
        self._dice = dice
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Add a rule behind those in force.

        Args:
            fault: The rule.
        """
        self._rules.append(fault)

    def clear(self) -> None:
        """Drop every rule."""
        self._rules.clear()

    def describe(self) -> list[JsonObject]:
        """Tell the rules in force.

        Returns:
            One object a rule, in order.
        """
        return [rule.describe() for rule in self._rules]

    def strike(self, api: str) -> Hit | None:
        """Decide about one request.

        Args:
            api: The API it is for, by the emulator's name.

        Returns:
            What happens to it, or None when it is left alone. The first rule that hits settles it.
        """
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
