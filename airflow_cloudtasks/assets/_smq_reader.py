"""Reads an SMQ queue for event triggers, and deletes the messages whose events are stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from airflow_cloudtasks.clouds.client import CloudClient
from airflow_cloudtasks.clouds.smq import Message, QueueAddress, SmqQueue
from airflow_cloudtasks.errors import CloudTasksError, InvalidConnection
from airflow_cloudtasks.hooks.alibaba import AlibabaCloudHook
from airflow_cloudtasks.waiting.backoff import rest

_log = logging.getLogger(__name__)

# Seconds of a long poll, and seconds after which it is given up.
_WAIT_SECONDS = 20
_ANSWERED_WITHIN = 25.0

# Seconds within which messages are deleted. Airflow acknowledges one event after the other, and waits for that.
_DELETED_WITHIN = 10.0

# Seconds until the next request after an empty answer that came too early: the service has no room for long polls.
_BUSY_SECONDS = 1.0

# Seconds; the longest rest after failures, unless the service asks for a longer one.
_LONGEST_REST = 60.0


class SmqReader:
    """Reads one queue.

    Args:
        conn_id: Id of the Airflow connection; None for ``alibaba_default``.
        region: Region id; None for the connection's region.
        queue_name: The queue's name or URL.
    """

    def __init__(self, conn_id: str | None, region: str | None, queue_name: str) -> None:
        self._hook = AlibabaCloudHook(conn_id, region)
        self._address = QueueAddress.parse(queue_name)
        self._opened = AsyncExitStack()
        self._queue: SmqQueue | None = None
        self._client: CloudClient | None = None
        self._deletions: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        """Keep network connections open from now on."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the network connections. Messages that are not deleted yet come again."""
        for deletion in self._deletions:
            deletion.cancel()
        await asyncio.gather(*self._deletions, return_exceptions=True)
        await self._opened.aclose()

    async def messages(self) -> AsyncIterator[Message]:
        """Yield messages as they come, whatever fails meanwhile."""
        failures = 0
        while True:
            try:
                received = await self._receive()
            except (CloudTasksError, TimeoutError) as error:
                failures += 1
                seconds = rest(failures, _LONGEST_REST, error)
                _log.warning("The queue is read again in %.0f s. %s", seconds, error or type(error).__name__)
            except Exception:  # a bug must not end the trigger
                seconds = _LONGEST_REST
                _log.exception("The queue is read again in %.0f s.", seconds)
            else:
                failures = 0
                for message in received:
                    yield message
                continue
            await asyncio.sleep(seconds)

    def payload(self, message: Message) -> dict[str, Any]:
        """Return a message as plain JSON types.

        Args:
            message: The message.
        """
        return {"id": message.id, "text": message.text, "sent_at": message.sent_at}

    async def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages; those that cannot be deleted come again.

        Args:
            messages: The messages.
        """
        try:
            if self._queue is not None:
                async with asyncio.timeout(_DELETED_WITHIN):
                    await self._queue.delete(messages)
        except (CloudTasksError, TimeoutError) as error:
            why = error or type(error).__name__
            _log.warning("%d messages come again, because they could not be deleted. %s", len(messages), why)
        except Exception:  # Airflow would end every trigger of the queue
            _log.exception("%d messages come again, because they could not be deleted.", len(messages))

    def delete_in(self, seconds: float, message: Message) -> None:
        """Delete a message in the background, unless the reader is closed before.

        Args:
            seconds: Seconds until then.
            message: The message.
        """

        async def delete() -> None:
            await asyncio.sleep(seconds)
            await self.delete([message])

        task = asyncio.get_running_loop().create_task(delete())
        self._deletions.add(task)
        task.add_done_callback(self._deletions.discard)

    async def _receive(self) -> list[Message]:
        queue, loop = await self._current_queue(), asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.timeout(_ANSWERED_WITHIN):
            received = await queue.receive(_WAIT_SECONDS)
        if not received and loop.time() - began < _WAIT_SECONDS / 2:
            await asyncio.sleep(_BUSY_SECONDS)
        return received

    async def _current_queue(self) -> SmqQueue:
        """Return the queue, by the current values of the connection."""
        client = await self._hook.aget_conn()
        if self._queue is None or client is not self._client:
            self._queue = None
            await self._opened.aclose()
            if _is_same(self._address, client.account.notify_queue):
                raise InvalidConnection(
                    f"The queue {self._address.name} is the connection's notify_queue, whose messages Airflow takes "
                    "for its waits; name another queue in queue_name."
                )
            self._queue = await self._opened.enter_async_context(SmqQueue(client, self._address))
            self._client = client
        return self._queue


def _is_same(queue: QueueAddress, other: QueueAddress | None) -> bool:
    """Return whether two addresses may be those of one queue. Without an endpoint, the connection's is meant."""
    if other is None or queue.name != other.name:
        return False
    return queue.endpoint is None or other.endpoint is None or queue.endpoint == other.endpoint
