"""The requests of one dispatcher: each goes through the gate of its account and action."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.errors import CloudApiError, CredentialsError, Throttled
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.spec import Action, Service, TaskApi
from airflow_cloudtasks.waiting.backoff import pause, throttle_delay
from airflow_cloudtasks.waiting.triggerer.gate import Gate, Kind, Source, Tally
from airflow_cloudtasks.waiting.triggerer.gates import gate_of
from airflow_cloudtasks.waiting.triggerer.metrics import Budget, DispatcherMetrics
from airflow_cloudtasks.waiting.triggerer.sweep import Speeds

# How often a request beside the polls is throttled, or fails otherwise, before it is given up.
_MOST_THROTTLES = 10
_MOST_FAILURES = 5

# How often one request is sent again because its key was refused and another key can be used.
_MOST_KEYS = 3

# Seconds; the longest delay between two tries of such a request, unless the service asks for a longer one.
_LONGEST_DELAY = 60.0


class Page:
    """The answer to a request for a page of a list, or for a batch.

    Args:
        answer: The answer.
        asked_at: When the request was sent.
        seconds: How long the answer took.
        region: The region in which the request was sent.
    """

    __slots__ = ("answer", "asked_at", "region", "seconds")

    def __init__(self, answer: Any, asked_at: float, seconds: float, region: str | None) -> None:
        self.answer = answer
        self.asked_at = asked_at
        self.seconds = seconds
        self.region = region


class Requests:
    """Send the requests of one dispatcher.

    Args:
        api: The API.
        hook: Sends a request once.
        metrics: Where requests are counted.
        polls: The polls of the dispatcher, which the gate of the API's read action picks.
    """

    def __init__(self, api: TaskApi, hook: CloudTasksHook, metrics: DispatcherMetrics, polls: Source) -> None:
        self._api = api
        self._hook = hook
        self._metrics = metrics
        self._polls = polls
        self._loop = asyncio.get_running_loop()
        self._client: CloudClient | None = None
        self._gates: dict[tuple[str, str], Gate] = {}

    @property
    def client(self) -> CloudClient | None:
        """The client of the current connection; None before it has been looked up."""
        return self._client

    @property
    def region(self) -> str | None:
        """The region of the current connection."""
        return self._client.region if self._client else None

    @property
    def feed_interval(self) -> float:
        """Seconds between two looks at a feed, as the current connection says; 0 for none."""
        return self._client.account.feed_interval if self._client else 0.0

    def rate_of(self, action: Action) -> float | None:
        """Return the present rate of an action, in requests a second; None before the connection has been looked up."""
        return self._gate(self._client, self._api.service, action).rate if self._client else None

    def budgets(self) -> dict[str, Budget]:
        """Return the budget of each action that is in use."""
        return {action: Budget(gate.rate, gate.allowance) for (_, action), gate in self._gates.items()}

    def use(self, client: CloudClient) -> None:
        """Use the gates of the current connection, in place of those of its earlier values.

        Args:
            client: The client of the connection.
        """
        if client is self._client:
            return
        self.leave_gates()
        self._client = client
        self._metrics.use(client.region)
        for together in (self._api.list_tasks, self._api.read_many):
            if together is not None:
                self._gate(client, self._api.service, together.action)
        self._read_gate(client).join(self._polls)

    def leave_gates(self) -> None:
        """Use no gate any more."""
        for gate in self._gates.values():
            gate.leave(self._polls)
            gate.withdraw(self)
        self._gates.clear()

    def wake_gate(self) -> None:
        """Wake the gate, because polls are due."""
        if self._client is not None:
            self._read_gate(self._client).wake()

    async def poll(self, gate: Gate, parameters: Mapping[str, Any], earlier: Tally | None) -> dict[str, Any]:
        """Read one task, now that its turn has come, and return the answer that shows it.

        Args:
            gate: The gate that picked the poll.
            parameters: The parameters that identify the task.
            earlier: The gate's tally when this poll was last refused; None if it was not.

        Raises:
            CloudApiError: The request failed, or a list that was read for the task did not show it.
            InvalidConnection: The Airflow connection cannot be used.
        """
        service, action = self._api.service, self._api.read
        reading = Reading(self._api, parameters)
        send = partial(self._send, service, action, reading.request or {})
        # The place among the polls that are under way is still taken.
        reading.take(await self._with_new_key(gate.observe(send, earlier), service, action, send, Kind.RESENT))
        while reading.request is not None:
            reading.take(await self.call(service, action, reading.request, kind=Kind.PAGE))
        return reading.answer

    def speeds(self) -> Speeds | None:
        """Return how fast lists and tasks can be read; None before the connection has been looked up."""
        if self._client is None:
            return None
        reads = self._read_gate(self._client)
        if self._api.list_tasks is None:
            return Speeds(0.0, 0.0, 1 / reads.rate)
        lists = self._gate(self._client, self._api.service, self._api.list_tasks.action)
        return Speeds(lists.seconds_until_free(), 1 / lists.rate, 1 / reads.rate)

    async def read_page(
        self, action: Action, parameters: Mapping[str, Any], *, kind: Kind, due: float, waits: int, seconds: float
    ) -> Page:
        """Send the request for a page of the list, or for a batch, at its turn.

        Args:
            action: The action.
            parameters: The parameters of the request.
            kind: What the request is for.
            due: Since when it has been due.
            waits: The number of waits that it serves.
            seconds: Seconds within which it must be answered.

        Raises:
            CloudApiError: The request failed.
            TimeoutError: It was not answered in time.
        """
        asked_at = self._loop.time()
        client = await self._hook.aget_conn()

        async def send() -> dict[str, Any]:
            nonlocal asked_at
            asked_at = self._loop.time()
            async with asyncio.timeout(seconds):
                return await self._send(self._api.service, action, parameters)

        service = self._api.service
        first = self._gate(client, service, action).send(send, kind=kind, due=due, waits=waits)
        answer = await self._with_new_key(first, service, action, send, kind)
        return Page(answer, asked_at, self._loop.time() - asked_at, client.region)

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
        send = partial(self._send, service, action, parameters)
        due, failures = self._loop.time(), 0
        gate: Gate | None = None
        earlier: Tally | None = None
        while True:
            try:
                gate = self._gate(await self._hook.aget_conn(), service, action)
                first = gate.send(send, kind=kind, due=due, earlier=earlier)
                return await self._with_new_key(first, service, action, send, kind)
            except CloudApiError as error:
                failures += 1
                is_throttled = isinstance(error, Throttled)
                if not error.retryable or failures >= (_MOST_THROTTLES if is_throttled else _MOST_FAILURES):
                    raise
                # The gate slows down by itself if others are throttled too.
                if gate is None or not is_throttled or gate.refuses_only(earlier):
                    await asyncio.sleep(max(throttle_delay(_LONGEST_DELAY, 1 + failures), pause(error.retry_after)))
                is_refused = is_throttled or error.retry_after is not None
                earlier = gate.tally if gate is not None and is_refused else None

    async def _with_new_key(
        self,
        first: Awaitable[dict[str, Any]],
        service: Service,
        action: Action,
        send: Callable[[], Awaitable[dict[str, Any]]],
        kind: Kind,
    ) -> dict[str, Any]:
        """Return an answer. If the key was refused and another one can be used, send again, at another turn."""
        try:
            return await first
        except CredentialsError as error:
            refused = error
        for _ in range(_MOST_KEYS):
            if not refused.is_replaced:
                break
            gate = self._gate(await self._hook.aget_conn(), service, action)
            try:
                # Its turn had come.
                return await gate.send(send, kind=kind, due=float("-inf"))
            except CredentialsError as error:
                refused = error
        raise refused

    def _read_gate(self, client: CloudClient) -> Gate:
        return self._gate(client, self._api.service, self._api.read)

    def _gate(self, client: CloudClient, service: Service, action: Action) -> Gate:
        self.use(client)
        key = (service.name, action.name)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = gate_of(client, self._api, action, service=service, stated_by=self)
        return gate

    async def _send(self, service: Service, action: Action, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self._metrics.polled(action.name)
        try:
            return await self._hook.acall_once(service, action, parameters)
        except CloudApiError as error:
            self._metrics.failed(action.name, error)
            raise
