"""Waits in one event loop on a simulated clock, against a cloud that a few lines describe, without HTTP."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.hooks.tencent import TencentCloudHook
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
from airflow_cloudtasks.spec import Action, ManyIds, TaskApi
from airflow_cloudtasks.waiting.group import GroupRules
from airflow_cloudtasks.waiting.triggerer import dispatcher
from airflow_cloudtasks.waiting.triggerer.wait import wait_for_tasks
from airflow_cloudtasks.waiting.verdicts import Verdict, WaitRules

RUNS_WITH_FEED = APIS["wedata.workflow_run"]
RUNS = dataclasses.replace(RUNS_WITH_FEED, feed=None)
RUNS_WITHOUT_LIST = dataclasses.replace(RUNS, list_tasks=None)
READ, LIST, BATCH = RUNS.read.name, "ListTriggerWorkflowRuns", "ReadTriggerWorkflowRuns"
RUNS_IN_BATCHES = dataclasses.replace(
    RUNS_WITHOUT_LIST,
    read_many=ManyIds(action=Action(name=BATCH, params=("ProjectId", "Ids")), tasks="Data.Items", most=50),
)


@dataclasses.dataclass
class Sent:
    """One request."""

    at: float
    action: str
    parameters: dict[str, Any]
    conn_id: str

    @property
    def task(self) -> str:
        return str(self.parameters.get("WorkflowExecutionId"))

    @property
    def ids(self) -> list[str]:
        """The ids of a batch."""
        return list(self.parameters.get("Ids", ()))


class SimulatedCloud:
    """WeData with workflow runs that run until they are said to have ended.

    Attributes:
        sent: The requests so far.
        ended: The status of each run that has ended, by its id.
        seconds: How long an answer takes, by the action's name.
        hang: The tasks whose reads are never answered.
        refuse: Called with each request at its arrival; may raise an error.
        rows: Returns the task objects of the answer to a batch.
        requests_per_second: What each connection states, by its id.
        key: The key of each connection, by its id; ``key`` for others.
        feed_interval: What each connection states.
        lookups_fail: How many look-ups of a connection fail from now on.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[Sent] = []
        self.ended: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.hang: set[str] = set()
        self.refuse: Callable[[Sent], None] = lambda _: None
        self.listed: Callable[[Sent], dict[str, Any]] = lambda sent: self.page(sent)
        self.rows: Callable[[Sent], Any] = lambda sent: [self.row(task) for task in sent.ids]
        self.requests_per_second: dict[str, float] = {}
        self.key: dict[str, str] = {}
        self.lookups_fail = 0
        self.feed_interval = 1.0
        self.projects: dict[str, list[str]] = {}
        monkeypatch.setattr(dispatcher, "hook_for", lambda _, conn_id, region: SimulatedHook(self, conn_id, region))

    async def answer(self, action: str, parameters: dict[str, Any], conn_id: str) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        sent = Sent(loop.time(), action, parameters, conn_id)
        self.sent.append(sent)
        # A task is read at the moment when the request arrives; its answer may be old when it comes.
        status = self.ended.get(sent.task, "RUNNING")
        answered = self.run(sent.task, status)
        if action == LIST:
            answered = self.listed(sent)
        elif action == BATCH:
            answered = {"Data": {"Items": self.rows(sent)}, "RequestId": "r"}
        seconds = 1e9 if sent.task in self.hang else self.seconds.get(action, 0.05)
        try:
            self.refuse(sent)
        finally:
            await asyncio.sleep(seconds)
        return answered

    def row(self, task: str) -> dict[str, Any]:
        """Return the object of a run in a list or a batch."""
        return {"ExecutionId": task, "ExecutionState": self.ended.get(task, "RUNNING")}

    @staticmethod
    def run(task: str, status: str) -> dict[str, Any]:
        return {"Data": {"TriggerWorkflowRun": {"ExecutionId": task, "ExecutionState": status}}, "RequestId": "r"}

    def page(self, sent: Sent) -> dict[str, Any]:
        """Return a page of a list that shows every run of a project."""
        tasks = self.projects.get(sent.parameters["ProjectId"], [])
        number = sent.parameters.get("PageNumber", 1)
        items = [self.row(task) for task in tasks[100 * (number - 1) : 100 * number]]
        return {"Data": {"Items": items, "TotalPageNumber": -(-len(tasks) // 100)}, "RequestId": "r"}

    def times(self, *, action: str = READ, task: str | None = None, since: float = 0.0) -> list[float]:
        """Return when requests arrived."""
        return [
            sent.at
            for sent in self.sent
            if sent.action == action and sent.at >= since and (task is None or sent.task == task)
        ]

    def per_task(self, since: float = 0.0) -> Counter[str]:
        """Return how often each task was read by its id."""
        return Counter(sent.task for sent in self.sent if sent.action == READ and sent.at >= since)


class SimulatedHook(TencentCloudHook):
    """A hook whose requests the simulated cloud answers."""

    def __init__(self, cloud: SimulatedCloud, conn_id: str | None, region: str | None) -> None:
        super().__init__(conn_id, region)
        self._cloud = cloud
        self._known: tuple[Any, Any] = (None, None)

    async def aget_conn(self) -> Any:
        if self._cloud.lookups_fail:
            self._cloud.lookups_fail -= 1
            raise TransientError("could not be looked up")
        key = self._cloud.key.get(self.conn_id, "key")
        stated = self._cloud.requests_per_second.get(self.conn_id)
        rates = {} if stated is None else {"*": stated}
        if self._known[0] != (key, stated):
            retries = SimpleNamespace(tries=5)
            account = SimpleNamespace(
                credentials=key, requests_per_second=rates, retries=retries, feed_interval=self._cloud.feed_interval
            )
            self._known = ((key, stated), SimpleNamespace(account=account, region="ap-guangzhou"))
        return self._known[1]

    async def acall_once(self, service: Any, action: Any, parameters: Any) -> Any:
        return await self._cloud.answer(action.name, dict(parameters), self.conn_id)


async def wait(
    ids: str | Sequence[str], *, api: TaskApi = RUNS_WITHOUT_LIST, project: str = "1", conn_id: str = "a", **rules: Any
) -> list[Verdict]:
    """Wait as a trigger does."""
    return await wait_for_tasks(
        api,
        [ids] if isinstance(ids, str) else ids,
        {"ProjectId": project},
        conn_id=conn_id,
        region=None,
        rules=WaitRules(**{"poke_interval": 10.0, **rules}),
        overrides=NO_OVERRIDES,
        group=GroupRules(),
        deadline=None,
        log=lambda _: None,
    )


class Waits:
    """Waits that go on until the test ends, or until they are stopped."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def begin(self, ids: Sequence[str], **arguments: Any) -> list[asyncio.Task[Any]]:
        begun = [asyncio.create_task(wait(each, **arguments)) for each in ids]
        self._tasks += begun
        return begun

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
