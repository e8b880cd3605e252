"""One reader for all watchers of an event loop that watch the same."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_cloudtasks.assets._follower import Firing, Follower
from airflow_cloudtasks.assets._source import Source
from airflow_cloudtasks.assets._watched import Watched
from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.errors import CloudTasksError, InvalidConnection
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.waiting.backoff import rest

_log = logging.getLogger(__name__)

# Seconds; the longest rest after failed reads, unless the service asks for a longer one.
_LONGEST_REST = 60.0
# Nothing is sent then, and the user may be editing the connection.
_LONGEST_REST_IF_INVALID = 10.0

# Seconds within which a list must be read.
_READ_SECONDS = 600.0

# How long the horizon stays where it is, if a list is too long to be read back to it. Then it moves on, because what is
# kept of each end behind it would grow without a bound.
_GAP_KEPT = timedelta(hours=1)


class Stream:
    """Reads ends, and offers them to its watchers.

    Args:
        watched: What is watched.

    Attributes:
        firings: The events for watchers that get them by Airflow's shared stream.
    """

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._followers: dict[Follower, asyncio.Task[None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._source: Source | None = None
        self._has_news = asyncio.Event()
        self._served: set[Follower] = set()
        self.firings: asyncio.Queue[Firing] = asyncio.Queue()

    @property
    def is_used(self) -> bool:
        """Whether it has watchers."""
        return bool(self._followers)

    async def whole(self, task: CloudTask) -> CloudTask:
        """Return a task as a single read returns it.

        Args:
            task: The task as listed.

        Raises:
            CloudTasksError: The task could not be read.
        """
        if self._source is None:
            raise CloudTasksError("The reader is not ready.")
        return await self._source.whole(task)

    def join(self, follower: Follower) -> None:
        """Add a watcher.

        Args:
            follower: The watcher.
        """
        self._followers[follower] = _start(follower.serve(self._has_news.set))
        if self._reader is None:
            self._reader = _start(self._read())

    async def leave(self, follower: Follower) -> None:
        """Remove a watcher; the last one stops the reader.

        Args:
            follower: The watcher.
        """
        follower.has_left = True
        ended = [self._followers.pop(follower)]
        if not self._followers and self._reader is not None:
            ended.append(self._reader)
            self._reader = None
        for each in ended:
            each.cancel()
        await asyncio.gather(*ended, return_exceptions=True)

    async def _read(self) -> None:
        failures = 0
        while True:
            try:
                async with Source(self._watched) as self._source, _beside(self._listen(self._source)):
                    while True:
                        await self._read_once(self._source)
                        failures = 0
                        await self._rest(self._source.interval)
            except CloudTasksError as error:
                failures += 1
                longest = _LONGEST_REST_IF_INVALID if isinstance(error, InvalidConnection) else _LONGEST_REST
                seconds = rest(failures, longest, error)
                _log.warning("%s: its ends are read again in %.0f s. %s", self._watched.api.name, seconds, error)
            except Exception:  # a bug, or a list that is never answered, must not end the watchers
                failures += 1
                seconds = _LONGEST_REST
                _log.exception("%s: its ends are read again in %.0f s.", self._watched.api.name, seconds)
            self._has_news.clear()
            await asyncio.sleep(seconds)

    async def _listen(self, source: Source) -> None:
        """Offer what messages tell of. The list shows what they do not."""
        while True:
            try:
                task = await source.rung()
                tasks = [] if task is None else [task]
                for follower in tuple(self._followers):
                    follower.offer(tasks, None)
            except CloudTasksError as error:
                _log.warning("%s: a task that a message told of could not be read. %s", self._watched.api.name, error)
            except Exception:  # a bug must not hide the next messages
                _log.exception("%s: messages are heeded again in %.0f s.", self._watched.api.name, _LONGEST_REST)
                await asyncio.sleep(_LONGEST_REST)

    async def _read_once(self, source: Source) -> None:
        while not (readers := {each: each.ends.horizon for each in self._followers if each.ends is not None}):
            self._has_news.clear()
            await self._has_news.wait()
        asked_at = datetime.now(UTC)
        async with asyncio.timeout(_READ_SECONDS):
            tasks = await source.ended(min(readers.values()), anew=not self._served.issuperset(readers))
        self._served = set(readers)
        for follower, horizon in readers.items():
            holds = source.has_gap and asked_at - horizon < _GAP_KEPT
            follower.offer(tasks, None if holds else asked_at)
            await asyncio.sleep(0)

    async def _rest(self, seconds: float) -> None:
        """Sleep, but not while a watcher waits that has just joined."""
        self._has_news.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._has_news.wait()
        except TimeoutError:
            return


_streams: PerEventLoop[dict[str, Stream]] = PerEventLoop(dict)


def stream_of(watched: Watched) -> Stream:
    """Return the stream of this event loop that reads the same.

    Args:
        watched: What is watched.
    """
    return _streams.get().setdefault(watched.key, Stream(watched))


@asynccontextmanager
async def following(watched: Watched, make: Callable[[Stream], Follower]) -> AsyncIterator[Follower]:
    """Follow a stream for the length of the block.

    Args:
        watched: What is watched.
        make: Makes the watcher.
    """
    stream = stream_of(watched)
    follower = make(stream)
    stream.join(follower)
    try:
        yield follower
    finally:
        await stream.leave(follower)
        streams = _streams.get()
        if not stream.is_used and streams.get(watched.key) is stream:
            del streams[watched.key]


@asynccontextmanager
async def _beside(coroutine: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a coroutine for the length of the block."""
    task = _start(coroutine)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _start(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    # In an empty context; otherwise the log lines of all go to the log of an arbitrary trigger.
    return asyncio.get_running_loop().create_task(coroutine, context=contextvars.Context())
