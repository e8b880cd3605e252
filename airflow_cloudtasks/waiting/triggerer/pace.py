"""How fast one triggerer may send one account's requests for one action. Pure: the caller passes the time.

Several triggerers may share an account without knowing of each other, so the rate is a form of congestion control.
docs/explanation/waiting.md explains the scheme; benchmarks/many_triggerers.py compares it with others.
"""

from __future__ import annotations

from airflow_cloudtasks.waiting.backoff import LONGEST_PAUSE

# Fraction of the allowance at which a triggerer starts. It doubles every second until the first refusal.
_START = 1 / 4

# Fraction of the rate that a refusal leaves.
_CUT = 0.85

# Requests a second that are gained each second, as a share of the allowance; and after how many seconds without a
# refusal the gain has doubled. It grows with the cube of that time.
_GAIN = 0.0002
_PATIENCE = 40.0

# Fraction of the allowance below which the rate never falls: a service may throttle for reasons other than the rate.
_FLOOR = 1 / 64


class Pace:
    """The rate of one account's requests, and the moment of the next one.

    Requests leave evenly spaced. No places are reserved: the owner asks for :attr:`next_at`, sends one request then,
    and reports it by :meth:`sent`. All times are seconds on any steady clock.

    Args:
        requests_per_second: The allowance of the account, which others may share.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._allowance = requests_per_second
        self._rate = requests_per_second * _START
        self._slot = float("-inf")
        self._paused_until = float("-inf")
        self._cut_at = float("-inf")
        self._gained_at = float("-inf")
        self._ever_refused = False

    @property
    def rate(self) -> float:
        """Requests a second at present."""
        return self._rate

    def allow(self, requests_per_second: float) -> None:
        """Set the allowance, up or down, at once."""
        if requests_per_second == self._allowance:
            return
        self._rate *= requests_per_second / self._allowance
        self._allowance = requests_per_second

    def next_at(self, now: float) -> float:
        """Return when the next request may leave: ``now``, or later."""
        return max(now, self._slot + 1 / self._rate, self._paused_until)

    def sent(self, now: float) -> None:
        """Note that a request leaves now."""
        interval = 1 / self._rate
        # Allow one interval of catch-up, so that late wake-ups of the event loop do not lower the rate.
        self._slot = max(self._slot + interval, now - interval)

    def answered(self, sent_at: float, now: float) -> None:
        """Note that a request was answered.

        Args:
            sent_at: When it was sent.
            now: When the answer came.
        """
        # A triggerer that sends nothing learns nothing, so idle time earns no more than one interval.
        seconds = min(now - self._gained_at, 1 / self._rate)
        self._gained_at = now
        if self._ever_refused:
            gain = self._allowance * _GAIN * (1 + ((now - self._cut_at) / _PATIENCE) ** 3)
        else:
            gain = self._rate
        self._rate = min(self._rate + gain * seconds, self._allowance)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """Note that a request was refused for being one too many.

        Args:
            sent_at: When it was sent.
            now: When the refusal came.
            retry_after: Seconds that the service asks to wait; all requests wait for so long, up to a minute.
        """
        # Requests that were under way at the last cut tell nothing about the rate since then.
        if sent_at > self._cut_at:
            self._ever_refused, self._cut_at = True, now
            self._rate = max(self._rate * _CUT, self._allowance * _FLOOR)
        if retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_PAUSE))
