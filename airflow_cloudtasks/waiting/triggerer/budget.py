"""How many requests a second one account may send to one action: paced, cut when throttled, and slowly restored.

Pure: whoever asks says what time it is.
"""

from __future__ import annotations

from airflow_cloudtasks.waiting.backoff import LONGEST_PAUSE

# Requests travel for unequal times. Sent at just the allowed rate, two that leave a second apart may arrive in one.
_HEADROOM = 0.95

# What a throttled answer leaves of the rate. TCP takes a half; here the allowance is known, and rarely much exceeded.
_CUT = 0.75

# How much of the allowance is given back in a second of successes. All who share an account gain the same while the
# faster ones lose more, so that they settle on equal shares.
_REGAIN = 0.01

# Of the allowance; a service that throttles at random, and not for the rate, would else bring it to nothing.
_FLOOR = 0.1


class Budget:
    """Requests a second.

    The requests of all who share it leave one by one, evenly spaced: an API that allows 20 in any second takes no
    bursts. What it costs to be wrong about the allowance, or to share it with strangers, is about one refused request
    at each cut.

    Args:
        requests_per_second: The allowance.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._most = self._rate = requests_per_second * _HEADROOM
        self._next = 0.0
        self._cut_at = float("-inf")

    @property
    def rate(self) -> float:
        """Requests a second at present."""
        return self._rate

    def keep_to(self, requests_per_second: float) -> None:
        """Keep to an allowance too that another connection to the same account states; the smaller one counts."""
        self._most = min(self._most, requests_per_second * _HEADROOM)
        self._rate = min(self._rate, self._most)

    def reserve(self, now: float) -> float:
        """Take the next place in the row of requests.

        Args:
            now: Seconds on any steady clock.

        Returns:
            When the request may leave, on the same clock.
        """
        # Whoever comes a little late for a place does not lose it: an event loop is never punctual.
        at = max(self._next, now - 1 / self._rate)
        self._next = at + 1 / self._rate
        return max(at, now)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """Take note that a request was refused for being one too many.

        Args:
            sent_at: When it was sent.
            now: When the refusal came.
            retry_after: Seconds that the service asks to wait.
        """
        # What was under way when the rate was cut says nothing of the rate since.
        if sent_at > self._cut_at:
            self._cut_at = now
            self._rate = max(self._rate * _CUT, self._most * _FLOOR)
        pause = min(retry_after or 0.0, LONGEST_PAUSE)
        self._next = max(self._next, now + max(pause, 1 / self._rate))

    def succeeded(self) -> None:
        """Take note that a request was answered."""
        self._rate = min(self._rate + self._most * _REGAIN / self._rate, self._most)
