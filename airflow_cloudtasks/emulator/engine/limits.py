"""Request limits, counted as the vendors do: so many requests a second for one account and one action."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable


class SlidingWindow:
    """Admit at most a number of requests in any window of about a second. Refused requests do not count.

    A window rather than a token bucket, because the vendors promise "no more than N in a second": a full bucket
    admits twice as many in its first second.

    Args:
        requests_per_second: The limit. A fraction stretches the window: 0.5 is one in two seconds, 2.5 two in 0.8.
    """

    def __init__(self, requests_per_second: float) -> None:
        self.capacity = max(1, math.floor(requests_per_second))
        self.seconds = self.capacity / requests_per_second
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> bool:
        """Count a request and return True, or return False if the window is full.

        Args:
            now: The time, in seconds of any steady clock.
        """
        while self._admitted and now - self._admitted[0] >= self.seconds:
            self._admitted.popleft()
        if len(self._admitted) >= self.capacity:
            return False
        self._admitted.append(now)
        return True


class Limits:
    """One window for each account and action, all of one size; no limit until one is set."""

    def __init__(self) -> None:
        self.requests_per_second: float | None = None
        self._windows: dict[Hashable, SlidingWindow] = {}

    def set(self, requests_per_second: float | None) -> None:
        """Set or lift (None) the limit, and forget the requests counted so far."""
        self.requests_per_second = requests_per_second
        self._windows.clear()

    def admit(self, group: Hashable, now: float) -> bool:
        """Count a request of an account and action, and return whether it is within the limit.

        Args:
            group: The account and action that are counted together.
            now: The time, in seconds of any steady clock.
        """
        if self.requests_per_second is None:
            return True
        window = self._windows.get(group)
        if window is None:
            window = self._windows[group] = SlidingWindow(self.requests_per_second)
        return window.admit(now)
