"""One dispatcher for all waits of an event loop on the same API, connection and region.

It connects the parts: schedule.py decides which task is polled next, gate.py when a request leaves, bulk_reader.py
which tasks are read together, and watch.py what an answer means to a wait.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, Throttled
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise, task_object
from airflow_cloudtasks.spec import Feed, TaskApi
from airflow_cloudtasks.waiting.triggerer.batch_reader import BatchReader
from airflow_cloudtasks.waiting.triggerer.bulk_reader import BulkReader
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery, always
from airflow_cloudtasks.waiting.triggerer.doorbell_reader import DoorbellReader
from airflow_cloudtasks.waiting.triggerer.feed_reader import FeedReader
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind
from airflow_cloudtasks.waiting.triggerer.list_reader import ListReader
from airflow_cloudtasks.waiting.triggerer.metrics import DispatcherMetrics
from airflow_cloudtasks.waiting.triggerer.requests import Requests
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject
from airflow_cloudtasks.waiting.triggerer.watch import Watch

_log = logging.getLogger(__name__)

_REPORT_SECONDS = 60.0

_DEADLINES_SECONDS = 1.0

# Seconds between two looks at the connection that the hook uses; the hook decides when it looks it up again.
_CONNECTION_SECONDS = 1.0

# Seconds; the longest rest after failed look-ups of the Airflow connection, and after those of an invalid one.
_LONGEST_REST = 60.0
_LONGEST_REST_IF_INVALID = 10.0


class Dispatcher:
    """Poll the tasks of all waits on one API with one connection and region.

    Args:
        api: The API.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.

    Attributes:
        api: The API.
        named: The arguments that identify the dispatcher besides the API.
        users: The number of its users.
        hook: The hook that sends its requests.
        requests: Its requests.
        listeners: Called with the id of each task that a message of the connection's queue tells of.
    """

    def __init__(self, api: TaskApi, conn_id: str | None, region: str | None) -> None:
        self.api = api
        self.named = (conn_id, region)
        self.users = 0
        self.listeners: set[Callable[[str], None]] = set()
        self.hook: CloudTasksHook = hook_for(api, conn_id, region)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._schedule = Schedule(api, self._changed.set)
        self._metrics = DispatcherMetrics(api.name, self.hook.conn_id)
        self._delivery = Delivery(self._schedule, self._metrics)
        self.requests = Requests(api, self.hook, self._metrics, self)
        self._bulk = self._make_bulk_reader()
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused_at = float("-inf")
        for loop in (self._advance(), self._keep_connection(), self._keep_deadlines(), self._report_every_minute()):
            self._start(loop)
        if api.feed is not None:
            self._start(self._make_feed_reader(api.feed).run())
        if api.doorbell is not None:
            parts = (self.requests, self._schedule, self._delivery, self._metrics, self._start)
            self._start(DoorbellReader(api, api.doorbell, *parts, self.listeners).run())

    def parameters(self, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the parameters that identify a task.

        Raises:
            InvalidArguments: They cannot identify one.
        """
        return self.hook.parameters(self.api, cloud_task_id, api_params)

    def add(self, parameters: Mapping[str, Any], watch: Watch, api_params: Mapping[str, Any] | None = None) -> None:
        """Add a wait.

        Args:
            parameters: What :meth:`parameters` returned.
            watch: The wait, on the clock of the event loop.
            api_params: What :meth:`parameters` was called with: some of it is needed only to read tasks together.
        """
        self._schedule.add(parameters, watch, self._loop.time(), api_params)

    def remove(self, watch: Watch) -> None:
        """Remove a wait; it may be over already."""
        self._schedule.remove(watch)

    async def close(self) -> None:
        """Cancel all requests, and free everything."""
        self.requests.leave_gates()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._metrics.close()

    # --- the gate's source of polls -------------------------------------------------------------------------------

    def first_due_at(self) -> float | None:
        """Return since when the first poll has been due; None if none is due."""
        subject = self._schedule.first_due()
        return None if subject is None else subject.due

    def send_first(self, gate: Gate) -> bool:
        """Send the first poll, unless it is read together with others; return whether a poll was sent."""
        now = self._loop.time()
        try:
            subject = self._schedule.first_due()
            if subject is None or self._bulk.starts(subject, now):
                return False
            due = self._schedule.begin(subject, now)
        except Exception as error:  # a bug, which must not stop the gate for others
            self._fail(error)
            return False
        self._start(self._poll(subject, due, gate)).add_done_callback(lambda _: gate.release(Kind.POLL))
        return True

    async def _poll(self, subject: Subject, due: float, gate: Gate) -> None:
        """Read one task, and deliver the answer."""
        asked_at = self._loop.time()
        try:
            answer = await self.requests.poll(gate, subject.parameters, subject.tally)
        except Throttled as error:
            # No outcome, so that the waits do not notice.
            alone = gate.refuses_only(subject.tally)
            subject.tally = gate.tally
            self._schedule.settle_throttled(subject, due, self._loop.time(), error.retry_after, alone=alone)
        except (CredentialsError, InvalidConnection) as error:
            await self._delivery.deliver(subject, always(error), asked_at)
            await self._deliver_refusal(error, asked_at)
        except CloudApiError as error:
            subject.tally = None if error.retry_after is None else gate.tally
            await self._delivery.deliver(subject, always(error), asked_at)
        except Exception as error:  # a bug, or parameters that fit in no request; no other wait is affected
            _crash(subject, error)
            self._schedule.settle(subject, self._loop.time())
        else:
            await self._deliver_answer(subject, answer, asked_at)

    async def _deliver_answer(self, subject: Subject, answer: dict[str, Any], asked_at: float) -> None:
        subject.tally = None
        subject.is_suspect = False
        read = partial(_normalise, self.api, answer, subject.parameters, self.requests.region)
        taken = await self._delivery.deliver(subject, read, asked_at)
        if taken.by_all and self._bulk.is_used:
            subject.fingerprint = fingerprint(self.api, task_object(self.api, answer, subject.parameters))

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that ends with the dispatcher."""
        # Use an empty context; otherwise the dispatcher's log lines go to the log of an arbitrary task.
        task = self._loop.create_task(coroutine, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    # --- the loops ------------------------------------------------------------------------------------------------

    async def _advance(self) -> None:
        """Move tasks that become due to the gate, or start to read them together."""
        async with self.hook:
            while True:
                self._changed.clear()
                now = self._loop.time()
                moved = self._schedule.advance(now, AT_ONCE)
                for subject in moved:
                    if subject.due is not None and subject.due <= now and self._bulk.starts(subject, now):
                        await asyncio.sleep(0)
                if moved:
                    self.requests.wake_gate()
                next_at = self._schedule.next_at()
                if next_at is not None and next_at <= now:
                    await asyncio.sleep(0)
                else:
                    await self._sleep_until(next_at)

    async def _keep_connection(self) -> None:
        """Use the gates of the current connection, and state its current allowances."""
        failures = 0
        while True:
            asked_at = self._loop.time()
            try:
                client = await self.hook.aget_conn()
            except InvalidConnection as error:
                await self._delivery.deliver_error(self._schedule, error, asked_at)
                rest = min(2.0**failures, _LONGEST_REST_IF_INVALID)
                failures += 1
            except CloudApiError as error:
                rest = min(2.0**failures, _LONGEST_REST)
                failures += 1
                _log.warning("%s: the next try is in %.0f s. %s", self.api.name, rest, error)
            else:
                self.requests.use(client)
                rest, failures = _CONNECTION_SECONDS, 0
            await asyncio.sleep(rest)

    async def _keep_deadlines(self) -> None:
        """End waits in time, also while a look-up hangs or the service asks for a pause."""
        while True:
            if self._schedule.time_out(self._loop.time(), AT_ONCE) < AT_ONCE:
                await asyncio.sleep(_DEADLINES_SECONDS)
            else:
                await asyncio.sleep(0)

    async def _report_every_minute(self) -> None:
        while True:
            began = self._loop.time()
            await asyncio.sleep(_REPORT_SECONDS)
            now = self._loop.time()
            self._metrics.report(self._schedule.waits, self.requests.budgets(), now - began)
            self._schedule.drop_old_scopes(now)

    async def _sleep_until(self, moment: float | None) -> None:
        try:
            async with asyncio.timeout_at(moment):
                await self._changed.wait()
        except TimeoutError:
            return

    # --- help -----------------------------------------------------------------------------------------------------

    def _make_bulk_reader(self) -> BulkReader:
        api = self.api
        parts = (self.requests, self._schedule, self._delivery, self._start, self._deliver_refusal)
        return BulkReader(
            self.requests,
            ListReader(api, api.list_tasks, *parts) if api.list_tasks else None,
            BatchReader(api, api.read_many, *parts) if api.read_many else None,
        )

    def _make_feed_reader(self, feed: Feed) -> FeedReader:
        parts = (self.requests, self._schedule, self._delivery, self._metrics, self._start, self._deliver_refusal)
        return FeedReader(self.api, feed, *parts)

    async def _deliver_refusal(self, error: CloudApiError | InvalidConnection, asked_at: float) -> None:
        """Deliver the refusal of the key to all tasks that are not being polled: all of them use the same key."""
        if asked_at <= self._refused_at:
            return  # They know.
        self._refused_at = self._loop.time()
        await self._delivery.deliver_error((each for each in self._schedule if each.due is not None), error, asked_at)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Fail every wait by a bug of this package, instead of hanging; the next caller gets a new dispatcher."""
        _forget(self)
        self.requests.leave_gates()
        for subject in self._schedule:
            _crash(subject, error)


def _normalise(api: TaskApi, answer: Any, parameters: Mapping[str, Any], region: str | None, overrides: Any) -> Any:
    return normalise(api, answer, parameters=parameters, region=region, overrides=overrides)


def _crash(subject: Subject, error: BaseException) -> None:
    for watch in subject.watches:
        watch.crash(error)


_dispatchers: PerEventLoop[list[Dispatcher]] = PerEventLoop(list)


class SharedDispatcher:
    """The dispatcher of an API, a connection and a region, as an async context manager; the last user stops it.

    A generator would take a kilobyte more for each wait.

    Args:
        api: The API.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
    """

    __slots__ = ("_dispatcher",)

    def __init__(self, api: TaskApi, conn_id: str | None, region: str | None) -> None:
        dispatchers = _dispatchers.get()
        fitting = (other for other in dispatchers if other.named == (conn_id, region) and other.api == api)
        dispatcher = next(fitting, None)
        if dispatcher is None:
            dispatcher = Dispatcher(api, conn_id, region)
            dispatchers.append(dispatcher)
        self._dispatcher = dispatcher

    async def __aenter__(self) -> Dispatcher:
        """Use the dispatcher."""
        self._dispatcher.users += 1
        return self._dispatcher

    async def __aexit__(self, *_: object) -> None:
        """End the use."""
        self._dispatcher.users -= 1
        if not self._dispatcher.users:
            _forget(self._dispatcher)
            await self._dispatcher.close()


def _forget(dispatcher: Dispatcher) -> None:
    dispatchers = _dispatchers.get()
    if dispatcher in dispatchers:
        dispatchers.remove(dispatcher)
