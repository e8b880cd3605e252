"""Reads the queue that rings when tasks end. doorbell.py says what a message means; this module sends.

Nothing depends on a queue: its tasks are polled beside it, slowly while it rings for what ends, and by their own
intervals if it does not. docs/explanation/waiting.md explains it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Coroutine
from typing import Any

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.smq import MOST_MESSAGES, Message, SmqQueue
from airflow_cloudtasks.errors import CloudApiError, CloudTasksError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.spec import Doorbell, TaskApi
from airflow_cloudtasks.waiting.doorbell import Fate, ended_task, fate_of
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery
from airflow_cloudtasks.waiting.triggerer.doorbell_health import DoorbellHealth, RequestBudget
from airflow_cloudtasks.waiting.triggerer.metrics import DispatcherMetrics
from airflow_cloudtasks.waiting.triggerer.requests import Requests
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject

_log = logging.getLogger(__name__)

# Seconds of a long poll, and seconds after which it is given up.
_WAIT_SECONDS = 20
_ANSWERED_WITHIN = 25.0

# Seconds within which a request that does not wait is answered.
_DONE_WITHIN = 10.0

# Seconds between two looks at whether anything waits, and whether messages are to be deleted.
_LOOK_SECONDS = 1.0
_FIRST_LOOK_SECONDS = 0.1

# Seconds after messages until the next ones are received, so that one request receives several.
_GATHER_SECONDS = 0.75

# Seconds after an empty answer that came too early: the service has no room for long polls.
_BUSY_SECONDS = 1.0

# Seconds without receiving after messages for others only, so that others get them: they are hidden for one second.
_OTHERS_SECONDS = (1.2, 2.5)

# Ids of tasks that nothing waits for any more, until they are forgotten.
_MOST_LEFT = 1000

# Seconds for which messages to delete are collected. The usual visibility timeout is 30 s.
_DELETED_WITHIN = 5.0


class DoorbellReader:
    """Reads the queue of one dispatcher's connection, while anything waits.

    Args:
        api: The API.
        doorbell: The message that tells of an end.
        requests: Knows the current connection. Requests to the queue pass no gate: they have a budget of their own.
        schedule: The schedule of the tasks.
        delivery: Tells which ends are noticed.
        metrics: Where messages are counted.
        start: Runs a coroutine as a task.
        listeners: Called with the id of each task that a message tells of. The queue is read while there are any.
    """

    def __init__(
        self,
        api: TaskApi,
        doorbell: Doorbell,
        requests: Requests,
        schedule: Schedule,
        delivery: Delivery,
        metrics: DispatcherMetrics,
        start: Callable[[Coroutine[Any, Any, None]], object],
        listeners: Collection[Callable[[str], None]],
    ) -> None:
        self._api = api
        self._listeners = listeners
        self._doorbell = doorbell
        self._requests = requests
        self._schedule = schedule
        self._metrics = metrics
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._health = DoorbellHealth()
        self._budget = RequestBudget(self._loop.time())
        self._is_slow = False
        self._queue: SmqQueue | None = None
        self._done: list[Message] = []
        self._done_since = 0.0
        self._others: list[Message] = []
        self._to_tidy = asyncio.Event()
        self._running: set[str] = set()
        schedule.slow_while(self._tells)
        delivery.tell_ends_to(self._note_end)

    async def run(self) -> None:
        """Receive messages until this is canceled."""
        self._start(self._keep_health())
        while True:
            client = self._requests.client
            if client is None or client.account.notify_queue is None or not self._is_used:
                await asyncio.sleep(_FIRST_LOOK_SECONDS if client is None else _LOOK_SECONDS)
                continue
            try:
                await self._listen(client)
            except Exception:  # a bug, on which no wait depends
                _log.exception("%s: its queue is not read any more.", self._api.name)
                self._health = DoorbellHealth()
                return

    @property
    def _is_used(self) -> bool:
        return bool(len(self._schedule) or self._listeners)

    async def _listen(self, client: CloudClient) -> None:
        """Receive messages for as long as the connection stays the same and anything waits."""
        async with SmqQueue(client) as queue:
            self._queue, tidying = queue, self._loop.create_task(self._tidy(queue))
            try:
                while self._requests.client is client and self._is_used:
                    await self._receive(queue)
                    if tidying.done():
                        tidying.result()
            finally:
                self._queue = None
                tidying.cancel()
                self._done.clear()
                self._others.clear()
                await asyncio.gather(tidying, return_exceptions=True)

    async def _receive(self, queue: SmqQueue) -> None:
        """Receive messages once, and wait until the next time."""
        await asyncio.sleep(self._budget.take(self._loop.time()))
        began = self._loop.time()
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN):
                messages = await queue.receive(_WAIT_SECONDS)
        except (CloudTasksError, TimeoutError) as error:
            await asyncio.sleep(self._pause_after(error))
            return
        self._health.learn_answered()
        now = self._loop.time()
        rings = [self._take(message, now) for message in messages]
        if self._others:
            self._to_tidy.set()
        if not messages:
            await asyncio.sleep(_BUSY_SECONDS if now - began < _WAIT_SECONDS / 2 else 0)
        elif not any(rings):
            await asyncio.sleep(random.uniform(*_OTHERS_SECONDS))  # noqa: S311 - no secret
        elif len(messages) < MOST_MESSAGES:
            await asyncio.sleep(_GATHER_SECONDS)

    def _take(self, message: Message, now: float) -> bool:
        """Ring for a message, and decide what becomes of it. Return whether it is for a task of this dispatcher."""
        task_id = ended_task(message.text, self._doorbell)
        subjects = self._schedule.of_id(task_id) if task_id else ()
        is_ours = bool(subjects) or (task_id is not None and self._health.is_ours(task_id))
        if task_id is not None and is_ours:
            self._health.learn_rung(task_id, now)
        for subject in subjects:
            self._schedule.ring(subject, now)
        if task_id is not None and self._listeners:
            is_ours = True
            for tell in self._listeners:
                tell(task_id)
        self._metrics.doorbell("rung" if is_ours else "others" if task_id else "unreadable")
        match fate_of(task_id, is_ours=is_ours, times_received=message.times_received):
            case Fate.DELETE:
                if not self._done:
                    self._done_since = now
                self._done.append(message)
            case Fate.GIVE_BACK:
                self._others.append(message)
            case Fate.LEAVE:
                pass
        if len(self._done) >= MOST_MESSAGES:
            self._to_tidy.set()
        return is_ours

    async def _tidy(self, queue: SmqQueue) -> None:
        """Delete what has rung, and give back what is for others. If that fails, the messages come again."""
        while True:
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._to_tidy.wait()
            except TimeoutError:
                pass
            self._to_tidy.clear()
            others, self._others = self._others, []
            for message in others:
                # Without plenty of budget, they come back by themselves after the visibility timeout.
                if self._budget.has_plenty:
                    await self._carefully(queue.give_back(message))
            while len(self._done) >= MOST_MESSAGES or (self._done and self._loop.time() >= self._deleted_by()):
                batch, self._done = self._done[:MOST_MESSAGES], self._done[MOST_MESSAGES:]
                self._done_since = self._loop.time()  # the others came with the last of these
                await self._carefully(queue.delete(batch))

    def _deleted_by(self) -> float:
        return self._done_since + _DELETED_WITHIN

    async def _carefully(self, request: Coroutine[Any, Any, bool]) -> None:
        """Send a request within the budget; a failure is only counted."""
        try:
            await asyncio.sleep(self._budget.take(self._loop.time()))
            async with asyncio.timeout(_DONE_WITHIN):
                await request
        except (CloudTasksError, TimeoutError) as error:
            self._metrics.doorbell("failures")
            _log.info("%s: a message of its queue comes again. %s", self._api.name, error or type(error).__name__)
        finally:
            request.close()

    def _pause_after(self, error: CloudTasksError | TimeoutError) -> float:
        """Return the seconds until the next request."""
        self._metrics.doorbell("failures")
        retry_after = error.retry_after if isinstance(error, CloudApiError) else None
        was_healthy = self._health.is_healthy
        is_late = isinstance(error, TimeoutError)
        may_pass = is_late or (isinstance(error, CloudApiError) and error.retryable)
        pause = self._health.learn_failed(retry_after, in_time=not is_late, may_pass=may_pass)
        why = "a long poll got no answer in time" if is_late else error
        level = logging.WARNING if was_healthy or pause <= 2 else logging.INFO
        _log.log(level, "%s: its queue cannot be read; the next try is in %.0f s. %s", self._api.name, pause, why)
        return pause

    def _tells(self, subject: Subject) -> bool:
        """Return whether the queue is expected to tell of the end of a task that a read has shown running."""
        if self._queue is not None:
            task_id = self._schedule.id_of(subject)
            self._running.add(task_id)
            self._health.learn_read(task_id, subject.asked_at)
        return self._is_slow

    def _note_end(self, subject: Subject, task: CloudTask) -> None:
        if self._queue is not None:
            task_id = self._schedule.id_of(subject)
            self._health.learn_end(task_id, self._loop.time(), was_running=task_id in self._running)
            self._running.discard(task_id)

    async def _keep_health(self) -> None:
        """Poll tasks slowly as long as the queue is healthy."""
        while True:
            self._metrics.doorbell("missed", self._health.judge(self._loop.time()))
            if len(self._running) > 2 * len(self._schedule) + _MOST_LEFT:
                self._running.clear()  # waits that were given up
            was_slow, self._is_slow = self._is_slow, self._queue is not None and self._health.is_healthy
            if self._queue is not None or was_slow:
                self._metrics.doorbell_healthy(healthy=self._is_slow)
            if was_slow and not self._is_slow:
                subjects = tuple(self._schedule)
                for first in range(0, len(subjects), AT_ONCE):
                    self._schedule.hasten(subjects[first : first + AT_ONCE])
                    await asyncio.sleep(0)
            await asyncio.sleep(_LOOK_SECONDS)
