"""Delivers answers to the watches of a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

from airflow_cloudtasks.errors import CloudApiError, InvalidConnection
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.waiting.triggerer.metrics import DispatcherMetrics
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject
from airflow_cloudtasks.waiting.triggerer.watch import Evidence
from airflow_cloudtasks.waiting.verdicts import Outcome

# Watches that get an answer in one iteration of the event loop.
AT_ONCE = 50

Read = Callable[[StatusOverrides], Outcome]


class Taken(NamedTuple):
    """What the watches of a task did with an answer.

    Attributes:
        by_all: Whether every watch took it.
        needs_more: Whether a watch could not end by it, and needs the answer to a single read.
    """

    by_all: bool
    needs_more: bool


class Delivery:
    """Deliver answers to the watches of one dispatcher.

    Args:
        schedule: The schedule of the watches.
        metrics: Where noticed ends are counted.
    """

    def __init__(self, schedule: Schedule, metrics: DispatcherMetrics) -> None:
        self._schedule = schedule
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()
        self._told = 0
        self._ended: Callable[[Subject, CloudTask], None] = lambda subject, task: None

    def tell_ends_to(self, ended: Callable[[Subject, CloudTask], None]) -> None:
        """Call a function with each task whose end a wait has noticed, and what was read of it."""
        self._ended = ended

    async def deliver(
        self,
        subject: Subject,
        read: Read,
        asked_at: float,
        *,
        polled: bool = True,
        is_entry: bool = False,
        may_end: bool = True,
    ) -> Taken:
        """Deliver an answer to every watch of a task, and schedule the next poll.

        Args:
            subject: The task.
            read: Returns the outcome, which may depend on the statuses that a watch overrides.
            asked_at: When the request was sent.
            polled: Whether the task counted as being polled, as it does not while its list is read.
            is_entry: Whether it is the entry of a list or a batch. One that cannot be read ends no wait.
            may_end: Whether it may end a wait.
        """
        by_overrides: dict[StatusOverrides, Evidence] = {}
        noticed: dict[StatusOverrides, CloudTask] = {}
        all_took, needs_more = True, False
        for watch in tuple(subject.watches):
            await self._take_turn()
            if watch.over:
                continue
            evidence = by_overrides.get(watch.overrides)
            if evidence is None:
                outcome = _outcome(read, watch.overrides)
                is_readable = not is_entry or isinstance(outcome, CloudTask)
                evidence = Evidence(outcome, asked_at, may_end and is_readable)
                by_overrides[watch.overrides] = evidence
            if not watch.take(evidence, self._loop.time()):
                all_took, needs_more = False, needs_more or not evidence.may_end
            elif watch.over and isinstance(evidence.outcome, CloudTask) and evidence.outcome.done:
                noticed[watch.overrides] = evidence.outcome
        # A wait may have begun meanwhile.
        all_took = all_took and not any(watch.last is None for watch in subject.watches)
        for task in noticed.values():
            self._metrics.noticed(task)
            self._ended(subject, task)
        subject.fingerprint = None
        self._schedule.settle(subject, self._loop.time(), polled=polled)
        return Taken(all_took, needs_more)

    async def deliver_unchanged(self, subject: Subject, asked_at: float, *, polled: bool) -> None:
        """Deliver an entry of a list or a batch that is equal to the last one, and schedule the next poll."""
        for watch in tuple(subject.watches):
            await self._take_turn()
            watch.take_unchanged(asked_at, self._loop.time())
        self._schedule.settle(subject, self._loop.time(), polled=polled)

    async def deliver_error(
        self, subjects: Iterable[Subject], error: CloudApiError | InvalidConnection, asked_at: float
    ) -> None:
        """Deliver an error that concerns several tasks.

        Args:
            subjects: The tasks.
            error: The error.
            asked_at: When the request, or the look-up of the connection, was sent.
        """
        for subject in subjects:
            await self.deliver(subject, always(error), asked_at, polled=False)

    async def _take_turn(self) -> None:
        """Let others use the event loop after every few watches."""
        self._told += 1
        if self._told % AT_ONCE == 0:
            await asyncio.sleep(0)


def always(outcome: Outcome) -> Read:
    """Return a reader of an outcome that does not depend on overrides, e.g. an error."""
    return lambda _: outcome


def _outcome(read: Read, overrides: StatusOverrides) -> Outcome:
    try:
        return read(overrides)
    except CloudApiError as error:
        return error
