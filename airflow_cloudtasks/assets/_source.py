"""Reads ends from a list of the vendor, page by page."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from airflow_cloudtasks.assets._watched import Watched, listing_of
from airflow_cloudtasks.errors import MalformedAnswer, NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import listed_state, normalise, normalise_object
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.values import iso_utc
from airflow_cloudtasks.waiting.feed import End, FeedCursor
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE
from airflow_cloudtasks.waiting.triggerer.dispatcher import Dispatcher, SharedDispatcher
from airflow_cloudtasks.waiting.triggerer.gate import Kind
from airflow_cloudtasks.waiting.triggerer.requests import Requests
from airflow_cloudtasks.waiting.triggerer.schedule import READ_AGAIN

_log = logging.getLogger(__name__)

# Seconds between two reads of a whole list, and at least as many for each page: 12 requests a minute.
_SWEEP_SECONDS = 60.0
_SECONDS_PER_PAGE = 5.0

# Seconds after which a feed is read back to the horizon again.
_AGAIN_SECONDS = 60.0

# How long a task may run, if its list can begin at a creation time.
_LONGEST_TASK = timedelta(days=7)

# Pages of one read. The usual page has 100 tasks.
_MOST_PAGES = 200


class Source:
    """Reads the ends of tasks. Each request passes the gate of the account.

    Args:
        watched: What is watched.

    Attributes:
        interval: Seconds to the next read.
        has_gap: Whether the list was too long to be read to the horizon.
    """

    def __init__(self, watched: Watched) -> None:
        self._api = watched.api
        self._listing = listing_of(watched.api)
        self._params = dict(watched.api_params)
        self._shared = (watched.api, watched.conn_id, watched.region)
        self._opened = AsyncExitStack()
        self._dispatcher: Dispatcher | None = None
        self._cursor: FeedCursor | None = None
        self._began = 0.0
        self._rung: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        self.interval = _SWEEP_SECONDS
        self.has_gap = False

    async def __aenter__(self) -> Self:
        """Use the dispatcher of the API, which the waits of this event loop share."""
        self._dispatcher = await self._opened.enter_async_context(SharedDispatcher(*self._shared))
        self._dispatcher.listeners.add(self._ring)
        self._opened.callback(self._dispatcher.listeners.discard, self._ring)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the use."""
        await self._opened.aclose()

    async def ended(self, horizon: datetime, *, anew: bool) -> list[CloudTask]:
        """Return the tasks that have ended since a time and were not returned before, and perhaps others.

        Args:
            horizon: The time.
            anew: Whether those that were returned before are returned again.

        Raises:
            CloudTasksError: The list could not be read.
        """
        if self._api.feed is not None:
            return await self._look(horizon, anew)
        return await self._sweep(horizon)

    async def rung(self) -> CloudTask | None:
        """Wait until a message tells that a task has ended, read it, and return it.

        Returns:
            The task; None if a read does not show its end, or not yet. Then it is read a few times more.

        Raises:
            CloudTasksError: The task could not be read.
        """
        task_id, reads = await self._rung.get()
        listed = CloudTask(api=self._api.name, cloud=self._api.cloud, id=task_id, state=TaskState.UNKNOWN)
        task = await self._read(listed)
        if task.done:
            return task if task.finished_at is not None else None
        if reads < len(READ_AGAIN):
            asyncio.get_running_loop().call_later(READ_AGAIN[reads], self._rung.put_nowait, (task_id, reads + 1))
        return None

    def _ring(self, task_id: str) -> None:
        self._rung.put_nowait((task_id, 0))

    async def _look(self, horizon: datetime, anew: bool) -> list[CloudTask]:
        """Read a list that shows the newest ends first, as far as it is new."""
        now = asyncio.get_running_loop().time()
        if self._cursor is None or anew or now - self._began >= _AGAIN_SECONDS:
            # The list may have left something out meanwhile.
            self._cursor = FeedCursor(self._api, horizon.timestamp() - 1)
            self._began = now
            self.has_gap = False
        look = self._cursor.look(self._scope(), time.time(), _MOST_PAGES)
        found: list[CloudTask] = []
        try:
            while (parameters := look.next_page) is not None:
                answer = await self._call(parameters, Kind.FEED)
                for number, end in enumerate(look.take(answer)):
                    found.append(await self._ended(end, answer))
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)
        except BaseException:
            self._cursor = None  # it believes that these ends have been returned
            raise
        if look.has_gap:
            self.has_gap = True
            self._warn_of_too_many_pages()
        self.interval = self._requests.feed_interval or _SWEEP_SECONDS
        return found

    async def _sweep(self, horizon: datetime) -> list[CloudTask]:
        """Read a whole list, in no known order."""
        pages = Pages(self._listing, self._scope(), self._api.name, iso_utc(horizon - _LONGEST_TASK))
        found: list[CloudTask] = []
        self.has_gap = False
        while (parameters := pages.next_page) is not None:
            if pages.read == _MOST_PAGES:
                self.has_gap = True
                self._warn_of_too_many_pages()
                break
            answer = await self._call(parameters, Kind.PAGE)
            for number, row in enumerate(pages.take(answer)):
                task = self._normalised(row, answer)
                if task is not None and task.done and task.finished_at is not None and task.finished_at >= horizon:
                    found.append(task)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
        self.interval = max(_SWEEP_SECONDS, pages.read * _SECONDS_PER_PAGE)
        return found

    async def whole(self, task: CloudTask) -> CloudTask:
        """Return a task as a single read returns it, if the list shows less.

        Args:
            task: The task as listed.

        Raises:
            CloudTasksError: The task could not be read.
        """
        return task if self._listing.complete else await self._read(task)

    async def _read(self, task: CloudTask) -> CloudTask:
        parameters = self._api.parameters(task.id, self._identifying)
        reading = Reading(self._api, parameters)
        service, action = self._api.service, self._api.read
        try:
            while reading.request is not None:
                reading.take(await self._requests.call(service, action, reading.request, kind=Kind.REASON))
            region = self._requests.region
            return normalise(self._api, reading.answer, parameters=parameters, region=region, copy=False)
        except NotFound:
            return task

    async def _ended(self, end: End, answer: Any) -> CloudTask:
        """Return the task of an end that a feed shows."""
        assert self._api.feed is not None  # noqa: S101 - only a feed shows ends
        ended_at = datetime.fromtimestamp(end.ended_at, UTC)
        if self._listing.complete and end.is_clear and (task := self._normalised(end.entry, answer)) is not None:
            return task if task.finished_at is not None else replace(task, finished_at=ended_at)
        state = listed_state(self._api, end.entry, self._api.feed.status)
        listed = CloudTask(api=self._api.name, cloud=self._api.cloud, id=end.task_id, state=state, finished_at=ended_at)
        return listed if state.done and end.is_clear else replace(await self._read(listed), finished_at=ended_at)

    def _normalised(self, row: Mapping[str, Any], answer: Any) -> CloudTask | None:
        """Return the task of an entry. One that cannot be read does not hide the others."""
        try:
            return normalise_object(self._api, row, answer, parameters=self._identifying, region=self._requests.region)
        except MalformedAnswer:
            return None

    async def _call(self, parameters: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
        return await self._requests.call(self._api.service, self._listing.action, parameters, kind=kind)

    def _warn_of_too_many_pages(self) -> None:
        _log.warning("%s: its list is longer than %d pages. Ends may be missed.", self._api.name, _MOST_PAGES)

    @property
    def _requests(self) -> Requests:
        assert self._dispatcher is not None  # noqa: S101 - inside the block
        return self._dispatcher.requests

    @property
    def _identifying(self) -> dict[str, Any]:
        known = (*self._api.task_params, *self._api.carried_params)
        return {name: value for name, value in self._params.items() if name in known}

    def _scope(self) -> dict[str, Any]:
        return {name: value for name, value in self._params.items() if name in self._listing.action.accepted}
