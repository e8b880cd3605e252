"""The producers of Airflow 3.3's shared streams. Older Airflow has no such class to import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from typing import Any

from airflow.triggers.shared_stream import AdvanceItem, SharedStreamProducer

from airflow_cloudtasks.assets._follower import Firing
from airflow_cloudtasks.assets._smq_reader import SmqReader
from airflow_cloudtasks.assets._stream import stream_of
from airflow_cloudtasks.assets._watched import Watched
from airflow_cloudtasks.clouds.smq import Message

# Seconds within which a watcher leaves that Airflow has failed.
_LEAVES_SECONDS = 0.1


class Producer(SharedStreamProducer):
    """Pass events on to Airflow, and learn from it which are stored.

    Each event is for one watcher; the filters of the others leave it out.

    Args:
        watched: What is watched.
    """

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    async def open_stream(self) -> AsyncIterator[tuple[Firing, Firing]]:
        """Yield events as they come."""
        stream = stream_of(self._watched)
        while True:
            firing = await stream.firings.get()
            yield firing, firing

    def get_advance_lane(self, broker_payload: Firing) -> Hashable:
        """Return the watcher, so that none waits for another."""
        return broker_payload.follower

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """Note which events are stored."""
        for item in batch:
            if item.outcome.failed:
                # Perhaps of another watcher. One that has failed leaves, and its event is in doubt.
                await asyncio.sleep(_LEAVES_SECONDS)
            firing: Firing = item.broker_payload
            if not firing.follower.has_left:
                firing.settle(stored=item.outcome.acked > 0)


class SmqProducer(SharedStreamProducer):
    """Pass messages on to Airflow, and delete those whose events are stored.

    Args:
        reader: Reads the queue.
    """

    def __init__(self, reader: SmqReader) -> None:
        self._reader = reader

    async def open_stream(self) -> AsyncIterator[tuple[dict[str, Any], Message]]:
        """Yield messages as they come."""
        async for message in self._reader.messages():
            yield self._reader.payload(message), message

    def get_advance_lane(self, broker_payload: Message) -> Hashable:
        """Return the message, so that none waits for another. Each is deleted by a request of its own."""
        return broker_payload.receipt

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """Delete the messages whose events are stored. The others come again."""
        stored = [item.broker_payload for item in batch if item.outcome.is_clean]
        if stored:
            await self._reader.delete(stored)

    async def aclose(self) -> None:
        """Close the network connections."""
        await self._reader.__aexit__(None, None, None)
