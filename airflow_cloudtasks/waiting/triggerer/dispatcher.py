"""One dispatcher for all waits of an event loop on the same API, connection and region.

It connects the parts: schedule.py decides which task is polled next, gate.py when a request leaves, list_reader.py what
is read by lists, and watch.py what an answer means to a wait.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.event_loop import PerEventLoop
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, InvalidConnection, Throttled
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise
from airflow_cloudtasks.spec import Action, Service, TaskApi
from airflow_cloudtasks.values import at
from airflow_cloudtasks.waiting.backoff import pause, throttle_delay
from airflow_cloudtasks.waiting.triggerer.delivery import AT_ONCE, Delivery
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind, Tally
from airflow_cloudtasks.waiting.triggerer.gates import gate_of
from airflow_cloudtasks.waiting.triggerer.list_reader import ListReader, Page
from airflow_cloudtasks.waiting.triggerer.metrics import DispatcherMetrics
from airflow_cloudtasks.waiting.triggerer.schedule import Schedule, Subject
from airflow_cloudtasks.waiting.triggerer.sweep import Speeds
from airflow_cloudtasks.waiting.triggerer.watch import Watch

_log = logging.getLogger(__name__)

_REPORT_SECONDS = 60.0

_DEADLINES_SECONDS = 1.0

# Seconds between two looks at the connection that the hook uses; the hook decides when it looks it up again.
_CONNECTION_SECONDS = 1.0

# Seconds; the longest rest after failed look-ups of the Airflow connection, and after those of an invalid one.
_LONGEST_REST = 60.0
_LONGEST_REST_IF_INVALID = 10.0

# A throttled request beside the polls is sent this often; one that fails otherwise, as often as the connection says.
_MOST_THROTTLES = 10


class Dispatcher:
    """Polls the tasks of all its waits, and sends the other requests for them.

    Args:
        api: The API.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
    """

    def __init__(self, api: TaskApi, conn_id: str | None, region: str | None) -> None:
        self.api = api
        self.named = (conn_id, region)
        self.users = 0
        self.hook: CloudTasksHook = hook_for(api, conn_id, region)
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._schedule = Schedule(api, self._changed.set)
        self._metrics = DispatcherMetrics(api.name, self.hook.conn_id)
        self._delivery = Delivery(self._schedule, self._metrics)
        self._lists: ListReader | None = None
        if api.list_tasks is not None:
            self._lists = ListReader(api, api.list_tasks, self, self._schedule, self._delivery, self._deliver_refusal)
        self._client: CloudClient | None = None
        self._gates: dict[str, Gate] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused_at = float("-inf")
        for loop in (self._advance(), self._keep_connection(), self._keep_deadlines(), self._report_every_minute()):
            self.start(loop)

    def parameters(self, cloud_task_id: str, api_params: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the parameters that identify a task.

        Raises:
            InvalidArguments: They cannot identify one.
        """
        return self.hook.parameters(self.api, cloud_task_id, api_params)

    def add(self, parameters: Mapping[str, Any], watch: Watch) -> None:
        """Add a wait.

        Args:
            parameters: What :meth:`parameters` returned.
            watch: The wait, on the clock of the event loop.
        """
        self._schedule.add(parameters, watch, self._loop.time())

    def remove(self, watch: Watch) -> None:
        """Remove a wait; it may be over already."""
        self._schedule.remove(watch)

    async def close(self) -> None:
        """Cancel all requests, and free everything."""
        self._leave_gates()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def call(
        self, service: Service, action: Action, parameters: Mapping[str, Any], *, kind: Kind
    ) -> dict[str, Any]:
        """Send a request beside the polls through its gate, and return the answer.

        Args:
            service: The product.
            action: The action.
            parameters: The parameters of the action, in the vendor's spelling.
            kind: What the request is for.

        Raises:
            CloudApiError: No try gave a usable answer.
            InvalidConnection: The Airflow connection cannot be used.
        """
        due, failures, throttles = self._loop.time(), 0, 0
        earlier: Tally | None = None
        while True:
            client = await self.hook.aget_conn()
            gate = self._gate(client, action)
            send = partial(self._send, service, action, parameters)
            try:
                return await gate.send(send, kind=kind, due=due, earlier=earlier)
            except Throttled as error:
                throttles += 1
                if throttles == _MOST_THROTTLES:
                    raise
                if gate.refuses_only(earlier):
                    await asyncio.sleep(max(throttle_delay(_LONGEST_REST, throttles), pause(error.retry_after)))
                earlier = gate.tally
            except CloudApiError as error:
                failures += 1
                if not error.retryable or failures >= client.account.retries.tries:
                    raise
                await asyncio.sleep(max(2.0 ** (failures - 2), error.retry_after or 0.0))

    # --- the gate's source of polls -------------------------------------------------------------------------------

    def first_due_at(self) -> float | None:
        """Return since when the first poll has been due; None if none is due."""
        subject = self._schedule.first_due()
        return None if subject is None else subject.due

    def send_first(self, gate: Gate) -> bool:
        """Send the first poll, unless a list is read instead; return whether a poll was sent."""
        subject, now = self._schedule.first_due(), self._loop.time()
        if subject is None or self._reads_list(subject, now):
            return False
        due = self._schedule.begin(subject, now)
        self.start(self._poll(subject, due, gate)).add_done_callback(lambda _: gate.release(Kind.POLL))
        return True

    async def _poll(self, subject: Subject, due: float, gate: Gate) -> None:
        """Read one task, and deliver the answer."""
        asked_at = self._loop.time()
        try:
            send = partial(self._send, self.api.service, self.api.read, subject.parameters)
            answer = await gate.observe(send, subject.tally)
        except Throttled as error:
            # No outcome, so that the waits do not notice.
            alone = gate.refuses_only(subject.tally)
            subject.tally = gate.tally
            self._schedule.settle_throttled(subject, due, self._loop.time(), error.retry_after, alone=alone)
        except (CredentialsError, InvalidConnection) as error:
            await self._deliver_answer(subject, error, asked_at)
            await self._deliver_refusal(error, asked_at)
        except CloudApiError as error:
            if error.retry_after is not None:
                subject.tally = gate.tally
            await self._deliver_answer(subject, error, asked_at)
        except Exception as error:  # a bug, or parameters that fit in no request; no other wait is affected
            _crash(subject, error)
        else:
            await self._deliver_answer(subject, answer, asked_at)

    async def _deliver_answer(
        self, subject: Subject, answer: dict[str, Any] | CloudApiError | InvalidConnection, asked_at: float
    ) -> None:
        if not isinstance(answer, dict):
            await self._delivery.deliver(subject, lambda _: answer, asked_at)
            return
        subject.tally = None
        region = self._client.region if self._client else None
        read = partial(_normalise, self.api, answer, subject.parameters, region)
        if await self._delivery.deliver(subject, read, asked_at):
            subject.fingerprint = fingerprint(self.api, at(answer, self.api.task))

    # --- the requests of the list reader --------------------------------------------------------------------------

    def speeds(self) -> Speeds | None:
        """Return how fast lists and tasks can be read; None before the connection has been looked up."""
        if self._client is None or self.api.list_tasks is None:
            return None
        lists, reads = self._gate(self._client, self.api.list_tasks.action), self._gate(self._client, self.api.read)
        return Speeds(lists.seconds_until_free(), 1 / lists.rate, 1 / reads.rate)

    async def read_page(self, parameters: Mapping[str, Any], *, due: float, waits: int, seconds: float) -> Page:
        """Send the request for a page of the list at its turn.

        Args:
            parameters: The parameters of the request.
            due: Since when the page has been due.
            waits: The number of waits that it serves.
            seconds: Seconds within which it must be answered.

        Raises:
            CloudApiError: The request failed.
            TimeoutError: It was not answered in time.
        """
        assert self.api.list_tasks is not None  # noqa: S101 - for the type checker
        action, asked_at = self.api.list_tasks.action, self._loop.time()
        client = await self.hook.aget_conn()

        async def send() -> dict[str, Any]:
            nonlocal asked_at
            asked_at = self._loop.time()
            async with asyncio.timeout(seconds):
                return await self._send(self.api.service, action, parameters)

        answer = await self._gate(client, action).send(send, kind=Kind.PAGE, due=due, waits=waits)
        return Page(answer, asked_at, self._loop.time() - asked_at, client.region)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task that ends with the dispatcher."""
        # Run in an empty context; otherwise the dispatcher's log lines go to the log of an arbitrary task.
        task = self._loop.create_task(coroutine, context=contextvars.Context())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    # --- the loops ------------------------------------------------------------------------------------------------

    async def _advance(self) -> None:
        """Move tasks that become due to the gate, or start to read their list."""
        async with self.hook:
            while True:
                self._changed.clear()
                now = self._loop.time()
                moved = self._schedule.advance(now, AT_ONCE)
                for subject in moved:
                    if subject.due is not None and subject.due <= now:
                        self._reads_list(subject, now)
                if moved:
                    self._wake_gate()
                    await asyncio.sleep(0)
                else:
                    await self._sleep_until(self._schedule.next_at())

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
                self._use(client)
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
            rates = {action: gate.rate for action, gate in self._gates.items()}
            self._metrics.report(self._schedule.waits, rates, now - began)
            self._schedule.drop_old_scopes(now)

    async def _sleep_until(self, moment: float | None) -> None:
        try:
            async with asyncio.timeout_at(moment):
                await self._changed.wait()
        except TimeoutError:
            return

    # --- the connection and its gates -----------------------------------------------------------------------------

    def _use(self, client: CloudClient) -> None:
        """Use the gates of a connection, in place of those of its earlier values."""
        if client is self._client:
            return
        self._leave_gates()
        self._client = client
        if self.api.list_tasks is not None:
            self._gate(client, self.api.list_tasks.action)
        self._gate(client, self.api.read).join(self)

    def _gate(self, client: CloudClient, action: Action) -> Gate:
        self._use(client)
        gate = self._gates.get(action.name)
        if gate is None:
            gate = self._gates[action.name] = gate_of(client, self.api, action, stated_by=self)
        return gate

    def _leave_gates(self) -> None:
        for gate in self._gates.values():
            gate.leave(self)
            gate.withdraw(self)
        self._gates.clear()

    def _wake_gate(self) -> None:
        if self._client is not None:
            self._gate(self._client, self.api.read).wake()

    async def _send(self, service: Service, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self._metrics.polled()
        try:
            return await self.hook.acall_once(service, action, parameters)
        except Throttled:
            self._metrics.throttled()
            raise

    # --- help -----------------------------------------------------------------------------------------------------

    def _reads_list(self, subject: Subject, now: float) -> bool:
        return self._lists is not None and self._lists.starts(subject, now)

    async def _deliver_refusal(self, error: CloudApiError | InvalidConnection, asked_at: float) -> None:
        """Deliver the refusal of the key to all tasks that are not being polled: all of them use the same key."""
        if asked_at <= self._refused_at:
            return  # They know.
        self._refused_at = self._loop.time()
        await self._delivery.deliver_error((each for each in self._schedule if each.due is not None), error, asked_at)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Bug in this package: fail every wait instead of hanging, and discard this dispatcher so that the next
            # caller gets a new one.
            _forget(self)
            self._leave_gates()
            for subject in self._schedule:
                _crash(subject, error)


def _normalise(api: TaskApi, answer: Any, parameters: Mapping[str, Any], region: str | None, overrides: Any) -> Any:
    return normalise(api, answer, parameters=parameters, region=region, overrides=overrides)


def _crash(subject: Subject, error: BaseException) -> None:
    for watch in subject.watches:
        watch.crash(error)


_dispatchers: PerEventLoop[list[Dispatcher]] = PerEventLoop(list)


@asynccontextmanager
async def dispatcher_of(api: TaskApi, conn_id: str | None, region: str | None) -> AsyncIterator[Dispatcher]:
    """Yield the dispatcher of an API, a connection and a region; the last user stops it.

    Args:
        api: The API.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
    """
    dispatchers = _dispatchers.get()
    found: Iterator[Dispatcher] = (
        other for other in dispatchers if other.named == (conn_id, region) and other.api == api
    )
    dispatcher = next(found, None)
    if dispatcher is None:
        dispatcher = Dispatcher(api, conn_id, region)
        dispatchers.append(dispatcher)
    dispatcher.users += 1
    try:
        yield dispatcher
    finally:
        dispatcher.users -= 1
        if not dispatcher.users:
            _forget(dispatcher)
            await dispatcher.close()


def _forget(dispatcher: Dispatcher) -> None:
    dispatchers = _dispatchers.get()
    if dispatcher in dispatchers:
        dispatchers.remove(dispatcher)
