"""Reads lists instead of tasks by their ids, where that is better. sweep.py decides where; this module sends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any

from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, Throttled
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise_object
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.spec import TaskApi, TaskList
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery
from airflow_cloudtasks.waiting.triggerer.requests import Page, Requests
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Scope, Subject
from airflow_cloudtasks.waiting.triggerer.sweep import Sweep, most_seconds, since

_log = logging.getLogger(__name__)

# Seconds within which one page must be answered.
_PAGE_SECONDS = 10.0

# Throttled requests after which a list is given up.
_MOST_THROTTLED = 3

# Lists of one dispatcher that are read at the same time.
_MOST_LISTS = 64

# Seconds between two decisions on the same list; each counts the tasks of its scope.
_LOOK_AGAIN_SECONDS = 0.5

# Seconds for which a task is read by its id after its list did not show it, or showed its end without all details.
_READ_ALONE_SECONDS = 300.0


class ListReader:
    """Reads the lists of one dispatcher.

    Args:
        api: The API; it has a list.
        listing: The list.
        requests: Sends the requests.
        schedule: The schedule of the tasks.
        delivery: Delivers what the lists show.
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
        *,
        start: Callable[[Coroutine[Any, Any, None]], object],
        refused: Callable[[CredentialsError | InvalidConnection, float], Coroutine[Any, Any, None]],
    ) -> None:
        self._api = api
        self._listing = listing
        self._requests = requests
        self._schedule = schedule
        self._delivery = delivery
        self._start = start
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._reading = 0

    def starts(self, subject: Subject, now: float) -> bool:
        """Start to read the list that shows a task, if that is worth it, and return whether it was started.

        Args:
            subject: A task that is due.
            now: Seconds on the clock of the event loop.
        """
        scope = subject.scope
        if (
            scope.is_being_read
            or subject.alone_until > now
            or self._reading >= _MOST_LISTS
            or now - scope.looked_at < _LOOK_AGAIN_SECONDS
            or (speeds := self._requests.speeds()) is None
        ):
            return False
        scope.looked_at = now
        ripe = scope.ripe(now)
        interval = min((each.interval for each in ripe), default=0.0)
        if not scope.cost.is_worth_it(len(ripe), interval, speeds, now):
            return False
        scope.is_being_read = True
        self._reading += 1
        until = now + most_seconds(len(ripe), interval, speeds)
        self._start(self._read(scope, ripe, due=subject.due or now, until=until))
        return True

    async def _read(self, scope: Scope, ripe: list[Subject], *, due: float, until: float) -> None:
        """Read a list. Postpone its tasks meanwhile, but no longer than ``until``: then they are read by their ids."""
        wanted, oldest = await self._wanted(ripe)
        await self._postpone(wanted.values(), until)
        sweep = Sweep(self._api, scope.parameters, wanted, since(oldest))
        began = self._loop.time()
        try:
            await self._read_pages(scope, sweep, wanted, due=due, until=until)
        except (CredentialsError, InvalidConnection) as error:
            await self._refused(error, began)
        except (CloudApiError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or error.retryable:
                scope.cost.learn_failed(self._loop.time())
            else:
                _log.warning("%s: its tasks are read one by one for ten minutes. %s", self._api.name, error)
                scope.cost.learn_refused(self._loop.time())
        await self._resume(wanted.values(), until, is_complete=sweep.is_complete)
        self._reading -= 1
        scope.is_being_read = False

    async def _wanted(self, ripe: list[Subject]) -> tuple[dict[str, Subject], datetime | None]:
        """Return the tasks to look for by their ids, and when the oldest was created, if the list can begin there.

        Tasks of unknown age are left out: with them, such a list would be as long as the account is old.
        """
        known: dict[str, Subject] = {}
        unknown: dict[str, Subject] = {}
        oldest: datetime | None = None
        for number, subject in enumerate(ripe):
            # A poll may have left, or the waits may have ended, since the tasks were counted.
            if subject.due is not None:
                created_at = _created_at(subject) if self._listing.since_param else None
                (unknown if created_at is None else known)[str(subject.parameters[self._api.id_param])] = subject
                if created_at is not None and (oldest is None or created_at < oldest):
                    oldest = created_at
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
        return (known or unknown), oldest

    async def _postpone(self, subjects: Iterable[Subject], until: float) -> None:
        for number, subject in enumerate(tuple(subjects)):
            self._schedule.postpone(subject, until)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)

    async def _read_pages(
        self, scope: Scope, sweep: Sweep, wanted: dict[str, Subject], *, due: float, until: float
    ) -> None:
        asked, throttled, seconds = len(wanted), 0, 0.0
        while wanted and (parameters := sweep.next_page) is not None and self._loop.time() < until:
            try:
                page = await self._requests.read_page(parameters, due=due, waits=len(wanted), seconds=_PAGE_SECONDS)
            except Throttled:
                throttled += 1
                if throttled == _MOST_THROTTLED:
                    raise
                continue
            seconds += page.seconds
            for task_id, task in sweep.take(page.answer):
                if (subject := wanted.pop(task_id, None)) is not None:
                    await self._take_entry(subject, task, page)
        if sweep.pages:
            scope.cost.learn(sweep.cost(asked), seconds / sweep.pages, self._loop.time())

    async def _take_entry(self, subject: Subject, task: Mapping[str, Any], page: Page) -> None:
        """Deliver what a list shows of a task."""
        values = fingerprint(self._api, task)
        if subject.fingerprint == values:
            await self._delivery.deliver_unchanged(subject, page.asked_at)
            return

        def read(overrides: StatusOverrides) -> CloudTask:
            return normalise_object(
                self._api, task, page.answer, parameters=subject.parameters, region=page.region, overrides=overrides
            )

        taken = await self._delivery.deliver(subject, read, page.asked_at, polled=False, may_end=self._listing.complete)
        if taken:
            subject.fingerprint = values
        elif not self._listing.complete:
            subject.alone_until = self._loop.time() + _READ_ALONE_SECONDS

    async def _resume(self, missing: Iterable[Subject], until: float, *, is_complete: bool) -> None:
        """Make the tasks due that the list did not show."""
        now = self._loop.time()
        for number, subject in enumerate(tuple(missing)):
            if is_complete:
                subject.alone_until = now + _READ_ALONE_SECONDS
            # A task that was polled meanwhile has another due time.
            if subject.due == until:
                self._schedule.postpone(subject, now)
            if number % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)


def _created_at(subject: Subject) -> datetime | None:
    seen = (watch.last.created_at for watch in subject.watches if isinstance(watch.last, CloudTask))
    return next(seen, None)
