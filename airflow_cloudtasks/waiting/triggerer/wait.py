"""One trigger's wait, on one task or on many, over the poller that it shares with all others."""

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
from airflow_cloudtasks.waiting.triggerer.poller import join_poller, leave_poller
from airflow_cloudtasks.waiting.triggerer.watch import Watch
from airflow_cloudtasks.waiting.verdicts import Broken, Verdict, Waiting, WaitRules

# Tasks of one list that are taken up in one go; the event loop is others' as well.
_AT_ONCE = 200


class _Waiter:
    """What the watches of one trigger report to."""

    __slots__ = ("_context", "_group", "_log", "over", "watches")

    def __init__(self, group: WaitGroup, log: Callable[[str], Any]) -> None:
        self.watches: list[Watch] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._group = group
        self._log = log
        # Airflow tells whose line it is by the context that it is logged in, and the poller has none.
        self._context = contextvars.copy_context()

    def tell(self, line: str) -> None:
        """Log a line."""
        self._context.run(self._log, line)

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        """Take the end of the wait on one task."""
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
    """Wait until it is over.

    Args:
        api: The API.
        ids: The ids of the tasks.
        api_params: The other parameters that name them, in the vendor's spelling.
        conn_id: The Airflow connection; the cloud's default one if not given.
        region: The region, against the connection's own.
        rules: How to wait.
        overrides: Statuses that mean something else for this wait.
        group: Whether all of them are waited for.
        deadline: Unix seconds of the timeout; None for none.
        log: Where changes are logged.

    Returns:
        How each wait ended, in the order of the tasks; Waiting where it had not, with the last that was seen.
    """
    now = asyncio.get_running_loop().time()
    until = float("inf") if deadline is None else now + deadline - time.time()
    ends = WaitGroup(len(ids), group)
    waiter = _Waiter(ends, log)
    poller = join_poller(api, conn_id, region)
    try:
        for index, each in enumerate(ids):
            watch = Watch(waiter, index, rules, overrides, deadline=until, now=now)
            poller.add(poller.parameters(each, api_params), watch)
            waiter.watches.append(watch)
            if index % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        await waiter.over
        return [end or Waiting(watch.last) for end, watch in zip(ends.ends, waiter.watches, strict=True)]
    except InvalidArguments as error:
        return [Broken(error)] * len(ids)
    finally:
        for watch in waiter.watches:
            poller.remove(watch)
        await leave_poller(poller)
