"""The producer of Airflow 3.3's shared stream. Older Airflow has no such class to import."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence

from airflow.triggers.shared_stream import AdvanceItem, SharedStreamProducer

from airflow_cloudtasks.assets._follower import Firing
from airflow_cloudtasks.assets._stream import stream_of
from airflow_cloudtasks.assets._watched import Watched

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
