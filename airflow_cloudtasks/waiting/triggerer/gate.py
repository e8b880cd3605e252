"""The gate that every asynchronous request of an account for one action passes.

The gate sends no faster than the account's pace, and picks the next request at the moment when one may leave. No places
are reserved, so a request that is not needed any more leaves no gap. docs/explanation/waiting.md explains the order.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections.abc import Awaitable, Callable, Hashable
from enum import Enum
from itertools import count
from typing import NamedTuple, Protocol, TypeVar

from airflow_cloudtasks.errors import CloudApiError, Throttled
from airflow_cloudtasks.waiting.triggerer.pace import Pace

Answer = TypeVar("Answer")

# If at least this many requests are answered for each one that is refused, a request that is refused again is refused
# for its own task, not for the account's rate.
_ANSWERS_PER_REFUSAL = 4


class Kind(Enum):
    """What a request is for, with the number of such requests that may be under way in one gate.

    The limits keep requests of one kind, if the service does not answer them, from blocking those of another.
    """

    CANCEL = ("cancel", 12)
    POLL = ("poll", 64)
    PAGE = ("page", 12)
    BATCH = ("batch", 12)
    FEED = ("feed", 12)
    REASON = ("reason", 12)
    RESENT = ("resent poll", 12)

    def __init__(self, _: str, most: int) -> None:
        self.most = most


class Tally(NamedTuple):
    """What a gate has counted so far."""

    answered: int
    refused: int


class Source(Protocol):
    """Polls that a gate may pick, in the order of their due times."""

    def first_due_at(self) -> float | None:
        """Return since when its first poll has been due; None if none is due."""

    def send_first(self, gate: Gate) -> bool:
        """Send its first poll; return whether one was left to send. Call :meth:`Gate.release` when it has ended."""


class _Request:
    """A request that waits for its turn."""

    __slots__ = ("due", "number", "turn", "waits")

    def __init__(self, due: float, waits: int, number: int, turn: asyncio.Future[None]) -> None:
        self.due = due
        self.waits = waits
        self.number = number
        self.turn = turn

    def __lt__(self, other: _Request) -> bool:
        # Of two that have been due for the same time, the one that serves more waits comes first.
        return (self.due, -self.waits, self.number) < (other.due, -other.waits, other.number)


class Gate:
    """Sends the requests of one account for one action in one region, from one event loop.

    Cancels come first. All other requests leave in the order in which they became due.

    Attributes:
        used_at: When a request last left.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pace: Pace | None = None
        self._allowances: dict[Hashable, float] = {}
        self._sources: list[Source] = []
        self._queues: dict[Kind, list[_Request]] = {kind: [] for kind in Kind}
        self._under_way = dict.fromkeys(Kind, 0)
        self._number = count()
        self._timer: asyncio.Handle | None = None
        self._answered = self._refused = 0
        self.used_at = self._loop.time()

    @property
    def rate(self) -> float:
        """Requests a second at present."""
        return self._pace.rate if self._pace else 0.0

    @property
    def allowance(self) -> float:
        """The account's allowance, in requests a second."""
        return self._pace.allowance if self._pace else 0.0

    @property
    def tally(self) -> Tally:
        """What the gate has counted so far."""
        return Tally(self._answered, self._refused)

    @property
    def is_idle(self) -> bool:
        """Whether nobody uses the gate."""
        return not self._sources and not any(self._queues.values()) and not any(self._under_way.values())

    def seconds_until_free(self) -> float:
        """Return the seconds until a request could leave that is queued now."""
        if self._pace is None:
            return 0.0
        now = self._loop.time()
        queued = sum(map(len, self._queues.values()))
        return self._next_at(now) - now + queued / self._pace.rate

    def state(self, by: Hashable, requests_per_second: float) -> None:
        """State the account's allowance. The smallest of the current statements counts.

        Args:
            by: Who states it; replaces an earlier statement.
            requests_per_second: The allowance.
        """
        self._allowances[by] = requests_per_second
        self._apply_allowances()

    def withdraw(self, by: Hashable) -> None:
        """Withdraw a statement. The last one stays in force, until someone states another allowance."""
        if self._allowances.pop(by, None) is not None:
            self._apply_allowances()

    def join(self, source: Source) -> None:
        """Pick polls from a source, from now on."""
        if source not in self._sources:
            self._sources.append(source)
            self.wake()

    def leave(self, source: Source) -> None:
        """Pick no more polls from a source."""
        if source in self._sources:
            self._sources.remove(source)

    async def send(
        self,
        call: Callable[[], Awaitable[Answer]],
        *,
        kind: Kind,
        due: float | None = None,
        waits: int = 1,
        earlier: Tally | None = None,
    ) -> Answer:
        """Send a request at its turn, and return its answer.

        Args:
            call: Sends the request once.
            kind: What it is for.
            due: Since when it has been due, in seconds on the clock of the event loop; None for now.
            waits: The number of waits that it serves.
            earlier: :attr:`tally` when the same request was last refused; None if it was not.

        Raises:
            CloudApiError: The request failed.
        """
        turn: asyncio.Future[None] = self._loop.create_future()
        queued_at = self._loop.time() if due is None else due
        heapq.heappush(self._queues[kind], _Request(queued_at, waits, next(self._number), turn))
        self.wake()
        try:
            await turn
            return await self.observe(call, earlier)
        finally:
            if turn.done() and not turn.cancelled():
                self.release(kind)
            else:
                turn.cancel()

    async def observe(self, call: Callable[[], Awaitable[Answer]], earlier: Tally | None = None) -> Answer:
        """Send a request whose turn has come, and learn from its answer.

        Args:
            call: Sends the request once.
            earlier: :attr:`tally` when the same request was last refused; None if it was not.

        Raises:
            CloudApiError: The request failed.
        """
        assert self._pace is not None  # noqa: S101 - a gate without an allowance sends nothing
        sent_at = self._loop.time()
        try:
            answer = await call()
        except Throttled as error:
            self._refused += 1
            if not self.refuses_only(earlier):
                self._pace.throttled(sent_at, self._loop.time(), error.retry_after)
            raise
        except CloudApiError as error:
            if not error.retryable:
                self._note_answer(sent_at)
            elif error.retry_after is not None:
                self._refused += 1
                if not self.refuses_only(earlier):
                    self._pace.pause(self._loop.time(), error.retry_after)
            raise
        self._note_answer(sent_at)
        return answer

    def refuses_only(self, earlier: Tally | None) -> bool:
        """Return whether a request that has just been refused is the only one: nearly all others are answered.

        Args:
            earlier: :attr:`tally` when the same request was refused before; None if it was not.
        """
        if earlier is None:
            return False
        answered = self._answered - earlier.answered
        others_refused = self._refused - earlier.refused - 1
        return answered > 0 and answered >= _ANSWERS_PER_REFUSAL * others_refused

    def release(self, kind: Kind) -> None:
        """Note that a request has ended, so that another one may be under way."""
        self._under_way[kind] -= 1
        self.wake()

    def wake(self) -> None:
        """Send what may leave now, and set a timer for the next request."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._pace is not None and (pick := self._next()) is not None:
            kind, source = pick
            now = self._loop.time()
            next_at = self._next_at(now)
            if next_at > now:
                # Run in an empty context; otherwise what the requests log goes to the log of an arbitrary task.
                self._timer = self._loop.call_at(next_at, self.wake, context=contextvars.Context())
                return
            self._under_way[kind] += 1
            if source is None:
                heapq.heappop(self._queues[kind]).turn.set_result(None)
            elif not source.send_first(self):
                # The source has begun to read several tasks. Let others use the event loop before it goes on.
                self._under_way[kind] -= 1
                self._timer = self._loop.call_soon(self.wake, context=contextvars.Context())
                return
            self._pace.sent(now)
            self.used_at = now

    def _next_at(self, now: float) -> float:
        return now if self._pace is None else self._pace.next_at(now)

    def _next(self) -> tuple[Kind, Source | None] | None:
        """Return what leaves next: the first request of a kind, or the first poll of a source."""
        candidates: list[tuple[bool, float, Kind, Source | None]] = []
        for kind, queue in self._queues.items():
            while queue and queue[0].turn.done():
                heapq.heappop(queue)
            if queue and self._under_way[kind] < kind.most:
                candidates.append((kind is not Kind.CANCEL, queue[0].due, kind, None))
        if self._under_way[Kind.POLL] < Kind.POLL.most:
            candidates += [
                (True, due, Kind.POLL, source) for source in self._sources if (due := source.first_due_at()) is not None
            ]
        if not candidates:
            return None
        _, _, kind, first = min(candidates, key=lambda candidate: candidate[:2])
        return kind, first

    def _apply_allowances(self) -> None:
        if not self._allowances:
            return
        smallest = min(self._allowances.values())
        if self._pace is None:
            self._pace = Pace(smallest)
        else:
            self._pace.allow(smallest)
        self.wake()

    def _note_answer(self, sent_at: float) -> None:
        assert self._pace is not None  # noqa: S101 - see observe
        self._answered += 1
        self._pace.answered(sent_at, self._loop.time())
