"""What a watcher knows about ends: which are new, which wait for their event, which have had it. Pure."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from airflow_cloudtasks.model import CloudTask

# How late a list may show an end, and how far the vendor's clock may be behind. Within this time, each end that has had
# its event is remembered.
OVERLAP = timedelta(minutes=10)

# Characters of the digest that stands for an end.
_KEY_LENGTH = 20


def key_of(task: CloudTask) -> str:
    """Return what identifies one end of one task.

    A task that runs again ends again, at another time. Times count in whole seconds: a list and a single read of the
    same end may differ in their fractions.

    Args:
        task: A task that has ended.
    """
    ended = "" if task.finished_at is None else str(int(task.finished_at.timestamp()))
    return hashlib.sha256(f"{task.id}\n{ended}".encode()).hexdigest()[:_KEY_LENGTH]


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that may have been stored.

    Args:
        key: The end, as :func:`key_of` returned it.
        runs: How many runs the DAG had before the event; None if no DAG is named.
    """

    key: str
    runs: int | None


class Ends:
    """The ends that one watcher has seen.

    Args:
        since: Ends before this time have no event.
        wants: Returns whether an end is to have an event.

    Attributes:
        sent: The event that may have been stored, but is not known to be.
    """

    def __init__(self, since: datetime, wants: Callable[[CloudTask], bool] = lambda _: True) -> None:
        self._since = since
        self._wants = wants
        self._read_at = since
        self._done: dict[str, float] = {}
        # Ends that have no event after all. After a restart they are read again, so that their keys need no storage.
        self._dropped: dict[str, float] = {}
        self._pending: dict[str, CloudTask] = {}
        # The keys of the pending ends by their times, and in the order of their events: those that were put off come
        # last. Keys of settled ends are removed when they come first.
        self._by_time: list[tuple[float, str, str]] = []
        self._in_turn: list[tuple[int, float, str, str]] = []
        self.sent: Sent | None = None

    @property
    def horizon(self) -> datetime:
        """The time back to which ends must be read, so that none is missed."""
        oldest = self._first(self._by_time)
        ended = None if oldest is None else oldest.finished_at
        return max((self._read_at if ended is None else min(self._read_at, ended)) - OVERLAP, self._since)

    def offer(self, tasks: Iterable[CloudTask], read_at: datetime | None = None) -> bool:
        """Take what was read, in any order, and return whether an end among it is new.

        Args:
            tasks: Tasks that have ended. Those before the horizon are ignored.
            read_at: When they were requested, if these are all ends between the horizon and that time; None if there
                may be others.
        """
        horizon, known = self.horizon, len(self._pending)
        for task in tasks:
            key = key_of(task)
            is_old = task.finished_at is not None and task.finished_at < horizon
            is_known = key in self._done or key in self._dropped or key in self._pending
            if task.done and not is_old and not is_known and self._wants(task):
                self._pending[key] = task
                ended = float("inf") if task.finished_at is None else task.finished_at.timestamp()
                heapq.heappush(self._by_time, (ended, task.id, key))
                heapq.heappush(self._in_turn, (0, ended, task.id, key))
        if read_at is not None:
            self._read_at = max(self._read_at, read_at)
            self._forget()
        return len(self._pending) > known

    def next(self) -> CloudTask | None:
        """Return the oldest end that has had no event, of those put off least often; None if there is none."""
        return self._first(self._in_turn)

    def put_off(self, task: CloudTask) -> None:
        """Let the other ends have their events before this one.

        Args:
            task: The task.
        """
        put_off = key_of(task)
        # A sorted list is a heap.
        self._in_turn = sorted(
            (times + (key == put_off), ended, task_id, key) for times, ended, task_id, key in self._in_turn
        )

    def send(self, task: CloudTask, runs: int | None) -> None:
        """Note that the event of an end is about to be sent.

        Args:
            task: The task.
            runs: How many runs the DAG has; None if no DAG is named.
        """
        self.sent = Sent(key_of(task), runs)

    def settle(self) -> None:
        """Note that the event that was sent has been stored."""
        if self.sent is None:
            return
        # After a restart, the task may not have been read yet.
        self._done[self.sent.key] = self._ended(self._pending.pop(self.sent.key, None))
        self.sent = None

    def take_back(self) -> None:
        """Note that the event that was sent has not been stored."""
        self.sent = None

    def drop(self, task: CloudTask) -> None:
        """Note that an end has no event after all.

        Args:
            task: The task.
        """
        key = key_of(task)
        self._dropped[key] = self._ended(self._pending.pop(key, None))

    def as_dict(self) -> dict[str, Any]:
        """Return what must outlive a restart, as plain JSON types."""
        sent = None if self.sent is None else {"key": self.sent.key, "runs": self.sent.runs}
        # What waits for its event is read again: the horizon is before it.
        return {
            "since": self._since.timestamp(),
            "read_at": (self.horizon + OVERLAP).timestamp(),
            "done": dict(self._done),
            "sent": sent,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], wants: Callable[[CloudTask], bool] = lambda _: True) -> Self:
        """Rebuild it from the result of :meth:`as_dict`.

        Args:
            kept: What :meth:`as_dict` returned.
            wants: As for the class.

        Raises:
            ValueError: It is no such result.
        """
        try:
            ends = cls(datetime.fromtimestamp(kept["since"], UTC), wants)
            ends._read_at = datetime.fromtimestamp(kept["read_at"], UTC)
            ends._done = {str(key): float(ended) for key, ended in kept["done"].items()}
            if (sent := kept["sent"]) is not None:
                ends.sent = Sent(str(sent["key"]), None if sent["runs"] is None else int(sent["runs"]))
            _ = ends.horizon  # times at the edge of the calendar have none
        except (AttributeError, LookupError, TypeError, ArithmeticError, OSError) as error:
            raise ValueError(f"It holds no ends: {error!r:.200}.") from error
        return ends

    def _first(self, heap: list[Any]) -> CloudTask | None:
        while heap and heap[0][-1] not in self._pending:
            heapq.heappop(heap)
        return self._pending[heap[0][-1]] if heap else None

    def _ended(self, task: CloudTask | None) -> float:
        return (self._read_at if task is None or task.finished_at is None else task.finished_at).timestamp()

    def _forget(self) -> None:
        """Forget the ends before the horizon: one that is read again is ignored."""
        horizon = self.horizon.timestamp()
        for known in (self._done, self._dropped):
            for key in [key for key, ended in known.items() if ended < horizon]:
                del known[key]
