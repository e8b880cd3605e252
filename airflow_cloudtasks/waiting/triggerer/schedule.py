"""Whom to ask next: all waits of one poller, by when their polls are due. Pure; the clock is an argument."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from airflow_cloudtasks.waiting.triggerer.watch import Watch
from airflow_cloudtasks.waiting.verdicts import Outcome

# How many entries a queue may have for each task, before those that no longer count are taken out.
_SLACK = 8


class Subject:
    """One task of the cloud, and those who wait on it.

    Args:
        key: What tells it from others.
        parameters: The parameters of the request that reads it.

    Attributes:
        watches: Those who wait on it; one request serves them all.
        asked_at: When it was last asked for, or else taken up.
        due: When it is to be asked for; None while it is being asked for, or is no longer waited on.
        listed: Whether the last list that was read to its end held it; None before the first.
        throttled: Whether the last request for it was refused for being one too many.
        glance: What the last answer said in the fields that change; None where it must be read in full.
    """

    __slots__ = ("asked_at", "due", "glance", "key", "listed", "parameters", "throttled", "watches")

    def __init__(self, key: str, parameters: Mapping[str, Any], now: float) -> None:
        self.key = key
        self.parameters = parameters
        self.watches: list[Watch] = []
        self.asked_at = now
        self.due: float | None = None
        self.listed: bool | None = None
        self.throttled = False
        self.glance: tuple[Any, ...] | None = None

    def is_ripe(self, now: float) -> bool:
        """Whether so much of its interval has gone by that asking now saves asking soon."""
        return self.due is not None and now - self.asked_at >= self.due - now


class Schedule:
    """The tasks that are waited on, and the order in which they are asked for.

    The one that has been due for longest comes first: where the budget is too small for all intervals, everybody's
    turn comes round in the same time.
    """

    def __init__(self) -> None:
        self._subjects: dict[str, Subject] = {}
        self._queue: list[tuple[float, int, Subject]] = []
        self._ends: list[tuple[float, int, Watch]] = []
        self._counter = count()

    def __len__(self) -> int:
        return len(self._subjects)

    def __iter__(self) -> Iterator[Subject]:
        return iter(list(self._subjects.values()))

    @property
    def waits(self) -> int:
        """How many wait."""
        return sum(len(subject.watches) for subject in self._subjects.values())

    def add(self, parameters: Mapping[str, Any], watch: Watch, now: float) -> Subject:
        """Take up a wait.

        Args:
            parameters: The parameters of the request that reads its task.
            watch: The wait.
            now: Seconds on the clock of the watch.

        Returns:
            The task that it waits on; the same for all waits on it.
        """
        key = repr(sorted((name, str(value)) for name, value in parameters.items()))
        subject = self._subjects.get(key)
        if subject is None:
            subject = self._subjects[key] = Subject(key, parameters, now)
            subject.due = watch.due
            self._push(subject)
        elif subject.due is not None and watch.due < subject.due:
            subject.due = watch.due
            self._push(subject)
        subject.watches.append(watch)
        watch.subject = subject
        # What was seen at a glance says nothing to one who has not seen it in full.
        subject.glance = None
        if watch.ends_by < float("inf"):
            heapq.heappush(self._ends, (watch.ends_by, next(self._counter), watch))
        return subject

    def remove(self, watch: Watch) -> None:
        """Let go of a wait; it may be over already."""
        watch.leave()
        subject: Subject = watch.subject
        if watch in subject.watches:
            subject.watches.remove(watch)
            self._forget_if_idle(subject)

    def next_at(self) -> float | None:
        """When a poll is due next; None where nothing is waited on but what is being asked for."""
        while self._queue and self._queue[0][2].due != self._queue[0][0]:
            heapq.heappop(self._queue)
        return self._queue[0][0] if self._queue else None

    def first_due(self, now: float) -> Subject | None:
        """The task that has been due for longest, if one is due."""
        self.next_at()
        return self._queue[0][2] if self._queue and self._queue[0][0] <= now else None

    def begin(self, subject: Subject, now: float) -> float:
        """Take note that a task is being asked for: until its answer comes it is not due.

        Returns:
            When it was due.
        """
        due = now if subject.due is None else subject.due
        subject.due = None
        subject.asked_at = now
        return due

    def put_back(self, subject: Subject, due: float) -> None:
        """Take note that a request gave no answer at all, as when it was throttled.

        Args:
            subject: What was asked for.
            due: When it is due again.
        """
        if subject.watches:
            subject.due = due
            self._push(subject)

    def put_back_throttled(self, subject: Subject, due: float, now: float) -> None:
        """Take note that a request was throttled.

        Args:
            subject: What was asked for. It keeps its turn, but only once: a task that is throttled for itself, whatever
                the rate, would else be in the way of all others.
            due: When it was due.
            now: Seconds on the clock of the watches.
        """
        self.put_back(subject, now if subject.throttled else due)
        subject.throttled = True

    def settle(self, subject: Subject, outcomes: Mapping[Watch, Outcome], now: float) -> None:
        """Hand an answer to those who wait for it, and see when the next is due.

        Args:
            subject: What was asked for.
            outcomes: What the answer is to each of them.
            now: Seconds on the clock of the watches.
        """
        subject.glance = None
        subject.throttled = False
        for watch, outcome in outcomes.items():
            if not watch.over:
                watch.take(outcome, now)
        self._requeue(subject)

    def settle_same(self, subject: Subject, now: float) -> None:
        """Hand on that an answer said what the last one said."""
        for watch in subject.watches:
            watch.take_same(now)
        self._requeue(subject)

    def time_out(self, now: float) -> None:
        """End the waits whose time is long up, though a poll of theirs is still to come."""
        while self._ends and (self._ends[0][0] <= now or self._ends[0][2].over):
            _, _, watch = heapq.heappop(self._ends)
            if not watch.over:
                watch.time_out()
                self.remove(watch)
        # What is over, or was asked for out of turn, stays in the queues until its turn comes: not for ever.
        if len(self._ends) > _SLACK * len(self._subjects) + _SLACK:
            self._ends = [entry for entry in self._ends if not entry[2].over]
            heapq.heapify(self._ends)
        if len(self._queue) > _SLACK * len(self._subjects) + _SLACK:
            self._queue = [entry for entry in self._queue if entry[2].due == entry[0]]
            heapq.heapify(self._queue)

    def _requeue(self, subject: Subject) -> None:
        subject.watches = [watch for watch in subject.watches if not watch.over]
        if subject.watches:
            subject.due = min(watch.due for watch in subject.watches)
            self._push(subject)
        else:
            self._forget_if_idle(subject)

    def _forget_if_idle(self, subject: Subject) -> None:
        if not subject.watches:
            subject.due = None
            # Its key may be another's by now.
            if self._subjects.get(subject.key) is subject:
                del self._subjects[subject.key]

    def _push(self, subject: Subject) -> None:
        if subject.due is not None:
            heapq.heappush(self._queue, (subject.due, next(self._counter), subject))
