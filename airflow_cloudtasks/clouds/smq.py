"""Receive, delete and give back messages of an SMQ queue (Simple Message Queue, formerly MNS).

The vendor's client for Python, aliyun-mns-sdk, is synchronous. This one sends over the transport of the other requests:
the same proxy, trusted certificates, credentials and errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, TypeVar

from airflow_cloudtasks.clouds import smq_wire as wire
from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.smq_wire import LONGEST_WAIT, MOST_MESSAGES, Message, QueueAddress
from airflow_cloudtasks.clouds.transport import AsyncTransport, async_transport
from airflow_cloudtasks.clouds.wire import ApiCall, Credentials, Endpoint, HttpAnswer, missing_region
from airflow_cloudtasks.errors import CredentialsError, InvalidConnection
from airflow_cloudtasks.spec import Action

__all__ = ["LONGEST_WAIT", "MOST_MESSAGES", "Message", "QueueAddress", "SmqQueue"]

Result = TypeVar("Result")


class SmqQueue:
    """One queue, as an async context manager that keeps connections open.

    Each call sends one request, a second one only if the key has been renewed: the caller decides when to retry, and
    must pause after errors.

    Args:
        client: The client whose account and region the queue belongs to.
        address: The queue; None for the connection's ``notify_queue``.

    Raises:
        InvalidConnection: Neither names a queue.
    """

    def __init__(self, client: CloudClient, address: QueueAddress | None = None) -> None:
        found = address or client.account.notify_queue
        if found is None:
            raise InvalidConnection("The Airflow connection names no queue; set its field notify_queue.")
        self.address = found
        self._client = client
        self._exit_stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._endpoint: Endpoint | None = None
        self._short: AsyncTransport | None = None
        self._long: AsyncTransport | None = None

    async def __aenter__(self) -> Self:
        """Keep network connections open from now on."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the network connections."""
        self._short = self._long = None
        await self._exit_stack.aclose()

    async def receive(self, wait_seconds: int = LONGEST_WAIT, most: int = MOST_MESSAGES) -> list[Message]:
        """Return messages, and hide them from other receivers for the queue's visibility timeout.

        Args:
            wait_seconds: Seconds to wait for a message if there is none, 0 to 30. A busy service answers at once.
            most: The largest number of messages, 1 to 16.

        Returns:
            The messages; none if none came in time.

        Raises:
            CloudApiError: The service returned no usable answer; the subclass says why.
            InvalidConnection: The endpoint of the queue is unknown: the connection has no region.
        """
        resource = wire.receive_resource(self.address.name, most, wait_seconds)
        await self._open()
        return await self._call(self._long, wire.RECEIVE, resource, b"", wire.read_messages)

    async def delete(self, messages: Iterable[Message]) -> bool:
        """Delete messages that were received and are still hidden.

        Args:
            messages: The messages. A request is sent for each 16 of them.

        Returns:
            Whether all are deleted; others may have received the rest meanwhile.

        Raises:
            CloudApiError: The service returned no usable answer; the subclass says why.
        """
        await self._open()
        resource = wire.messages_resource(self.address.name)
        receipts = [message.receipt for message in messages]
        is_done = True
        for first in range(0, len(receipts), MOST_MESSAGES):
            body = wire.receipts_body(receipts[first : first + MOST_MESSAGES])
            is_done &= await self._call(self._short, wire.DELETE, resource, body, wire.check_done)
        return is_done

    async def give_back(self, message: Message, seconds: int = 1) -> bool:
        """Let others receive a message soon, instead of after the visibility timeout.

        Args:
            message: The message.
            seconds: Seconds until others can receive it; 1 is the least that the service accepts.

        Returns:
            Whether the message was still hidden.

        Raises:
            CloudApiError: The service returned no usable answer; the subclass says why.
        """
        await self._open()
        resource = wire.give_back_resource(self.address.name, message.receipt, seconds)
        return await self._call(self._short, wire.GIVE_BACK, resource, b"", wire.check_done)

    async def _open(self) -> None:
        async with self._opening:
            if self._short is not None:
                return
            network = self._client.account.network
            endpoint = self._endpoint = await self._find_endpoint()
            # A long poll is answered late on purpose.
            patient = replace(network, timeouts=replace(network.timeouts, read=network.timeouts.read + LONGEST_WAIT))
            self._long = await self._exit_stack.enter_async_context(async_transport(endpoint, patient))
            self._short = await self._exit_stack.enter_async_context(async_transport(endpoint, network))

    async def _find_endpoint(self) -> Endpoint:
        account = self._client.account
        own = account.endpoints.get(wire.SMQ.name) or self.address.endpoint or account.endpoints.get("*")
        if own is not None:
            return own
        if not self._client.region:
            raise missing_region(wire.SMQ)
        # In a thread, because it blocks. STS tells the account's number without a permission.
        identity = await asyncio.to_thread(self._client.who_am_i)
        account_id = str(identity.get("AccountId"))
        return wire.endpoint_of_account(account_id, self._client.region, account.location.network)

    async def _call(
        self,
        transport: AsyncTransport | None,
        action: Action,
        resource: str,
        body: bytes,
        read: Callable[[ApiCall, HttpAnswer], Result],
    ) -> Result:
        source = self._client.account.credentials
        credentials = await source.aget()
        try:
            return await self._try(transport, credentials, action, resource, body, read)
        except CredentialsError:
            if not source.renew(credentials):
                raise
        return await self._try(transport, await source.aget(), action, resource, body, read)

    async def _try(
        self,
        transport: AsyncTransport | None,
        credentials: Credentials,
        action: Action,
        resource: str,
        body: bytes,
        read: Callable[[ApiCall, HttpAnswer], Result],
    ) -> Result:
        if transport is None or self._endpoint is None:
            raise RuntimeError("The queue is not open.")
        hidden = tuple(filter(None, (credentials.secret, credentials.token)))
        call = ApiCall(wire.SMQ, action, self._endpoint, hidden)
        user_agent = self._client.account.user_agent
        request = wire.sign(call, resource, body, credentials=credentials, user_agent=user_agent, now=datetime.now(UTC))
        return read(call, await transport.send(call, request))
