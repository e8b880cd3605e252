"""One trigger's wait, on one task or on many, over the poller that it shares with all others."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from airflow_cloudtasks.normalise import StatusOverrides
from airflow_cloudtasks.polling.decisions import Verdict, Waiting, WaitRules
from airflow_cloudtasks.polling.poller import Poller
from airflow_cloudtasks.polling.together import Together, TogetherRules
from airflow_cloudtasks.polling.watch import Watch


async def wait_for_tasks(
    poller: Poller,
    tasks: Sequence[Mapping[str, Any]],
    *,
    rules: WaitRules,
    overrides: StatusOverrides,
    together: TogetherRules,
    deadline: float | None,
    tell: Callable[[str], Any],
) -> list[Verdict]:
    """Wait until it is over.

    Args:
        poller: Who asks.
        tasks: The parameters that name each task.
        rules: How to wait.
        overrides: Statuses that mean something else for this wait.
        together: Whether all of them are waited for.
        deadline: Unix seconds of the timeout; None for none.
        tell: Where changes are told.

    Returns:
        How each wait ended, in the order of the tasks; Waiting where it had not, with the last that was seen.
    """
    loop = asyncio.get_running_loop()
    now = loop.time()
    until = float("inf") if deadline is None else now + deadline - time.time()
    # Airflow tells whose line it is by the context that it is logged in, and the poller has none.
    context = contextvars.copy_context()
    over: asyncio.Future[None] = loop.create_future()
    ends = Together(len(tasks), together)

    def end(index: int, verdict: Verdict | BaseException) -> None:
        if over.done():
            return
        if isinstance(verdict, BaseException):
            over.set_exception(verdict)
        elif ends.take(index, verdict):
            over.set_result(None)

    watches = [
        Watch(
            rules,
            overrides,
            deadline=until,
            tell=lambda line: context.run(tell, line),
            end=partial(end, index),
            now=now,
        )
        for index in range(len(tasks))
    ]
    leave = [poller.add(parameters, watch) for parameters, watch in zip(tasks, watches, strict=True)]
    try:
        await over
    finally:
        for leaving in leave:
            leaving()
    return [verdict or Waiting(watch.last) for verdict, watch in zip(ends.ends, watches, strict=True)]
