"""When a queue tells that tasks have ended, on a simulated clock: only the moment of a read may depend on it."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import random
from collections.abc import Callable
from statistics import quantiles
from typing import Any, Self

import pytest

from airflow_cloudtasks.clouds.smq import Message
from airflow_cloudtasks.errors import (
    BadRequest,
    CredentialsError,
    InvalidConnection,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from airflow_cloudtasks.spec import Doorbell
from airflow_cloudtasks.waiting.triggerer import dispatcher, doorbell_reader
from airflow_cloudtasks.waiting.verdicts import Finished

from .simulated_cloud import RUNS_WITHOUT_LIST, SimulatedCloud, SimulatedHook, Waits
from .simulated_time import run_simulated

API = dataclasses.replace(RUNS_WITHOUT_LIST, doorbell=Doorbell(event="WorkflowTaskComplete"))
VISIBILITY = 30.0


@dataclasses.dataclass(eq=False)
class Kept:
    """A message in the queue."""

    text: str
    visible_at: float
    received: int = 0


class Queue:
    """A queue in memory, on the clock of the event loop.

    Attributes:
        requests: The time and the kind of each request.
        refuse: Called with each request's kind; may raise an error.
        hang: Whether requests get no answer.
        frozen: Whether no message is shown.
        is_busy: Whether long polls are answered at once.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Kept] = {}
        self.requests: list[tuple[float, str]] = []
        self.refuse: Callable[[str], None] = lambda kind: None
        self.hang = self.frozen = self.is_busy = False
        self.sent = 0

    def send(self, text: str, delay: float = 0.0) -> None:
        self.sent += 1
        self.messages[f"message-{self.sent}"] = Kept(text, asyncio.get_running_loop().time() + delay)

    def ring(self, task: str, delay: float = 0.0) -> None:
        self.send(event(task), delay)

    async def ask(self, kind: str) -> None:
        self.requests.append((asyncio.get_running_loop().time(), kind))
        await asyncio.sleep(0.02)
        if self.hang:
            await asyncio.sleep(1e9)
        self.refuse(kind)

    def times(self, kind: str | None = None, since: float = 0.0) -> list[float]:
        return [at for at, one in self.requests if kind in (None, one) and at >= since]


class SimulatedQueue:
    """Stands for SmqQueue."""

    queue: Queue

    def __init__(self, client: Any) -> None:
        assert client.account.notify_queue

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def receive(self, wait_seconds: int) -> list[Message]:
        queue, loop = self.queue, asyncio.get_running_loop()
        await queue.ask("receive")
        until = loop.time() + (0 if queue.is_busy else wait_seconds)
        while not (found := self._visible()) and loop.time() < until:  # noqa: ASYNC110 - a simulated clock
            await asyncio.sleep(0.01)
        for kept in found.values():
            kept.received += 1
            kept.visible_at = loop.time() + VISIBILITY
        return [Message(kept.text, receipt, times_received=kept.received) for receipt, kept in found.items()]

    def _visible(self) -> dict[str, Kept]:
        now = asyncio.get_running_loop().time()
        shown = {} if self.queue.frozen else self.queue.messages
        return dict([each for each in shown.items() if each[1].visible_at <= now][:16])

    async def delete(self, messages: list[Message]) -> bool:
        assert 1 <= len(messages) <= 16
        await self.queue.ask("delete")
        for message in messages:
            self.queue.messages.pop(message.receipt, None)
        return True

    async def give_back(self, message: Message) -> bool:
        await self.queue.ask("give_back")
        self.queue.messages[message.receipt].visible_at = asyncio.get_running_loop().time() + 1
        return True


class RungHook(SimulatedHook):
    """A hook whose connection has a queue."""

    async def aget_conn(self) -> Any:
        client = await super().aget_conn()
        client.account.notify_queue = "ice-callback-a"
        return client


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimulatedCloud:
    random.seed(7)
    cloud = SimulatedCloud(monkeypatch)
    cloud.requests_per_second = {"a": 1000.0}
    monkeypatch.setattr(dispatcher, "hook_for", lambda _, conn_id, region: RungHook(cloud, conn_id, region))
    return cloud


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    monkeypatch.setattr(SimulatedQueue, "queue", queue, raising=False)
    monkeypatch.setattr(doorbell_reader, "SmqQueue", SimulatedQueue)
    return queue


def event(task: str) -> str:
    return json.dumps({"EventType": "WorkflowTaskComplete", "MessageBody": {"TaskId": task, "Status": "Succeed"}})


class Run:
    """Waits whose tasks end one after the other, and when each end was noticed."""

    def __init__(self, cloud: SimulatedCloud, queue: Queue) -> None:
        self.cloud = cloud
        self.queue = queue
        self.lags: dict[str, float] = {}
        self.tell: Callable[[str], None] = queue.ring

    async def waits(self, count: int, gap: float, *, first: float = 1.0, poke: float = 300.0) -> None:
        """Begin waits, and let one task end after the other, until all ends have been noticed."""
        tasks = [f"run-{number}" for number in range(count)]
        begun = Waits().begin(tasks, api=API, poke_interval=poke)
        await asyncio.sleep(first)
        async with asyncio.TaskGroup() as watching:
            for task, one in zip(tasks, begun, strict=True):
                self.cloud.ended[task] = "SUCCESS"
                self.tell(task)
                watching.create_task(self._noticed(task, one))
                await asyncio.sleep(gap)

    async def _noticed(self, task: str, begun: asyncio.Task[Any]) -> None:
        ended_at = asyncio.get_running_loop().time()
        (verdict,) = await begun
        assert isinstance(verdict, Finished)
        self.lags[task] = asyncio.get_running_loop().time() - ended_at


@pytest.fixture
def run(cloud: SimulatedCloud, queue: Queue) -> Run:
    return Run(cloud, queue)


def test_notices_ends_within_a_second_of_the_message(run: Run) -> None:
    run_simulated(run.waits(300, 0.3))
    assert quantiles(run.lags.values(), n=20)[-1] < 1.0
    assert max(run.lags.values()) < 2.0
    # A first read of each task, and one when it has ended.
    assert len(run.cloud.sent) <= 600


def test_sends_the_queue_no_more_than_a_request_a_second_in_the_mean(run: Run) -> None:
    async def body() -> None:
        await run.waits(1000, 0.15)
        await asyncio.sleep(60)

    run_simulated(body())
    times = run.queue.times()
    for first, began in enumerate(times):
        assert len(times) - first <= 185 + times[-1] - began
    assert quantiles(run.lags.values(), n=20)[-1] < 1.0


def test_a_quiet_queue_costs_three_long_polls_a_minute(run: Run) -> None:
    run_simulated(run.waits(1, 0.0, first=600.0))
    assert len(run.queue.times()) < 35
    assert run.lags["run-0"] < 0.2


def test_messages_are_deleted_after_they_have_rung(run: Run, queue: Queue) -> None:
    async def body() -> None:
        await run.waits(40, 0.2)
        Waits().begin(["another"], api=API, poke_interval=300.0)
        await asyncio.sleep(60)

    run_simulated(body())
    assert queue.messages == {}
    assert len(queue.times("delete")) <= 10


@pytest.mark.parametrize("as_sent", ["lost", "doubled", "late", "base64", "garbage"])
def test_what_happens_to_messages_changes_nothing_but_the_moment(run: Run, queue: Queue, as_sent: str) -> None:
    def tell(task: str) -> None:
        match as_sent if random.random() < 0.3 else "":
            case "lost":
                pass
            case "doubled":
                queue.ring(task)
                queue.ring(task)
            case "late":
                queue.ring(task, delay=10)
            case "base64":
                queue.send(base64.b64encode(event(task).encode()).decode())
            case "garbage":
                queue.send("garbage")
            case _:
                queue.ring(task)

    run.tell = tell
    run_simulated(run.waits(200, 0.3))
    assert len(run.lags) == 200
    assert max(run.lags.values()) <= 301
    late = sum(lag > 1.5 for lag in run.lags.values())
    assert late == 0 if as_sent in ("doubled", "base64") else 30 < late < 90


def test_a_message_for_a_task_that_runs_only_makes_it_read(run: Run, queue: Queue, cloud: SimulatedCloud) -> None:
    async def body() -> list[Any]:
        waits = Waits().begin(["run-1"], api=API, poke_interval=300.0)
        await asyncio.sleep(1)
        queue.ring("run-1")
        await asyncio.sleep(20)
        return waits

    (wait,) = run_simulated(body())
    assert wait.cancelled() or not wait.done()
    assert 1 < len(cloud.sent) < 8


def test_garbage_is_deleted_only_after_it_has_come_again_and_again(run: Run, queue: Queue) -> None:
    async def body() -> list[bool]:
        Waits().begin(["run-1"], api=API, poke_interval=300.0)
        queue.send("garbage")
        seen = []
        for _ in range(5):
            await asyncio.sleep(24)
            seen.append(bool(queue.messages))
        return seen

    assert run_simulated(body()) == [True, True, False, False, False]
    assert queue.times("give_back") == []


def test_a_message_for_somebody_else_is_given_back_and_deleted_at_last(run: Run, queue: Queue) -> None:
    async def body() -> None:
        Waits().begin(["run-1"], api=API, poke_interval=300.0)
        queue.ring("of-somebody-else")
        await asyncio.sleep(60)

    run_simulated(body())
    assert len(queue.times("give_back")) == 7
    assert queue.messages == {}
    assert len(queue.times()) < 30


@pytest.mark.parametrize(
    "error",
    [
        TransientError("broken"),
        Throttled("too many"),
        Throttled("too many", retry_after=40.0),
        CredentialsError("refused"),
        PermissionDenied("no"),
        NotFound("no such queue"),
        UnreadableAnswer("a page"),
        BadRequest("what?"),
        InvalidConnection("no region"),
    ],
)
def test_errors_make_no_hot_loop_and_end_no_wait(run: Run, queue: Queue, error: Exception) -> None:
    def refuse(kind: str) -> None:
        raise error

    queue.refuse = refuse
    run_simulated(run.waits(20, 10.0, poke=5.0))
    assert max(run.lags.values()) <= 5.5
    gaps = [later - earlier for earlier, later in zip(queue.times(), queue.times()[1:], strict=False)]
    assert min(gaps) >= max(getattr(error, "retry_after", None) or 0.0, 1.0)
    assert len(gaps) < 25


def test_answers_at_once_make_no_hot_loop(run: Run, queue: Queue) -> None:
    queue.is_busy = True
    run_simulated(run.waits(100, 1.0))
    assert quantiles(run.lags.values(), n=20)[-1] < 1.5
    assert len(queue.times("receive")) <= 130


@pytest.mark.parametrize("trouble", ["hang", "frozen", "killed", "lying"])
def test_is_as_slow_as_without_a_queue_while_that_is_ill_and_fast_again_once_it_heals(
    run: Run, queue: Queue, trouble: str
) -> None:
    poke, healthy, ill, healed = 5.0, range(40), range(40, 240), range(240, 300)

    def fail(kind: str) -> None:
        raise TransientError("the connection failed")

    def tell(task: str) -> None:
        number = int(task.removeprefix("run-"))
        is_ill = number in ill
        queue.hang = is_ill and trouble == "hang"
        queue.frozen = is_ill and trouble == "frozen"
        queue.refuse = fail if is_ill and trouble == "killed" else lambda kind: None
        if is_ill and trouble == "lying":
            queue.ring(f"run-{(number + 17) % 300}")
        else:
            queue.ring(task)

    run.tell = tell
    run_simulated(run.waits(300, 1.0, poke=poke))
    lags = [run.lags[f"run-{number}"] for number in range(300)]
    assert quantiles(lags[: len(healthy)], n=20)[-1] < 1.0
    # Its last slow polls are over after a minute.
    assert max(lags) <= 61.0
    assert max(lags[ill.start + 80 : ill.stop]) <= poke + 1.0
    assert quantiles(lags[healed.start + 30 :], n=20)[-1] < 1.5


def test_polls_slowly_beside_a_queue_that_rings(run: Run, cloud: SimulatedCloud) -> None:
    async def body() -> int:
        await run.waits(20, 0.1, poke=5.0)
        Waits().begin([f"more-{number}" for number in range(10)], api=API, poke_interval=5.0)
        running = asyncio.create_task(run_more())
        await asyncio.sleep(600)
        running.cancel()
        return len(cloud.times(task="more-3"))

    async def run_more() -> None:
        # Keep the trust alive.
        for number in range(100, 200):
            Waits().begin([f"run-{number}"], api=API, poke_interval=5.0)
            await asyncio.sleep(3)
            cloud.ended[f"run-{number}"] = "SUCCESS"
            run.queue.ring(f"run-{number}")
            await asyncio.sleep(3)

    assert 8 <= run_simulated(body()) <= 20


def test_a_connection_without_a_queue_asks_none(run: Run, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    async def aget_conn(self: RungHook) -> Any:
        client = await SimulatedHook.aget_conn(self)
        client.account.notify_queue = None
        return client

    monkeypatch.setattr(RungHook, "aget_conn", aget_conn)
    run_simulated(run.waits(5, 1.0, poke=5.0))
    assert queue.requests == []
    assert max(run.lags.values()) <= 5.5


def test_a_bug_in_reading_the_queue_fails_no_wait(run: Run, queue: Queue) -> None:
    def crash(kind: str) -> None:
        raise ZeroDivisionError

    queue.refuse = crash
    run_simulated(run.waits(5, 1.0, poke=5.0))
    assert max(run.lags.values()) <= 5.5


def test_failed_deletes_only_let_messages_come_again(run: Run, queue: Queue) -> None:
    def refuse(kind: str) -> None:
        if kind != "receive":
            raise TransientError("broken")

    queue.refuse = refuse
    run_simulated(run.waits(50, 1.0))
    assert quantiles(run.lags.values(), n=20)[-1] < 1.5
    assert len(queue.times()) <= 120 + 60


@pytest.mark.parametrize(("receivers", "within"), [(2, 1.5), (4, 15.0)])
def test_several_receivers_share_a_queue_and_lose_no_end(
    run: Run, queue: Queue, cloud: SimulatedCloud, receivers: int, within: float
) -> None:
    cloud.requests_per_second = {f"conn-{number}": 1000.0 for number in range(receivers)}

    async def body() -> dict[str, float]:
        lags: dict[str, float] = {}

        async def noticed(task: str, one: asyncio.Task[Any]) -> None:
            ended_at = asyncio.get_running_loop().time()
            await one
            lags[task] = asyncio.get_running_loop().time() - ended_at

        tasks = [f"run-{number}" for number in range(100)]
        begun = [
            Waits().begin([task], api=API, poke_interval=300.0, conn_id=f"conn-{number % receivers}")[0]
            for number, task in enumerate(tasks)
        ]
        await asyncio.sleep(1)
        async with asyncio.TaskGroup() as watching:
            for task, one in zip(tasks, begun, strict=True):
                cloud.ended[task] = "SUCCESS"
                queue.ring(task)
                watching.create_task(noticed(task, one))
                await asyncio.sleep(3)
        return lags

    lags = run_simulated(body())
    assert len(lags) == 100
    assert max(lags.values()) <= 310
    assert quantiles(lags.values(), n=20)[-2] < within


def test_a_busy_allowance_is_not_held_against_the_queue(
    run: Any, queue: Queue, cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    misses: list[int] = []
    judge = doorbell_reader.DoorbellHealth.judge

    def judged(self: Any, now: float) -> int:
        misses.append(judge(self, now))
        return misses[-1]

    monkeypatch.setattr(doorbell_reader.DoorbellHealth, "judge", judged)
    cloud.requests_per_second = {"a": 2.0}

    async def body() -> None:
        tasks = [f"run-{number}" for number in range(60)]
        waits = Waits().begin(tasks, api=API, poke_interval=300.0)
        await asyncio.sleep(0.5)
        for task in tasks:
            cloud.ended[task] = "SUCCESS"
            queue.ring(task)
        await asyncio.sleep(100)
        assert all(wait.done() for wait in waits)

    run_simulated(body())
    assert sum(misses) == 0
