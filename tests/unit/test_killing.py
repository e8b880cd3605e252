"""A killed trigger cancels the task at the cloud, though Airflow interrupts the trigger again and again."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from airflow_cloudtasks.airflow_facts import Fact, Is, IsNot, Unknown
from airflow_cloudtasks.catalog import ICE_AI_WORKFLOW_TASK
from airflow_cloudtasks.starting import on_kill
from airflow_cloudtasks.starting.on_kill import OnKill
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger


def test_a_kill_cancels_the_task_while_airflow_keeps_cancelling_the_trigger(cloudtasks_emulator: Any) -> None:
    cloudtasks_emulator.add_running("ice.ai_workflow_task", "t1")
    cloudtasks_emulator.latency(0.5)
    on_kill = OnKill(ICE_AI_WORKFLOW_TASK, ("t1",), ({"TaskId": "t1"},))
    trigger = CloudTaskTrigger(api=ICE_AI_WORKFLOW_TASK, cloud_task_id="t1", cancel=on_kill.as_dict())

    async def airflow() -> None:
        running = asyncio.create_task(_killed(trigger))
        while not running.done():
            await asyncio.sleep(0.1)
            running.cancel()

    asyncio.run(airflow())
    assert [(each["id"], each["ended"]) for each in cloudtasks_emulator.canceled()] == [("t1", True)]
    assert trigger._killing is not None
    assert trigger._killing.done(), "the trigger was over before the task was canceled"


@pytest.mark.parametrize(("canceled_id", "is_canceled"), [("t1", True), ("unknown", False)])
def test_the_trigger_cancels_the_task_at_the_deadline_and_says_whether_it_could(
    cloudtasks_emulator: Any, canceled_id: str, is_canceled: bool
) -> None:
    cloudtasks_emulator.add_running("ice.ai_workflow_task", "t1")
    cancel = OnKill(ICE_AI_WORKFLOW_TASK, (canceled_id,), ({"TaskId": canceled_id},)).as_dict()
    trigger = CloudTaskTrigger(
        api=ICE_AI_WORKFLOW_TASK, cloud_task_id="t1", deadline=time.time() + 0.2, cancel=cancel, carried={"stage": 0}
    )
    event = asyncio.run(_event(trigger))
    assert "is running" in event["timeout"]
    assert event["carried"] == {"stage": 0, "cancel": cancel, "is_canceled": is_canceled}
    ended = [each["id"] for each in cloudtasks_emulator.canceled() if each["ended"]]
    assert ended == ["t1"] * is_canceled


def test_a_stopped_triggerer_finishes_the_cancellation_that_the_deadline_began(
    cloudtasks_emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudtasks_emulator.add_running("ice.ai_workflow_task", "t1")
    cancel = OnKill(ICE_AI_WORKFLOW_TASK, ("t1",), ({"TaskId": "t1"},)).as_dict()
    trigger = CloudTaskTrigger(api=ICE_AI_WORKFLOW_TASK, cloud_task_id="t1", deadline=0.0, cancel=cancel, carried={})

    async def stopped() -> None:
        begun, cancellation = asyncio.Event(), trigger._cancel

        async def begin(cancel: Any) -> bool:
            begun.set()
            return await cancellation(cancel)

        monkeypatch.setattr(trigger, "_cancel", begin)
        running = asyncio.create_task(_event(trigger))
        await begun.wait()
        running.cancel()
        await trigger.cleanup()

    asyncio.run(stopped())
    assert [(each["id"], each["ended"]) for each in cloudtasks_emulator.canceled()] == [("t1", True)]


async def _event(trigger: CloudTaskTrigger) -> Any:
    async for event in trigger.run():
        return event.payload
    raise AssertionError("the trigger fired no event")


async def _killed(trigger: CloudTaskTrigger) -> None:
    """Kill the trigger as Airflow does for a user."""
    try:
        await asyncio.wait_for(trigger.on_kill(), timeout=30)
    except asyncio.CancelledError:
        pass
    finally:
        await trigger.cleanup()


@pytest.mark.parametrize(
    ("fact", "killed"),
    [
        *((Is(state), True) for state in ("failed", "success", "skipped", "removed", "restarting", None)),
        # The user has deleted the run.
        (IsNot(), True),
        # Just cleared, resumed by the event of another triggerer, or retried after a worker was presumed dead.
        *((Is(state), False) for state in ("deferred", "scheduled", "queued", "running", "up_for_retry")),
    ],
)
def test_the_state_in_older_airflow_decides_whether_the_user_killed_the_task(
    monkeypatch: pytest.MonkeyPatch, fact: Fact[str | None], killed: bool
) -> None:
    airflow_answers(monkeypatch, fact)
    assert asyncio.run(on_kill.was_killed(object(), assumed=False)) is killed


def test_asks_again_while_airflow_cannot_tell_whether_the_user_killed_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow_answers(monkeypatch, Unknown("500"), Unknown("500"), Is("failed"))
    assert asyncio.run(on_kill.was_killed(object(), assumed=False))


def test_a_cleared_task_whose_next_try_begins_was_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow_answers(monkeypatch, Is(None), Is(None), Is("scheduled"))
    assert not asyncio.run(on_kill.was_killed(object(), assumed=False))


@pytest.mark.parametrize(("assumed", "says"), [(True, "its cloud task is canceled"), (False, "its cloud task goes on")])
def test_says_what_it_does_if_airflow_never_tells_whether_the_user_killed_the_task(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, assumed: bool, says: str
) -> None:
    airflow_answers(monkeypatch, Unknown("EOFError"))
    assert asyncio.run(on_kill.was_killed(object(), assumed=assumed)) is assumed
    assert f"did not tell whether the user killed the task (EOFError): {says}" in caplog.text


def airflow_answers(monkeypatch: pytest.MonkeyPatch, *facts: Fact[str | None]) -> None:
    """Let Airflow answer the questions for the task's state, one after the other."""
    answers = [*facts]

    async def answer(task_instance: Any) -> Fact[str | None]:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(on_kill, "task_state", answer)
    monkeypatch.setattr(on_kill, "_ASK_AGAIN_AFTER", (0.0,) * len(on_kill._ASK_AGAIN_AFTER))
