"""Reads ends from a list of the vendor, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from airflow_cloudtasks.assets._watched import Watched, listing_of
from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.normalise import normalise, normalise_object
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.values import iso_utc
from airflow_cloudtasks.waiting.triggerer.dispatcher import Dispatcher, SharedDispatcher
from airflow_cloudtasks.waiting.triggerer.gate import Kind

# Seconds between two reads of a whole list, and at least as many for each page: 12 requests a minute.
_SWEEP_SECONDS = 60.0
_SECONDS_PER_PAGE = 5.0

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
    """

    def __init__(self, watched: Watched) -> None:
        self._api = watched.api
        self._listing = listing_of(watched.api)
        self._params = dict(watched.api_params)
        self._shared = (watched.api, watched.conn_id, watched.region)
        self._opened = AsyncExitStack()
        self._dispatcher: Dispatcher | None = None
        self.interval = _SWEEP_SECONDS

    async def __aenter__(self) -> Self:
        """Use the dispatcher of the API, which the waits of this event loop share."""
        self._dispatcher = await self._opened.enter_async_context(SharedDispatcher(*self._shared))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the use."""
        await self._opened.aclose()

    async def ended(self, horizon: datetime) -> list[CloudTask]:
        """Return all tasks that have ended since a time, and perhaps others.

        Args:
            horizon: The time.

        Raises:
            CloudTasksError: The list could not be read.
        """
        pages = Pages(self._listing, self._scope(), self._api.name, iso_utc(horizon - _LONGEST_TASK))
        found: list[CloudTask] = []
        while (parameters := pages.next_page) is not None:
            if pages.read == _MOST_PAGES:
                raise CloudTasksError(f"{self._api.name}: the list has more than {_MOST_PAGES} pages.")
            answer = await self._requests.call(self._api.service, self._listing.action, parameters, kind=Kind.PAGE)
            for number, task in enumerate(self._tasks(pages.take(answer), answer)):
                if task.done and task.finished_at is not None and task.finished_at >= horizon:
                    found.append(task)
                if number % 50 == 0:
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
        if self._listing.complete:
            return task
        parameters = self._api.parameters(task.id, self._identifying)
        reading = Reading(self._api, parameters)
        while reading.request is not None:
            reading.take(
                await self._requests.call(self._api.service, self._api.read, reading.request, kind=Kind.REASON)
            )
        return normalise(self._api, reading.answer, parameters=parameters, region=self._requests.region, copy=False)

    def _tasks(self, rows: list[Mapping[str, Any]], answer: Any) -> Iterator[CloudTask]:
        for row in rows:
            try:
                yield normalise_object(
                    self._api, row, answer, parameters=self._identifying, region=self._requests.region
                )
            except CloudTasksError:  # one entry that cannot be read does not hide the others
                continue

    @property
    def _requests(self) -> Any:
        assert self._dispatcher is not None  # noqa: S101 - inside the block
        return self._dispatcher.requests

    @property
    def _identifying(self) -> dict[str, Any]:
        known = (*self._api.task_params, *self._api.carried_params)
        return {name: value for name, value in self._params.items() if name in known}

    def _scope(self) -> dict[str, Any]:
        return {name: value for name, value in self._params.items() if name in self._listing.action.accepted}
