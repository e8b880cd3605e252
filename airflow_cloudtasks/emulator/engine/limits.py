"""Request limits, counted as vendors count them: so many requests a second for one account and one action."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Hashable

WindowKind = Literal["sliding", "fixed", "bucket"]
WINDOW_KINDS: tuple[WindowKind, ...] = get_args(WindowKind)


class Limiter(Protocol):
    """Decides which requests of one account to one action are within a limit."""

    def admit(self, now: float) -> bool:
        """Count a request and return whether it is within the limit.

        Args:
            now: The time, in seconds of any steady clock.
        """


class SlidingWindow:
    """Admit at most a number of requests in any window of about a second, wherever it begins.

    Args:
        requests_per_second: The limit. A fraction stretches the window: 0.5 is one in two seconds, 2.5 two in 0.8.
        counts_refused: Whether refused requests count too, so that a client that does not slow down is never admitted.
    """

    def __init__(self, requests_per_second: float, counts_refused: bool = False) -> None:
        self.capacity, self.seconds = _window(requests_per_second)
        self._counts_refused = counts_refused
        self._counted: deque[float] = deque(maxlen=self.capacity)

    def admit(self, now: float) -> bool:
        """Count a request and return whether it is within the limit."""
        admitted = len(self._counted) < self.capacity or now - self._counted[0] >= self.seconds
        if admitted or self._counts_refused:
            self._counted.append(now)
        return admitted


class FixedWindow:
    """Admit at most a number of requests in each window, as a counter does that is set to zero every second.

    A refused request changes nothing here, because the next window starts at zero anyway.

    Args:
        requests_per_second: The limit. A fraction stretches the windows, as in :class:`SlidingWindow`.
        counts_refused: Accepted for all limiters, without an effect on this one.
    """

    def __init__(self, requests_per_second: float, counts_refused: bool = False) -> None:
        self.capacity, self.seconds = _window(requests_per_second)
        self._window = -1.0
        self._admitted = 0

    def admit(self, now: float) -> bool:
        """Count a request and return whether it is within the limit."""
        if self._window != now // self.seconds:
            self._window, self._admitted = now // self.seconds, 0
        self._admitted += 1
        return self._admitted <= self.capacity


class TokenBucket:
    """Admit a request for each token of a bucket that holds one second's tokens, and at least one.

    Args:
        requests_per_second: How many tokens are added in a second.
        counts_refused: Whether a refused request takes what there is of a token, so that a client that does not slow
            down is never admitted.
    """

    def __init__(self, requests_per_second: float, counts_refused: bool = False) -> None:
        self._rate = requests_per_second
        self._counts_refused = counts_refused
        self._most = self._tokens = max(1.0, requests_per_second)
        self._filled_at = -math.inf

    def admit(self, now: float) -> bool:
        """Count a request and return whether it is within the limit."""
        self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        admitted = self._tokens >= 1
        if admitted:
            self._tokens -= 1
        elif self._counts_refused:
            self._tokens = 0.0
        return admitted


_LIMITERS: dict[WindowKind, type[SlidingWindow | FixedWindow | TokenBucket]] = {
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
    "bucket": TokenBucket,
}


def make_limiter(kind: WindowKind, requests_per_second: float, counts_refused: bool = False) -> Limiter:
    """Return a limiter that has not counted any request yet."""
    return _LIMITERS[kind](requests_per_second, counts_refused)


class Limits:
    """One limiter for each account and action, all of one kind; no limit until one is set.

    Attributes:
        requests_per_second: The limit; None for none.
        retry_after: The seconds in the ``Retry-After`` header of a refusal; None for no such header.
    """

    def __init__(self) -> None:
        self.requests_per_second: float | None = None
        self.retry_after: int | None = None
        self._kind: WindowKind = "sliding"
        self._counts_refused = False
        self._limiters: dict[Hashable, Limiter] = {}

    def set(
        self,
        requests_per_second: float | None,
        window: WindowKind = "sliding",
        counts_refused: bool = False,
        retry_after: int | None = None,
    ) -> None:
        """Set or lift (None) the limit, and forget the requests counted so far."""
        self.requests_per_second = requests_per_second
        self.retry_after = retry_after
        self._kind, self._counts_refused = window, counts_refused
        self._limiters.clear()

    def admit(self, group: Hashable, now: float) -> bool:
        """Count a request of an account and action, and return whether it is within the limit.

        Args:
            group: The account and action that are counted together.
            now: The time, in seconds of any steady clock.
        """
        if self.requests_per_second is None:
            return True
        limiter = self._limiters.get(group)
        if limiter is None:
            limiter = make_limiter(self._kind, self.requests_per_second, self._counts_refused)
            self._limiters[group] = limiter
        return limiter.admit(now)


def _window(requests_per_second: float) -> tuple[int, float]:
    """Return how many requests fit into a window, and its length in seconds."""
    capacity = max(1, math.floor(requests_per_second))
    return capacity, capacity / requests_per_second
