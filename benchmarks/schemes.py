"""Other schemes by which triggerers could share an allowance, for many_triggerers.py to compare.

Rates are shares of the allowance; gains are what a second of answers adds to a share.
"""

from __future__ import annotations

from collections.abc import Callable

from sharing import PaceLike

from airflow_cloudtasks.waiting.triggerer.pace import Pace

_FLOOR = 1 / 64


class _Scheme:
    """Evenly spaced requests, a slow start up to the first refusal, and at most one cut in a round trip."""

    first_share = 1 / 4
    most = 1.0

    def __init__(self, requests_per_second: float) -> None:
        self.allowance = requests_per_second
        self.share = self.first_share
        self.starting = True
        self.last_slot = self.cut_at = self.gained_at = -1e9

    @property
    def interval(self) -> float:
        return 1 / (self.share * self.allowance)

    def next_at(self, now: float) -> float:
        return max(now, self.last_slot + self.interval)

    def sent(self, now: float) -> None:
        self.last_slot = max(self.last_slot + self.interval, now - self.interval)

    def answered(self, sent_at: float, now: float) -> None:
        seconds = min(now - self.gained_at, self.interval)
        self.gained_at = now
        gain = 1.0 * self.share if self.starting else self.gain(now - self.cut_at)
        self.share = min(self.share + gain * seconds, self.most)
        if self.share == self.most and self.starting:
            self.starting, self.cut_at = False, now

    def throttled(self, sent_at: float, now: float, retry_after: float | None) -> None:
        if sent_at > self.cut_at:
            self.starting, self.cut_at = False, now
            self.share = max(self.share * (1 - self.cut()), _FLOOR)

    def gain(self, silent: float) -> float:
        raise NotImplementedError

    def cut(self) -> float:
        raise NotImplementedError


class Version020(_Scheme):
    """What 0.2.0 did: from 95% down by a quarter, up by a hundredth a second, never below a tenth."""

    first_share = most = 0.95

    def gain(self, silent: float) -> float:
        return 0.0095

    def cut(self) -> float:
        return 0.25 if self.share * 0.75 > 0.095 else 1 - 0.095 / self.share


class FirstTrial(_Scheme):
    """An increase that grows with the cube of the time since the last refusal, and cuts of 15%."""

    def gain(self, silent: float) -> float:
        return 0.0002 * (1 + (silent / 40) ** 3)

    def cut(self) -> float:
        return 0.15


class Cubic(_Scheme):
    """Back to the share of the last refusal along a cubic curve, and beyond it, as TCP CUBIC; cuts of 30%."""

    _STEEPNESS = 1.1e-5
    _last = 1.0

    def gain(self, silent: float) -> float:
        plateau = (0.3 * self._last / self._STEEPNESS) ** (1 / 3)
        return 3 * self._STEEPNESS * (silent - plateau) ** 2

    def cut(self) -> float:
        self._last = self.share
        return 0.3


class SquareRoot(_Scheme):
    """A binomial scheme: increases and cuts by the square root of the share."""

    def gain(self, silent: float) -> float:
        return 0.00004 / self.share**0.5

    def cut(self) -> float:
        return min(0.02 / self.share**0.5, 0.5)


class Scalable(_Scheme):
    """Increases in proportion to the share, and cuts of 10%."""

    def gain(self, silent: float) -> float:
        return 0.003 * self.share

    def cut(self) -> float:
        return 0.1


class ByShareRefused(_Scheme):
    """Cuts by half of the share of requests that was refused lately, as DCTCP; the same increase for all."""

    _refused = 0.0

    def answered(self, sent_at: float, now: float) -> None:
        self._refused -= self._refused / 16
        super().answered(sent_at, now)

    def throttled(self, sent_at: float, now: float, retry_after: float | None) -> None:
        self._refused += (1 - self._refused) / 16
        super().throttled(sent_at, now, retry_after)

    def gain(self, silent: float) -> float:
        return 0.0001

    def cut(self) -> float:
        return self._refused / 2


class WholeNumbers(Pace):
    """This package's shares, but a whole number of requests in each window, at moments that stay the same.

    Requests that leave a little more than a window after the last ones always find room in a sliding window, as long as
    nobody else has taken it. After a refusal, the moments are others. It applies to those that send one to three
    requests in a window.
    """

    _LEAST, _MOST = 0.9, 2.6
    # Seconds that the moments of two windows are farther apart than a window, for the variance of the latency.
    _MARGIN = 0.015

    def next_at(self, now: float) -> float:
        return max(now, self._last_slot + self._spacing())

    def sent(self, now: float) -> None:
        due, spacing = self._last_slot + self._spacing(), self._spacing()
        self._is_used = now - due <= spacing
        self._last_slot = max(due, now - spacing)

    def throttled(self, sent_at: float, now: float, retry_after: float | None = None) -> None:
        super().throttled(sent_at, now, retry_after)
        if self._is_whole():
            # As good as a random number: it depends on the tenths of a millisecond.
            self._last_slot += now * 7919 % 1 * self._spacing()

    def _is_whole(self) -> bool:
        return self._LEAST <= self.rate < self._MOST

    def _spacing(self) -> float:
        return (1 + self._MARGIN) / round(self.rate) if self._is_whole() else 1 / self.rate


SCHEMES: dict[str, Callable[[float], PaceLike]] = {
    "this package": Pace,
    "version 0.2.0: additive increase": Version020,
    "cubic increase, cuts of 15%": FirstTrial,
    "like TCP CUBIC": Cubic,
    "binomial: square root": SquareRoot,
    "increase by the own share": Scalable,
    "like DCTCP: cuts by the share refused": ByShareRefused,
    "whole numbers of requests a window": WholeNumbers,
}
