"""The wait of one trigger, on one task or several, over the dispatcher that it shares with all others."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.waiting.group import GroupRules, WaitGroup
from airflow_cloudtasks.waiting.triggerer.dispatcher import SharedDispatcher
from airflow_cloudtasks.waiting.triggerer.watch import Watch
from airflow_cloudtasks.waiting.verdicts import Broken, Verdict, Waiting, WaitRules

# Tasks of a list that are added, or removed, in one iteration of the event loop.
_AT_ONCE = 200


class _Waiter:
    """The owner of the watches of one trigger."""

    __slots__ = ("_context", "_group", "_log", "over", "watches")

    def __init__(self, group: WaitGroup, log: Callable[[str], Any]) -> None:
        self.watches: list[Watch] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._group = group
        self._log = log
        # Airflow finds the task of a log line by the context, and the dispatcher runs in an empty one.
        self._context = contextvars.copy_context()

    def tell(self, line: str) -> None:
        """Log a line."""
        self._context.run(self._log, line)

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        """Note how the wait on one task ended."""
        if self.over.done():
            return
        if isinstance(verdict, BaseException):
            self.over.set_exception(verdict)
        elif self._group.take(index, verdict):
            self.over.set_result(None)


async def wait_for_tasks(
    api: TaskApi,
    ids: Sequence[str],
    api_params: Mapping[str, Any] | None,
    *,
    conn_id: str | None,
    region: str | None,
    rules: WaitRules,
    overrides: StatusOverrides,
    group: GroupRules,
    deadline: float | None,
    log: Callable[[str], Any],
) -> list[Verdict]:
    """Wait until the wait is over, and return the verdicts.

    Args:
        api: The API.
        ids: The ids of the tasks.
        api_params: The other parameters that identify them, in the vendor's spelling.
        conn_id: Id of the Airflow connection; None for the cloud's default connection.
        region: Region id; None for the connection's region.
        rules: The rules of the wait.
        overrides: Statuses that this wait maps to another state than the catalog does.
        group: When the wait on several tasks is over.
        deadline: Unix seconds of the timeout; None for none.
        log: Logs a change.

    Returns:
        How each wait ended, in the order of the ids; for a task that had not ended, Waiting with the last outcome.
    """
    now = asyncio.get_running_loop().time()
    until = float("inf") if deadline is None else now + deadline - time.time()
    ends = WaitGroup(len(ids), group)
    waiter = _Waiter(ends, log)
    async with SharedDispatcher(api, conn_id, region) as dispatcher:
        try:
            for index, each in enumerate(ids):
                watch = Watch(waiter, index, rules, overrides, deadline=until, now=now)
                waiter.watches.append(watch)
                try:
                    dispatcher.add(dispatcher.parameters(each, api_params), watch, api_params)
                except InvalidArguments as error:
                    waiter.end(index, Broken(error))
                if index % _AT_ONCE == _AT_ONCE - 1:
                    await asyncio.sleep(0)
            await waiter.over
            return [end or Waiting(watch.last) for end, watch in zip(ends.ends, waiter.watches, strict=True)]
        finally:
            for watch in waiter.watches:
                dispatcher.remove(watch)
