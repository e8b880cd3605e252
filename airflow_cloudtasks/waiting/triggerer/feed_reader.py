"""Reads feeds, so that ends are noticed within seconds. feed.py decides what is new; this module sends.

Nothing depends on a feed: its tasks are polled beside it, slowly while it is healthy, and by their own intervals if it
is not. docs/explanation/waiting.md explains it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from itertools import islice
from typing import Any

from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, MalformedAnswer
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.spec import Feed, TaskApi
from airflow_cloudtasks.waiting.feed import End, FeedCursor, Look
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery
from airflow_cloudtasks.waiting.triggerer.entries import Entries
from airflow_cloudtasks.waiting.triggerer.feed_health import FeedDemand, FeedHealth, interval_of, polls_of
from airflow_cloudtasks.waiting.triggerer.gate import Kind
from airflow_cloudtasks.waiting.triggerer.metrics import DispatcherMetrics
from airflow_cloudtasks.waiting.triggerer.requests import Page, Requests
from airflow_cloudtasks.waiting.triggerer.schedule import FeedScope, Schedule, Subject

_log = logging.getLogger(__name__)

# Seconds within which a page must be answered once it has left, and within which it must be answered in all.
_PAGE_SECONDS = 5.0
_TURN_SECONDS = 10.0

# Seconds between two searches for feeds that have become worth reading.
_SEARCH_SECONDS = 1.0

# Tasks of a feed whose intervals are looked at.
_ESTIMATED_FROM = 2000

# Seconds that a task which rings has to show its end.
_SHOWN_WITHIN = 15.0


class _Followed:
    """One feed that is being read."""

    def __init__(self, api: TaskApi, scope: FeedScope) -> None:
        self.scope = scope
        self.cursor = FeedCursor(api)
        self.health = FeedHealth(self.cursor)
        self.demand = FeedDemand()
        self.rung: dict[Subject, float] = {}


class FeedReader:
    """Reads the feeds of one dispatcher.

    Args:
        api: The API.
        feed: Its feed.
        requests: Sends the requests.
        schedule: The schedule of the tasks.
        delivery: Delivers outcomes.
        metrics: Where what feeds tell is counted.
        start: Runs a coroutine as a task.
        refused: Called with an error of the connection or its key that concerns all waits.
    """

    def __init__(
        self,
        api: TaskApi,
        feed: Feed,
        requests: Requests,
        schedule: Schedule,
        delivery: Delivery,
        metrics: DispatcherMetrics,
        start: Callable[[Coroutine[Any, Any, None]], object],
        refused: Callable[[CredentialsError | InvalidConnection, float], Coroutine[Any, Any, None]],
    ) -> None:
        self._api = api
        self._feed = feed
        self._requests = requests
        self._schedule = schedule
        self._entries = Entries(api, delivery)
        self._metrics = metrics
        self._start = start
        self._refused = refused
        self._loop = asyncio.get_running_loop()
        self._followed: dict[FeedScope, _Followed] = {}
        schedule.slow_while(lambda subject: subject.feed is not None and subject.feed.is_healthy)
        delivery.tell_ends_to(self._note_end)

    async def run(self) -> None:
        """Begin to read feeds that have become worth it, until this is canceled."""
        while True:
            for number, scope in enumerate(self._schedule.feeds(), 1):
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
                if scope not in self._followed and len(scope.subjects) > 1:
                    followed = _Followed(self._api, scope)
                    if self._interval(followed) is not None:
                        self._followed[scope] = followed
                        self._start(self._follow(followed))
            self._metrics.feeds(len(self._followed), sum(scope.is_healthy for scope in self._followed))
            await asyncio.sleep(_SEARCH_SECONDS)

    async def _follow(self, followed: _Followed) -> None:
        """Read a feed for as long as that is worth it."""
        scope, health = followed.scope, followed.health
        try:
            while self._interval(followed) is not None:
                began = self._loop.time()
                looks = await self._look(followed)
                self._judge(followed)
                await self._set_health(scope, health.is_healthy(self._loop.time()))
                await self._pause(followed, began, looks)
        except Exception:  # a bug, on which no wait depends: it is not read again until its tasks have changed
            _log.exception("%s: its feed is not read any more.", self._api.name)
            await self._set_health(scope, healthy=False)
            return
        await self._set_health(scope, healthy=False)
        del self._followed[scope]

    async def _pause(self, followed: _Followed, began: float, looks: int) -> None:
        """Wait for the next look; it may become due earlier, because waits are added."""
        while (interval := self._interval(followed)) is not None:
            now = self._loop.time()
            seconds = began + looks * followed.health.pause(interval, now) - now
            if seconds <= 0:
                return
            await asyncio.sleep(min(seconds, _SEARCH_SECONDS))

    async def _look(self, followed: _Followed) -> int:
        """Read a feed up to what has been seen before. Return for how many looks that counts."""
        health, began = followed.health, self._loop.time()
        look = followed.cursor.look(followed.scope.params, time.time())
        try:
            await self._read_pages(followed, look)
        except (CredentialsError, InvalidConnection) as error:
            health.learn_failed()
            self._metrics.feed_failed()
            await self._refused(error, began)
        except (CloudApiError, TimeoutError) as error:
            self._metrics.feed_failed()
            if isinstance(error, TimeoutError | MalformedAnswer) or error.retryable:
                health.learn_failed(in_time=not isinstance(error, TimeoutError))
            else:
                _log.warning("%s: its feed is not read for ten minutes. %s", self._api.name, error)
                health.learn_refused(self._loop.time())
        else:
            health.learn_complete()
            if look.has_gap or not look.is_ordered:
                health.learn_miss(self._loop.time())
        # Pages of tasks that run are no news.
        return max(look.blank_pages, 1)

    async def _read_pages(self, followed: _Followed, look: Look) -> None:
        while (parameters := look.next_page) is not None:
            async with asyncio.timeout(_TURN_SECONDS):
                page = await self._requests.read_page(
                    self._feed.tasks.action,
                    parameters,
                    kind=Kind.FEED,
                    due=self._loop.time(),
                    waits=len(followed.scope.subjects),
                    seconds=_PAGE_SECONDS,
                )
            for end in look.take(page.answer):
                for subject in self._schedule.of_id(end.task_id):
                    if subject.feed is followed.scope:
                        await self._tell(followed, subject, end, page)

    async def _tell(self, followed: _Followed, subject: Subject, end: End, page: Page) -> None:
        """Deliver an entry that holds what a single read returns; otherwise have the task read."""
        self._metrics.feed_told()
        now = self._loop.time()
        if self._feed.tasks.complete and end.is_clear:
            await self._entries.take(subject, end.entry, page, polled=False, may_end=True)
        elif followed.health.may_ring(now) and self._schedule.ring(subject, now):
            followed.rung.setdefault(subject, now)

    def _note_end(self, subject: Subject, task: CloudTask) -> None:
        followed = self._followed.get(subject.feed) if subject.feed else None
        if followed is not None and task.finished_at is not None:
            task_id = self._schedule.id_of(subject)
            followed.health.learn_end(task_id, task.finished_at.timestamp(), self._loop.time())

    def _judge(self, followed: _Followed) -> None:
        """Compare what the feed has told with what polls have found."""
        now = self._loop.time()
        missed = followed.health.judge(now)
        for subject, rung_at in [each for each in followed.rung.items() if now - each[1] > _SHOWN_WITHIN]:
            del followed.rung[subject]
            if subject.watches and subject.asked_at > rung_at:
                missed += 1
                followed.health.learn_false_end(now)
        self._metrics.feed_missed(missed)

    async def _set_health(self, scope: FeedScope, healthy: bool) -> None:
        if scope.is_healthy and not healthy:
            scope.is_healthy = False
            subjects = tuple(scope.subjects)
            for first in range(0, len(subjects), AT_ONCE):
                self._schedule.hasten(subjects[first : first + AT_ONCE])
                await asyncio.sleep(0)
        scope.is_healthy = healthy

    def _interval(self, followed: _Followed) -> float | None:
        """Return the seconds between two looks; None if the feed is not worth reading."""
        scope, rate = followed.scope, self._requests.rate_of(self._feed.tasks.action)
        if rate is None or not scope.subjects:
            return None
        sample = [subject.interval for subject in islice(scope.subjects, _ESTIMATED_FROM)]
        demand = followed.demand.update(polls_of(sample, len(scope.subjects)), self._loop.time())
        return interval_of(self._requests.feed_interval, demand, min(sample), rate, max(len(self._followed), 1))
