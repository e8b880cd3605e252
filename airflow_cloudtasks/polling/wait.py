"""The loop of one wait in an event loop. It only reads, sleeps and logs; the deciding is in decisions.py."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from airflow_cloudtasks.errors import CloudApiError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.polling.decisions import (
    Broken,
    ChangeLog,
    CredentialsGrace,
    Finished,
    Waiting,
    WaitRules,
    next_delay,
)


class Log(Protocol):
    """What is needed of a logger."""

    def info(self, event: Any, *args: Any) -> Any:
        """Log a line."""


async def wait_for_task(
    read: Callable[[], Awaitable[CloudTask]], rules: WaitRules, deadline: float | None, log: Log
) -> Finished | Broken | Waiting:
    """Poll until the wait is over.

    The first poll comes after one interval: whoever starts this wait has just polled.

    Args:
        read: Reads the task.
        rules: How to wait.
        deadline: Unix seconds of the timeout; None for none.
        log: Where changes are told.

    Returns:
        How the wait ended; Waiting if it timed out, with the last outcome.
    """
    changes, grace, polls = ChangeLog(), CredentialsGrace(), 1
    while True:
        seconds_left = float("inf") if deadline is None else deadline - time.time()
        await asyncio.sleep(next_delay(rules, polls, seconds_left))
        outcome: CloudTask | CloudApiError
        try:
            outcome = await read()
        except CloudApiError as error:
            outcome = error
        verdict = grace.judge(outcome, rules, time.monotonic())
        polls += 1
        if not isinstance(verdict, Waiting):
            return verdict
        if (line := changes.line(verdict.why)) is not None:
            log.info("%s", line)
        if deadline is not None and time.time() >= deadline:
            return verdict
