"""Reads lists instead of tasks by their ids. sweep.py decides how far; this module sends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, Throttled
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery
from airflow_cloudtasks.waiting.triggerer.entries import READ_ALONE_SECONDS, Entries
from airflow_cloudtasks.waiting.triggerer.gate import Kind
from airflow_cloudtasks.waiting.triggerer.requests import Requests
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Scope, Subject
from airflow_cloudtasks.waiting.triggerer.sweep import Speeds, Sweep, most_seconds, since

_log = logging.getLogger(__name__)

# Seconds within which one page must be answered.
_PAGE_SECONDS = 10.0

# Throttled requests after which a list is given up.
_MOST_THROTTLED = 3

# Lists of one dispatcher that are read at the same time.
_MOST_LISTS = 64

# Tasks of one list that are collected at once.
_COLLECTED_AT_ONCE = 1000


class ListReader:
    """Reads the lists of one dispatcher.

    Args:
        api: The API; it has a list.
        listing: The list.
        requests: Sends the requests.
        schedule: The schedule of the tasks.
        delivery: Delivers outcomes.
        start: Runs a coroutine as a task.
        refused: Called with an error of the connection or its key that concerns all waits.
    """

    def __init__(
        self,
        api: TaskApi,
        listing: TaskList,
        requests: Requests,
        schedule: Schedule,
        delivery: Delivery,
        start: Callable[[Coroutine[Any, Any, None]], object],
        refused: Callable[[CredentialsError | InvalidConnection, float], Coroutine[Any, Any, None]],
    ) -> None:
        self._api = api
        self._listing = listing
        self._requests = requests
        self._schedule = schedule
        self._entries = Entries(api, delivery)
        self._start = start
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._reading = 0

    def start(self, subject: Subject, tasks: int, interval: float, speeds: Speeds, now: float) -> bool:
        """Start to read the list that shows a task, unless too many are being read; return whether it was started.

        Args:
            subject: A task that is due.
            tasks: The number of tasks that the list is to show.
            interval: Their shortest interval, in seconds.
            speeds: How fast lists and tasks can be read.
            now: Seconds on the clock of the event loop.
        """
        if self._reading >= _MOST_LISTS:
            return False
        scope = subject.scope
        due = now if subject.due is None else subject.due  # before collecting it postpones it
        scope.is_being_read = True
        self._reading += 1
        until = now + most_seconds(tasks, interval, speeds)
        wanted = _Wanted(self._schedule, self._api, now, until)
        collecting = wanted.collect(tuple(scope.subjects))
        # Collect a small scope at once, before any of its polls can leave.
        for _ in islice(collecting, _COLLECTED_AT_ONCE // AT_ONCE):
            pass
        self._start(self._read(scope, wanted, collecting, due=due, until=until))
        return True

    async def _read(
        self, scope: Scope, wanted: _Wanted, collecting: Iterator[None], *, due: float, until: float
    ) -> None:
        """Read a list until all wanted tasks are found, or it is not worth it any more."""
        for _ in collecting:
            await asyncio.sleep(0)
        began = self._loop.time()
        instead = scope.batch_cost.requests(len(wanted.tasks), began)
        sweep = Sweep(self._api, scope.list_params, wanted.tasks, since(wanted.oldest), instead)
        try:
            await self._read_pages(scope, sweep, wanted.tasks, due=due, until=until)
        except (CredentialsError, InvalidConnection) as error:
            await self._refused(error, began)
        except (CloudApiError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.retryable:
                scope.list_cost.learn_failed(self._loop.time())
            else:
                _log.warning("%s: its tasks are read one by one for ten minutes. %s", self._api.name, error)
                scope.list_cost.learn_refused(self._loop.time())
        alone_until = self._loop.time() + READ_ALONE_SECONDS if sweep.is_complete else None
        for _ in wanted.resume(self._loop.time(), alone_until):
            await asyncio.sleep(0)
        self._reading -= 1
        scope.is_being_read = False
        scope.looked_at = float("-inf")  # what the list did not show may be read in batches

    async def _read_pages(
        self, scope: Scope, sweep: Sweep, wanted: dict[str, Subject], *, due: float, until: float
    ) -> None:
        throttled, seconds = 0, 0.0
        while wanted and (parameters := sweep.next_page) is not None and self._loop.time() < until:
            try:
                page = await self._requests.read_page(
                    self._listing.action,
                    parameters,
                    kind=Kind.PAGE,
                    due=due,
                    waits=len(wanted),
                    seconds=_PAGE_SECONDS,
                )
            except Throttled:
                throttled += 1
                if throttled == _MOST_THROTTLED:
                    raise
                continue
            seconds += page.seconds
            for task_id, task in sweep.take(page.answer):
                if (subject := wanted.pop(task_id, None)) is not None:
                    await self._entries.take(subject, task, page, polled=False, may_end=self._listing.complete)
        if sweep.pages:
            scope.list_cost.learn(sweep.cost, seconds / sweep.pages, self._loop.time())


class _Wanted:
    """The tasks that are looked for in a list, and postponed meanwhile.

    Args:
        schedule: The schedule of the tasks.
        api: The API.
        now: Seconds on the clock of the event loop.
        until: When the tasks are read by their ids if the list has not shown them.

    Attributes:
        tasks: The tasks that have not been found, by their ids.
        oldest: When the oldest of them was created, if the list can begin there.
    """

    def __init__(self, schedule: Schedule, api: TaskApi, now: float, until: float) -> None:
        self.tasks: dict[str, Subject] = {}
        self.oldest: datetime | None = None
        self._schedule = schedule
        self._api = api
        self._now = now
        self._until = until

    def collect(self, subjects: Sequence[Subject]) -> Iterator[None]:
        """Collect and postpone the tasks that are ripe. Yield after every few, so that others can use the event loop.

        If the list can begin at a creation time, tasks of unknown age are left out while there are others: with them,
        the list would be as long as the account is old.
        """
        of_unknown_age: list[Subject] = []
        can_begin_later = self._api.list_tasks is not None and self._api.list_tasks.since_param is not None
        for number, subject in enumerate(subjects, 1):
            if subject.is_ripe(self._now):
                created_at = _created_at(subject) if can_begin_later else None
                if can_begin_later and created_at is None:
                    of_unknown_age.append(subject)
                else:
                    self._add(subject)
                if created_at is not None and (self.oldest is None or created_at < self.oldest):
                    self.oldest = created_at
            if number % AT_ONCE == 0:
                yield
        if not self.tasks:
            for subject in of_unknown_age:
                self._add(subject)

    def resume(self, now: float, alone_until: float | None) -> Iterator[None]:
        """Make the tasks due that have not been found. Yield after every few.

        Args:
            now: Seconds on the clock of the event loop.
            alone_until: Until when they are read by their ids only; None for no such time.
        """
        for number, subject in enumerate(tuple(self.tasks.values()), 1):
            if alone_until is not None:
                subject.alone_until = alone_until
            # A task that was read by its id meanwhile has another due time.
            if subject.asked_at <= self._now:
                self._schedule.postpone(subject, now)
            if number % AT_ONCE == 0:
                yield

    def _add(self, subject: Subject) -> None:
        self._schedule.postpone(subject, self._until)
        self.tasks[str(subject.parameters[self._api.id_param])] = subject


def _created_at(subject: Subject) -> datetime | None:
    seen = (watch.last.created_at for watch in subject.watches if isinstance(watch.last, CloudTask))
    return next(seen, None)
