"""Event triggers for the messages of an SMQ queue, against the emulated queue."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import Any

import pytest

from airflow_cloudtasks.assets import smq_message
from airflow_cloudtasks.assets.smq_message import SmqMessageTrigger
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import InvalidArguments, InvalidConnection
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION, IS_AIRFLOW_2

QUEUE = "orders"
HAS_MESSAGING = find_spec("airflow.providers.common.messaging") is not None
only_airflow_3 = pytest.mark.skipif(IS_AIRFLOW_2, reason="Airflow 2 has no event triggers")


@pytest.fixture
def cloud(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    emulator.reset()
    # A long poll that a test before has given up may receive a message, and nobody gets it for this long.
    emulator.queue(QUEUE, visibility=2)
    monkeypatch.setattr(smq_message, "_STORED_SECONDS", 0.1)
    return emulator


def deleted(cloud: Emulator) -> int:
    (queue,) = cloud.queues()
    return int(queue["deleted"])


async def take(events: AsyncIterator[Any], count: int) -> list[Any]:
    """Take events as the triggerer does, until there are so many, and a moment longer."""
    taken: list[Any] = []

    async def run() -> None:
        async for event in events:
            taken.append(event.payload["text"])  # noqa: PERF401 - they are read meanwhile

    running = asyncio.create_task(run())
    async with asyncio.timeout(30):
        while len(taken) < count:  # noqa: ASYNC110 - a real clock
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return taken


@only_airflow_3
def test_each_message_has_an_event_and_is_deleted(cloud: Emulator) -> None:
    async def body() -> list[Any]:
        events = SmqMessageTrigger(queue_name=QUEUE).run()
        cloud.send_message(QUEUE, "first")
        cloud.send_message(QUEUE, json.dumps({"second": "中文"}))
        return await take(events, 2)

    assert sorted(asyncio.run(body())) == sorted(["first", json.dumps({"second": "中文"})])
    assert deleted(cloud) == 2


@only_airflow_3
def test_goes_on_after_errors_and_a_missing_queue(cloud: Emulator) -> None:
    cloud.fault(["http_500"], count=1)

    async def body() -> list[Any]:
        cloud.send_message(QUEUE, "first")
        return await take(SmqMessageTrigger(queue_name=QUEUE).run(), 1)

    assert asyncio.run(body()) == ["first"]


@pytest.mark.skipif(AIRFLOW_VERSION < (3, 3), reason="Airflow shares streams since 3.3")
@pytest.mark.parametrize("is_stored", [True, False])
def test_a_message_is_deleted_once_its_event_is_stored(cloud: Emulator, is_stored: bool) -> None:
    from airflow.triggers.shared_stream import SharedStreamManager

    async def body() -> list[str]:
        manager = SharedStreamManager()
        triggers = {number: SmqMessageTrigger(queue_name=QUEUE) for number in (1, 2)}
        key = triggers[1].shared_stream_key()
        assert key == triggers[2].shared_stream_key()
        got: list[str] = []

        async def run(number: int) -> None:
            stream = manager.subscribe(trigger_id=number, trigger=triggers[number], key=key)
            async for event in triggers[number].filter_shared_stream(stream):
                got.append(event.payload["text"])
                seq = manager.bind_pending_event(trigger_id=number, key=key)
                if is_stored and seq is not None:
                    asyncio.get_running_loop().call_later(0.1, manager.confirm_persisted, [seq])

        running = [asyncio.create_task(run(number)) for number in triggers]
        await asyncio.sleep(0.5)
        cloud.send_message(QUEUE, "first")
        async with asyncio.timeout(30):
            while len(got) < 2:  # noqa: ASYNC110 - a real clock
                await asyncio.sleep(0.1)
            await asyncio.sleep(1.0)
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await manager.stop_all()
        return got

    assert asyncio.run(body()) == ["first", "first"]
    assert deleted(cloud) == int(is_stored)


@only_airflow_3
def test_is_rebuilt_from_what_airflow_stores() -> None:
    path, kwargs = SmqMessageTrigger("a", "cn-shanghai", QUEUE).serialize()
    assert path == "airflow_cloudtasks.assets.smq_message.SmqMessageTrigger"
    assert SmqMessageTrigger(**json.loads(json.dumps(kwargs))).serialize() == (path, kwargs)


def test_refuses_what_cannot_work_when_the_dag_is_parsed() -> None:
    with pytest.raises(InvalidArguments if IS_AIRFLOW_2 else InvalidConnection, match=r"3\.0 or newer|is no queue"):
        SmqMessageTrigger(queue_name="https://example.com/x")


@only_airflow_3
def test_needs_a_queue_of_its_own() -> None:
    with pytest.raises(InvalidArguments, match="needs queue_name"):
        SmqMessageTrigger("a")


@pytest.mark.skipif(not HAS_MESSAGING, reason="the provider common-messaging is not installed")
def test_common_messaging_finds_the_trigger_by_its_scheme() -> None:
    from airflow.providers.common.messaging.triggers.msg_queue import MessageQueueTrigger

    trigger = MessageQueueTrigger(scheme="alibaba+smq", conn_id="a", queue_name=QUEUE)
    assert trigger.serialize() == SmqMessageTrigger("a", queue_name=QUEUE).serialize()


@pytest.mark.skipif(HAS_MESSAGING, reason="the provider common-messaging is installed")
def test_without_common_messaging_the_queue_is_an_optional_feature() -> None:
    from importlib import import_module

    from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

    with pytest.raises(AirflowOptionalProviderFeatureException, match=r"\[messaging\]"):
        import_module("airflow_cloudtasks.queues.smq")
