"""Simulates triggerers that share an account's allowance, without any communication between them.

A simulation of discrete events: nothing waits, and the same seed gives the same figures.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol

from airflow_cloudtasks.emulator.engine.limits import WindowKind, make_limiter

# Seconds that a request travels: a fixed part, and the mean of a random part with an exponential distribution.
_TRAVEL, _TRAVEL_JITTER = 0.01, 0.005
# Seconds that the service takes for an answer, evenly drawn; a refusal takes no time.
_WORK = (0.02, 0.1)
# Requests of one triggerer that may be under way.
_MOST_UNDER_WAY = 64
# Seconds after which a triggerer looks again when it may send: its rate may have grown.
_LOOK_AGAIN = 0.5


class PaceLike(Protocol):
    """What decides when a triggerer sends; :class:`airflow_cloudtasks.waiting.triggerer.pace.Pace` is one."""

    def next_at(self, now: float) -> float:
        """Return when the next request may leave."""

    def sent(self, now: float) -> None:
        """Note that a request leaves."""

    def answered(self, sent_at: float, now: float) -> None:
        """Note that a request was answered."""

    def throttled(self, sent_at: float, now: float, retry_after: float | None) -> None:
        """Note that a request was refused."""


@dataclass
class Triggerer:
    """A process that sends requests.

    Attributes:
        pace: Decides when it sends.
        begins: When it starts, in seconds.
        ends: When it stops.
        demand: Requests a second that it wants to send, at random moments; None for as many as it may.
        answered: When its requests arrived that were answered.
        refused: When its requests arrived that were refused.
    """

    pace: PaceLike
    begins: float = 0.0
    ends: float = math.inf
    demand: float | None = None
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Service:
    """The service and its other users.

    Attributes:
        requests_per_second: The allowance of the account.
        window: How requests are counted.
        counts_refused: Whether refused requests count too.
        retry_after: The seconds of ``Retry-After`` in a refusal.
        refuses_at_random: The share of requests that are refused for no reason that a client can know.
        stranger: Requests a second that somebody else's script sends to the account, whatever is answered.
        travel_jitter: The mean of the random part of a request's travel, in seconds.
    """

    requests_per_second: float = 20.0
    window: WindowKind = "fixed"
    counts_refused: bool = False
    retry_after: float | None = None
    refuses_at_random: float = 0.0
    stranger: float = 0.0
    travel_jitter: float = _TRAVEL_JITTER


def run(triggerers: Sequence[Triggerer], service: Service, seconds: float, seed: int) -> None:
    """Let triggerers send for some seconds, and record in each of them what was answered.

    Args:
        triggerers: The triggerers.
        service: The service.
        seconds: For how long.
        seed: Fixes all random numbers.
    """
    _Simulation(triggerers, service, random.Random(seed)).run(seconds)


class _Simulation:
    def __init__(self, triggerers: Sequence[Triggerer], service: Service, chance: random.Random) -> None:
        self._service = service
        self._chance = chance
        self._limiter = make_limiter(service.window, service.requests_per_second, service.counts_refused)
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = count()
        self._now = 0.0
        self._under_way = {id(one): 0 for one in triggerers}
        self._wanted_at = {id(one): one.begins for one in triggerers}
        for one in triggerers:
            self._at(one.begins, self._wake, one)
        if service.stranger:
            self._at(0.0, self._stranger_sends)

    def run(self, seconds: float) -> None:
        while self._events and self._events[0][0] < seconds:
            self._now, _, act, arguments = heapq.heappop(self._events)
            act(*arguments)

    def _at(self, moment: float, act: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._events, (moment, next(self._number), act, arguments))

    def _travel(self) -> float:
        return _TRAVEL + self._chance.expovariate(1 / self._service.travel_jitter)

    def _wake(self, one: Triggerer) -> None:
        now = self._now
        if now >= one.ends:
            return
        if self._under_way[id(one)] >= _MOST_UNDER_WAY:
            self._at(now + 0.01, self._wake, one)
            return
        next_at = max(one.pace.next_at(now), self._wanted_at[id(one)])
        if next_at > now + 1e-9:
            self._at(min(next_at, now + _LOOK_AGAIN), self._wake, one)
            return
        one.pace.sent(now)
        self._under_way[id(one)] += 1
        if one.demand is not None:
            self._wanted_at[id(one)] += self._chance.expovariate(one.demand)
        self._at(now + self._travel(), self._arrive, one, now)
        self._at(now, self._wake, one)

    def _arrive(self, one: Triggerer, sent_at: float) -> None:
        admitted = self._limiter.admit(self._now)
        if admitted and self._chance.random() >= self._service.refuses_at_random:
            one.answered.append(self._now)
            self._at(self._now + self._chance.uniform(*_WORK), self._answer, one, sent_at)
        else:
            one.refused.append(self._now)
            self._at(self._now + self._travel(), self._refuse, one, sent_at)

    def _answer(self, one: Triggerer, sent_at: float) -> None:
        self._under_way[id(one)] -= 1
        one.pace.answered(sent_at, self._now)

    def _refuse(self, one: Triggerer, sent_at: float) -> None:
        self._under_way[id(one)] -= 1
        one.pace.throttled(sent_at, self._now, self._service.retry_after)

    def _stranger_sends(self) -> None:
        self._limiter.admit(self._now)
        self._at(self._now + 1 / self._service.stranger, self._stranger_sends)


@dataclass(frozen=True)
class Shares:
    """How triggerers shared an allowance.

    Attributes:
        answered: Their answered requests, as a share of the allowance.
        refused: Their refused requests, as a share of all that they sent.
        least: The least that one of them got, as a share of the mean.
    """

    answered: float
    refused: float
    least: float


def shares(triggerers: Sequence[Triggerer], since: float, until: float, allowed: float) -> Shares:
    """Return how triggerers shared an allowance between two moments.

    Args:
        triggerers: The triggerers, after :func:`run`.
        since: The first second that counts.
        until: The first second that does not.
        allowed: The allowance, in requests a second.
    """
    answered = [_count(one.answered, since, until) for one in triggerers]
    refused = sum(_count(one.refused, since, until) for one in triggerers)
    total = sum(answered)
    return Shares(
        answered=total / (allowed * (until - since)),
        refused=refused / max(total + refused, 1),
        least=min(answered) * len(answered) / max(total, 1),
    )


def seconds_until(triggerer: Triggerer, share: float, since: float, allowed: float) -> float:
    """Return how long a triggerer took from a moment on until it had a share of an allowance over ten seconds."""
    end = triggerer.answered[-1] if triggerer.answered else since
    begins = since
    while begins + 10 < end:
        if _count(triggerer.answered, begins, begins + 10) >= share * allowed * 10 - 1:
            return begins + 10 - since
        begins += 1
    return math.inf


def _count(moments: list[float], since: float, until: float) -> int:
    return bisect_left(moments, until) - bisect_left(moments, since)
