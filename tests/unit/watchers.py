"""A triggerer, a scheduler and a cloud on a simulated clock, for watchers. The watchers are real, and so is Airflow's
shared stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from supervisor import Supervisor

from airflow_cloudtasks.assets import CloudTaskEndedTrigger, _stream
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

DAG_ID = "pipeline"
SHARES_STREAMS = AIRFLOW_VERSION >= (3, 3)


class Cloud:
    """Ends of tasks, as a list shows them.

    Attributes:
        tasks: The tasks that the list shows.
        reads: When it was read.
        sources: How many readers there were.
        fault: Called at each read; may raise.
        rung: Tasks that messages tell of, and errors.
        single_reads: The id of each task that was read by itself.
        unreadable: The errors of single reads, by the id of the task.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tasks: list[CloudTask] = []
        self.reads: list[float] = []
        self.sources = 0
        self.fault: Callable[[], None] = lambda: None
        self.rung: asyncio.Queue[CloudTask | Exception] = asyncio.Queue()
        self.single_reads: list[str] = []
        self.unreadable: dict[str, Exception] = {}
        cloud = self

        class Source:
            interval = 1.0
            has_gap = False

            def __init__(self, watched: Any) -> None:
                self.watched = watched
                self.returned = 0

            async def __aenter__(self) -> Source:
                cloud.sources += 1
                return self

            async def __aexit__(self, *_: object) -> None:
                return None

            async def ended(self, horizon: datetime, *, anew: bool) -> list[CloudTask]:
                cloud.reads.append(asyncio.get_running_loop().time())
                await asyncio.sleep(0.05)
                cloud.fault()
                new = cloud.tasks if anew else cloud.tasks[self.returned :]
                self.returned = len(cloud.tasks)
                return list(new)

            async def rung(self) -> CloudTask:
                if isinstance(told := await cloud.rung.get(), Exception):
                    raise told
                return told

            async def whole(self, task: CloudTask) -> CloudTask:
                cloud.single_reads.append(task.id)
                if (error := cloud.unreadable.get(task.id)) is not None:
                    raise error
                return task

        monkeypatch.setattr(_stream, "Source", Source)

    def end(
        self,
        *task_ids: str,
        state: TaskState = TaskState.SUCCEEDED,
        seconds: float = 0.0,
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Let tasks end now, or so many seconds from now."""
        ended = datetime.now(UTC) + timedelta(seconds=seconds)
        self.tasks += [
            CloudTask(
                api="wedata.workflow_run",
                cloud="tencent",
                id=each,
                state=state,
                finished_at=ended,
                detail=detail or {},
            )
            for each in task_ids
        ]


class Airflow:
    """What Airflow does with the events of watchers.

    Attributes:
        events: The payload's id of each event that is stored, by the trigger's id.
        runs: The ids of the events that each run of the DAG consumed.
        queued: The events that the scheduler has not found yet.
        is_busy: Whether the DAG has as many active runs as it may have.
        loses_events: How many of the next events are not stored.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self.events: dict[int, list[str]] = {}
        self.runs: list[list[str]] = []
        self.queued: list[str] = []
        self.is_busy = False
        self.loses_events = 0
        supervisor.runs = lambda dag_id, states: int(self.is_busy) if states else len(self.runs)

    async def schedule(self) -> None:
        """Do what the scheduler does, once a second: make one run of all events that it finds."""
        while True:
            await asyncio.sleep(1.0)
            if self.queued and not self.is_busy:
                self.runs.append(self.queued)
                self.queued = []

    def store(self, trigger_id: int, payload: dict[str, Any]) -> bool:
        """Store an event; return whether it was."""
        if self.loses_events:
            self.loses_events -= 1
            return False
        self.events.setdefault(trigger_id, []).append(payload["id"])
        self.queued.append(payload["id"])
        return True


class Triggerer:
    """Runs watchers as Airflow's triggerer does.

    Attributes:
        is_frozen_after_storing: Whether it does nothing after an event is stored, until it is killed.
        failures: The errors by which watchers ended.
    """

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._tasks: list[asyncio.Task[None]] = []
        self.is_frozen_after_storing = False
        self.is_frozen = asyncio.Event()
        self.failures: list[Exception] = []
        self._manager: Any = None
        if SHARES_STREAMS:
            from airflow.triggers.shared_stream import SharedStreamManager

            self._manager = SharedStreamManager(_now=asyncio.get_running_loop().time)

    def start(self, trigger: CloudTaskEndedTrigger, trigger_id: int = 1) -> None:
        """Run a watcher, from what the database holds of it."""
        _, kwargs = trigger.serialize()
        rebuilt = type(trigger)(**kwargs)
        rebuilt.trigger_id = trigger_id
        self._tasks.append(asyncio.create_task(self._run(rebuilt, trigger_id)))

    async def stop(self) -> None:
        """End all watchers; whether by a signal or a kill, none of them learns more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._manager is not None:
            await self._manager.stop_all()

    async def _run(self, trigger: Any, trigger_id: int) -> None:
        try:
            if not SHARES_STREAMS:
                async for event in trigger.run():
                    await self._handle(trigger_id, event, None)
                return
            key = trigger.shared_stream_key()
            stream = self._manager.subscribe(trigger_id=trigger_id, trigger=trigger, key=key)
            try:
                async for event in trigger.filter_shared_stream(stream):
                    seq = self._manager.bind_pending_event(trigger_id=trigger_id, key=key)
                    asyncio.get_running_loop().create_task(self._handle(trigger_id, event, seq))
            finally:
                await self._manager.unsubscribe(trigger_id, key)
        except Exception as error:
            self.failures.append(error)

    async def _handle(self, trigger_id: int, event: Any, seq: int | None) -> None:
        await asyncio.sleep(0.5)  # the next round of the triggerer
        stored = self._airflow.store(trigger_id, event.payload)
        if self.is_frozen_after_storing:
            self.is_frozen.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0.5)
        if stored and seq is not None:
            self._manager.confirm_persisted([seq])


def watcher(states: Sequence[str] = (), dag_id: str | None = DAG_ID, **more: Any) -> CloudTaskEndedTrigger:
    return CloudTaskEndedTrigger(
        "wedata.workflow_run", api_params={"ProjectId": "1"}, states=states, dag_id=dag_id, **more
    )
