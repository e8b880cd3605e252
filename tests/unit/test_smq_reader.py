"""The reader of a queue for event triggers, with a queue that fails."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.assets._smq_reader import SmqReader
from airflow_cloudtasks.clouds.smq_wire import Message, QueueAddress
from airflow_cloudtasks.errors import InvalidConnection

from .simulated_time import run_simulated

MESSAGE = Message("text", "receipt")
URL = "https://1.mns.cn-shanghai.aliyuncs.com/queues/ice-callback-a"
OTHER_URL = "https://1.mns.cn-beijing.aliyuncs.com/queues/ice-callback-a"


class Queue:
    """Counts deletions, and does with each what ``fate`` does."""

    def __init__(self, fate: Any = None) -> None:
        self.deleted = 0
        self.fate = fate

    async def delete(self, messages: list[Message]) -> bool:
        self.deleted += len(messages)
        if self.fate is not None:
            await self.fate()
        return True


def reader_of(queue: Queue) -> SmqReader:
    reader = SmqReader(None, None, "orders")
    reader._queue = queue  # type: ignore[assignment]
    return reader


async def break_down() -> None:
    raise RuntimeError("The session is closed.")


async def hang() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("fate", [break_down, hang])
def test_a_deletion_that_fails_or_hangs_ends_no_trigger(fate: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def body() -> None:
        async with asyncio.timeout(60):
            await reader_of(Queue(fate)).delete([MESSAGE])

    run_simulated(body())
    assert "1 messages come again" in caplog.text


@pytest.mark.parametrize(("open_for", "deleted"), [(1.0, 0), (5.0, 1)])
def test_deletes_nothing_after_it_is_closed(open_for: float, deleted: int) -> None:
    queue = Queue()

    async def body() -> None:
        async with reader_of(queue) as reader:
            reader.delete_in(3.0, MESSAGE)
            await asyncio.sleep(open_for)
        await asyncio.sleep(10)

    run_simulated(body())
    assert queue.deleted == deleted


@pytest.mark.parametrize(
    ("name", "notify_queue", "is_refused"),
    [
        ("ice-callback-a", "ice-callback-a", True),
        ("ice-callback-a", URL, True),
        (URL, URL, True),
        (OTHER_URL, URL, False),
        ("orders", URL, False),
        ("orders", None, False),
    ],
)
def test_refuses_the_queue_that_waits_read(name: str, notify_queue: str | None, is_refused: bool) -> None:
    reader = SmqReader(None, None, name)
    parsed = None if notify_queue is None else QueueAddress.parse(notify_queue)

    async def connect() -> Any:
        return SimpleNamespace(account=SimpleNamespace(notify_queue=parsed))

    reader._hook.aget_conn = connect  # type: ignore[method-assign]
    if is_refused:
        with pytest.raises(InvalidConnection, match="name another queue in queue_name"):
            asyncio.run(reader._current_queue())
    else:
        assert asyncio.run(reader._current_queue()).address == QueueAddress.parse(name)
