"""What a trigger stores without a worker, while Airflow's API server, its database or the XCom backend fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import XCom
from airflow.triggers.base import TaskSkippedEvent, TaskSuccessEvent

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.hooks.calling import CallingHook
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.version_compat import STORES_NONE
from airflow_cloudtasks.xcoms import from_trigger, parts

LINK = "cloud_console_url"
CONSOLE = APIS["bdrc.task"].service.console


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    emulator.add_running("bdrc.task", "7", 0.5)
    return emulator


class Stored(dict[str, Any]):
    """Airflow's XComs of one task.

    Args:
        fails: Whether Airflow fails to store a value, by its key and the number of tries so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: Callable[[str, int], bool] = lambda *_: False) -> None:
        self.keys_in_order: list[str] = []
        self.at_once = self.most_at_once = 0

        def set_(key: str, value: Any, *, dag_id: str, task_id: str, run_id: str, map_index: int) -> None:
            assert (dag_id, task_id, run_id, map_index) == ("d", "t", "r", -1)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                self.keys_in_order.append(key)
                if fails(key, len(self.keys_in_order)):
                    raise RuntimeError("500 Internal Server Error, with a secret")
                self[key] = value
            finally:
                self.at_once -= 1

        monkeypatch.setattr(XCom, "set", set_)
        monkeypatch.setattr(from_trigger, "_set_link", set_)


def trigger(**arguments: Any) -> CloudTaskTrigger:
    """Return a trigger as a triggerer runs it: with its task instance."""
    given = {"api": "bdrc.task", "cloud_task_id": "7", "poke_interval": 0.1, "multiple_outputs": True, **arguments}
    made = CloudTaskTrigger(end_from_trigger=True, **given)
    made.task_instance = SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=-1)  # type: ignore[assignment]
    return made


async def event_of(waiting: CloudTaskTrigger) -> Any:
    return await anext(aiter(waiting.run()))


def test_stores_the_parts_then_the_result_and_ends_the_task(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch)
    assert isinstance(asyncio.run(event_of(trigger())), TaskSuccessEvent)
    result = stored.pop("return_value")
    assert stored == {name: value for name, value in result.items() if value is not None or STORES_NONE}
    assert (result["id"], result["console_url"]) == ("7", None)
    assert stored.keys_in_order[-1] == "return_value"


def test_leaves_out_parts_without_a_value_where_airflow_refuses_none(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = Stored(monkeypatch)
    monkeypatch.setattr(parts, "STORES_NONE", False)
    asyncio.run(event_of(trigger()))
    assert "console_url" not in stored
    assert stored["return_value"]["console_url"] is None


@pytest.mark.parametrize(
    "fails", [lambda key, _: True, lambda key, _: key == "return_value", lambda _, count: count == 5]
)
def test_resumes_a_worker_with_the_task_if_an_xcom_cannot_be_stored(
    cloud: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fails: Callable[[str, int], bool],
) -> None:
    Stored(monkeypatch, fails)
    with caplog.at_level(logging.WARNING):
        event = asyncio.run(event_of(trigger()))
    assert "secret" not in caplog.text
    pushed: dict[str, Any] = {}
    context: Any = {"ti": SimpleNamespace(xcom_push=lambda key, value: pushed.update({key: value}))}
    sensor = BdrcTaskSensor(task_id="t", cloud_task_id="7", end_from_trigger=True)
    result = sensor.execute_complete(context, event.payload)
    assert result["state"] == "succeeded"
    assert pushed.pop(LINK) == CONSOLE
    assert pushed["detail"] == result["detail"]


def test_two_triggerers_store_the_same_once_more(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch)

    async def twice() -> list[Any]:
        return [type(event) for event in await asyncio.gather(event_of(trigger()), event_of(trigger()))]

    assert asyncio.run(twice()) == [TaskSuccessEvent] * 2
    assert stored.keys_in_order.count("return_value") == 2
    assert stored["return_value"]["id"] == stored["id"] == "7"


def test_stores_the_link_while_it_waits_if_no_worker_has(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch)

    async def run() -> Any:
        waiting = asyncio.ensure_future(event_of(trigger(keep_link=True, do_xcom_push=False)))
        while LINK not in stored:
            await asyncio.sleep(0.01)
            assert not waiting.done()
        return await waiting

    assert isinstance(asyncio.run(run()), TaskSuccessEvent)
    assert stored == {LINK: CONSOLE}


@pytest.mark.parametrize("soft_fail", [True, False])
def test_a_link_that_cannot_be_stored_ends_no_wait(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, soft_fail: bool
) -> None:
    cloud.add_running("bdrc.task", "8", 0.3, "failed" if soft_fail else "succeeded")
    Stored(monkeypatch, lambda key, _: key == LINK)
    event = asyncio.run(event_of(trigger(cloud_task_id="8", keep_link=True, soft_fail=soft_fail)))
    assert isinstance(event, TaskSkippedEvent if soft_fail else TaskSuccessEvent)
    assert "The link to the console could not be stored (RuntimeError)" in caplog.text


def test_links_of_many_waits_look_up_the_connection_once_and_are_stored_in_turn(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, looked_up = 50, []
    console = CallingHook.aconsole

    async def counted(hook: Any, service: Any) -> Any:
        looked_up.append(service.name)
        return await console(hook, service)

    monkeypatch.setattr(CallingHook, "aconsole", counted)
    stored = Stored(monkeypatch)

    async def run() -> list[Any]:
        return await asyncio.gather(*(event_of(trigger(keep_link=True, do_xcom_push=False)) for _ in range(count)))

    assert all(isinstance(event, TaskSuccessEvent) for event in asyncio.run(run()))
    assert looked_up == ["bdrc"]
    assert stored.keys_in_order.count(LINK) >= count
    assert stored.most_at_once == 1


def test_without_a_triggerer_every_event_resumes_the_task(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(monkeypatch)
    inline = trigger(keep_link=True)
    inline.task_instance = None
    assert asyncio.run(event_of(inline)).payload["task"]["id"] == "7"
    assert not stored
