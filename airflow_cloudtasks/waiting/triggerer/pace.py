"""How fast one triggerer may send one account's requests for one action. Pure: the caller passes the time.

Several triggerers may share the account, and none of them knows of the others. All that each sees is which of its own
requests are refused, so its rate is a form of congestion control. docs/explanation/waiting.md explains the scheme, and
benchmarks/many_triggerers.py compares it with others; the constants were chosen there.

A *share* is a rate as a fraction of the allowance.
"""

from __future__ import annotations

import math

from airflow_cloudtasks.waiting.backoff import LONGEST_PAUSE

# The first share, and what each answer adds to it until a refusal comes: a lone triggerer that may send 20 requests a
# second does so after two seconds.
_FIRST_SHARE = 1 / 4
_FIRST_STEP = 1 / 20

# Fraction of the rate that a refusal takes away: 9% of a small share, 3% of the whole allowance.
_CUT = 0.09
_CUT_LESS_BY_SQUARE = 0.06

# What a second of answers adds to the share. The first part lets a few triggerers fill the allowance; it is the same
# for all shares above a quarter. The second part gives more to smaller shares. Both make unequal shares equal.
_GAIN = 0.005
_GAIN_POWER = 1.5
_GAIN_UP_TO = 1 / 4
_GAIN_OF_SMALL = 6e-8

# After so many seconds, and intervals, without a refusal, others have probably left: the gain has doubled, and goes on
# to rise steeply.
_PATIENCE_SECONDS = 70.0
_PATIENCE_INTERVALS = 5
_PATIENCE_POWER = 8

# Largest fraction of the rate that a second of answers adds.
_LARGEST_GAIN = 0.2

# Smallest share. A service may refuse at random, for other reasons than the rate, and must not silence a triggerer.
# 32 triggerers at this share use half of the allowance.
_FLOOR = 1 / 64

# Seconds; before any clock's start, and finite, because slots are counted from it.
_LONG_AGO = -1e9


class Pace:
    """The rate of one account's requests, and the moment of the next one.

    Requests leave evenly spaced. No places are reserved: the owner waits until :meth:`next_at`, sends one request, and
    reports it with :meth:`sent`. All times are seconds on any steady clock.

    Args:
        requests_per_second: The allowance of the account, which others may share.
    """

    def __init__(self, requests_per_second: float) -> None:
        self._allowance = requests_per_second
        self._share = _FIRST_SHARE
        self._is_starting = True
        self._is_used = False
        self._last_slot = self._paused_until = self._cut_at = self._gained_at = _LONG_AGO

    @property
    def rate(self) -> float:
        """Requests a second at present."""
        return self._share * self._allowance

    @property
    def allowance(self) -> float:
        """Requests a second that the account allows."""
        return self._allowance

    def allow(self, requests_per_second: float) -> None:
        """Set the allowance, up or down, at once; the share of it stays."""
        self._allowance = requests_per_second

    def next_at(self, now: float) -> float:
        """Return when the next request may leave: ``now``, or later."""
        return max(now, self._due())

    def sent(self, now: float) -> None:
        """Note that a request leaves now."""
        due, interval = self._due(), 1 / self.rate
        # A rate that is not used is not tested, so it does not grow.
        self._is_used = now - due <= interval
        # Allow one interval of catch-up, so that late wake-ups of the event loop do not lower the rate.
        self._last_slot = max(due, now - interval)

    def answered(self, sent_at: float, now: float) -> None:
        """Note that a request was answered, and raise the rate.

        Args:
            sent_at: When the request was sent.
            now: When the answer came.
        """
        seconds = min(now - self._gained_at, 1 / self.rate)
        self._gained_at = now
        if not self._is_used or sent_at <= self._cut_at:
            return
        if self._is_starting:
            self._share += _FIRST_STEP
            if self._share >= 1:
                self._is_starting, self._cut_at = False, now
        else:
            self._share += self._gain(now) * seconds
        self._share = min(self._share, 1.0)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        """Note that a request was refused for being one too many, and lower the rate.

        Args:
            sent_at: When the request was sent.
            now: When the refusal came.
            retry_after: Seconds that the service asks to wait. All requests wait for so long, up to five minutes.
        """
        # Requests that were under way at the last cut tell nothing about the rate since then.
        if sent_at > self._cut_at:
            self._is_starting, self._cut_at = False, now
            self._share = max(self._share * (1 - _CUT + _CUT_LESS_BY_SQUARE * self._share**2), _FLOOR)
        if retry_after is not None:
            self.pause(now, retry_after)

    def pause(self, now: float, retry_after: float) -> None:
        """Let all requests wait, because the service asks for it.

        Args:
            now: When the answer came that asks for it.
            retry_after: Seconds to wait, up to five minutes.
        """
        self._paused_until = max(self._paused_until, now + min(retry_after, LONGEST_PAUSE))

    def _due(self) -> float:
        """Return the next slot. Slots go on during a pause, so that those who pause together do not resume together."""
        interval = 1 / self.rate
        due = self._last_slot + interval
        if due < self._paused_until:
            due += math.ceil((self._paused_until - due) / interval) * interval
        return due

    def _gain(self, now: float) -> float:
        """Return what a second of answers adds to the share."""
        patience = max(_PATIENCE_SECONDS, _PATIENCE_INTERVALS / self.rate)
        gain: float = _GAIN * min(self._share, _GAIN_UP_TO) ** _GAIN_POWER + _GAIN_OF_SMALL / self._share**2
        gain *= 1 + ((now - self._cut_at) / patience) ** _PATIENCE_POWER
        return min(gain, _LARGEST_GAIN * self._share)
