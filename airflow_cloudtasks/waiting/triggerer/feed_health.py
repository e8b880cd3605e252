"""Whether a feed can be relied on, and how often it is worth reading. Pure; the caller passes the time."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_cloudtasks.waiting.feed import FeedCursor

# Looks that fail in a row until tasks are polled by their own intervals again.
_MOST_FAILURES = 2

# Seconds; the longest pause between two looks that fail.
_LONGEST_PAUSE = 10.0

# Seconds without the feed after it was refused.
_REFUSED_REST = 600.0

# Seconds that a feed has to tell of an end that a poll has found: until then it is suspected, and after that it counts
# as missed.
_SUSPECTED_AFTER = 3.0
_MISSED_AFTER = 10.0

# Seconds without trust after a missed end; doubled with each time that trust has come back.
_FIRST_DOUBT = 5.0
_LONGEST_DOUBT = 300.0
_MISSES_KEPT = 600.0

# Ends that wait to be told. A frozen feed may miss thousands; these are enough to know it.
_MOST_UNTOLD = 1000

# All feeds of an API may take this part of the budget of its action.
_MOST_OF_BUDGET = 1 / 2

# Seconds in which the demand for a feed falls by half after its tasks have ended.
_DEMAND_HALVED = 60.0

_NEVER = float("-inf")


class FeedHealth:
    """Whether a feed tells of ends in time, as far as it is known.

    It fails if its pages cannot be read, and it lies if a poll finds an end that it does not tell within seconds. In
    either case, tasks are polled by their own intervals, until a look succeeds that tells of something new.

    Args:
        cursor: What has been read of the feed.
    """

    def __init__(self, cursor: FeedCursor) -> None:
        self._cursor = cursor
        self._failures = self._misses = 0
        self._has_looked = False
        self._rests_until = self._doubted_until = self._missed_at = self._silent_until = _NEVER
        self._trusted_after = _NEVER
        self._untold: dict[tuple[str, float], float] = {}
        self._is_suspected = False
        self.has_missed = False

    def is_healthy(self, now: float) -> bool:
        """Return whether tasks may be polled slowly.

        Args:
            now: Seconds on any steady clock.
        """
        return (
            self._has_looked
            and self._failures < _MOST_FAILURES
            and not self._is_suspected
            and not self.is_doubted(now)
            and now >= self._rests_until
        )

    def is_doubted(self, now: float) -> bool:
        """Return whether the feed has missed an end, and has told of none that is newer."""
        newest = _NEVER if self._cursor.newest is None else self._cursor.newest
        return self.has_missed and (now < self._doubted_until or newest <= self._trusted_after)

    def may_ring(self, now: float) -> bool:
        """Return whether an end that the feed tells is worth a request that reads the task."""
        return now >= self._silent_until

    def pause(self, interval: float, now: float) -> float:
        """Return the seconds until the next look.

        Args:
            interval: Seconds between two looks that succeed.
            now: Seconds on the clock of :meth:`is_healthy`.
        """
        if now < self._rests_until:
            return self._rests_until - now
        return max(interval, min(interval * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE))

    def learn_complete(self) -> None:
        """Note that a look was complete."""
        self._failures, self._has_looked = 0, True

    def learn_failed(self, *, in_time: bool = True) -> None:
        """Note that a look failed for a reason that may pass.

        Args:
            in_time: Whether it failed within seconds. A look that gets no answer counts twice.
        """
        self._failures += 1 if in_time else _MOST_FAILURES

    def learn_refused(self, now: float) -> None:
        """Note that the feed cannot be read, e.g. because the key has no permission."""
        self._rests_until = now + _REFUSED_REST

    def learn_end(self, task_id: str, ended_at: float, now: float) -> None:
        """Note that a poll has found the end of a task.

        Args:
            task_id: The task's id in the feed.
            ended_at: When it ended, in Unix seconds on the vendor's clock.
            now: Seconds on the clock of :meth:`is_healthy`.
        """
        if len(self._untold) < _MOST_UNTOLD and self._cursor.has_told(task_id, ended_at) is False:
            self._untold.setdefault((task_id, ended_at), now)

    def judge(self, now: float) -> int:
        """Compare the ends that polls have found with those that the feed has told, after a complete look.

        Args:
            now: Seconds on the clock of :meth:`is_healthy`.

        Returns:
            How many ends the feed has missed.
        """
        untold = {end: since for end, since in self._untold.items() if self._cursor.has_told(*end) is False}
        missed = [end for end, since in untold.items() if now - since > _MISSED_AFTER]
        self._untold = {end: since for end, since in untold.items() if end not in missed}
        self._is_suspected = any(now - since > _SUSPECTED_AFTER for since in self._untold.values())
        for _, ended_at in missed:
            self._cursor.deepen()
            self.learn_miss(now, ended_at)
        return len(missed)

    def learn_false_end(self, now: float) -> None:
        """Note that the feed has told of an end that was none."""
        self.learn_miss(now)
        self._silent_until = self._doubted_until

    def learn_miss(self, now: float, ended_at: float | None = None) -> None:
        """Note that the feed has not told of an end, or cannot be right for another reason.

        Args:
            now: Seconds on the clock of :meth:`is_healthy`.
            ended_at: The time of an end that it has not told, in Unix seconds on the vendor's clock.
        """
        if now - self._missed_at > _MISSES_KEPT:
            self._misses = 0
        if not self.is_doubted(now):
            self._misses += 1
        self.has_missed = True
        self._missed_at = now
        self._doubted_until = now + min(_FIRST_DOUBT * 2 ** (self._misses - 1), _LONGEST_DOUBT)
        passed = self._cursor.newest if ended_at is None else ended_at
        self._trusted_after = max(self._trusted_after, _NEVER if passed is None else passed)


class FeedDemand:
    """How often the tasks of a feed would be polled by their own intervals, all together.

    It falls slowly, so that the last tasks of many are noticed as soon as the others.
    """

    def __init__(self) -> None:
        self._polls = 0.0
        self._at = _NEVER

    def update(self, polls: float, now: float) -> float:
        """Return the demand in polls a second.

        Args:
            polls: The polls a second that the present tasks want.
            now: Seconds on any steady clock.
        """
        self._polls = max(polls, self._polls * 0.5 ** ((now - self._at) / _DEMAND_HALVED))
        self._at = now
        return self._polls


def polls_of(intervals: Sequence[float], tasks: int) -> float:
    """Return how many polls a second tasks want by their own intervals.

    Args:
        intervals: The intervals of some of the tasks, in seconds.
        tasks: The number of all of them.
    """
    return tasks * sum(1 / max(interval, 0.001) for interval in intervals) / max(len(intervals), 1)


def interval_of(stated: float, demand: float, poke_interval: float, rate: float, feeds: int) -> float | None:
    """Return the seconds between two looks at a feed; None if it is not worth reading.

    A feed takes no more requests than reading its tasks one by one by their own intervals. It is not worth reading if
    it would not tell of an end twice as soon as these polls.

    Args:
        stated: Seconds between two looks at most often, as the connection says; 0 for none.
        demand: Polls a second that its tasks want, as :meth:`FeedDemand.update` returns them.
        poke_interval: The shortest interval of its tasks, in seconds.
        rate: Requests a second that its action may send at present.
        feeds: The number of feeds that share this rate.
    """
    if not stated or demand <= 0 or rate <= 0:
        return None
    interval = max(stated, 1 / demand, feeds / (_MOST_OF_BUDGET * rate))
    return interval if interval <= poke_interval / 2 else None
