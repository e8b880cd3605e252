"""One wait on one task: what its polls came to so far. Pure; the clock is an argument."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

from airflow_cloudtasks.errors import CloudApiError, CredentialsError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.waiting.backoff import first_delay, next_delay, retry_delay
from airflow_cloudtasks.waiting.change_log import ChangeLog
from airflow_cloudtasks.waiting.verdicts import CredentialsGrace, Outcome, Verdict, Waiting, WaitRules, judge

# A wait whose last poll is still in the queue this many seconds after its timeout ends without it.
_LAST_POLL_WITHIN = 30.0

_NO_DETAIL: dict[str, Any] = {}


class Waiter(Protocol):
    """Who waits, if on several tasks."""

    def tell(self, line: str) -> None:
        """Take a line for the log."""

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        """Take how the wait on one task ended; an exception is a defect of this package."""


class Watch:
    """One wait on one task, from its start to its end. There are thousands of them, so they are kept small.

    Args:
        waiter: Who waits.
        index: Which of the tasks that it waits on.
        rules: How to wait.
        overrides: Statuses that mean something else for this wait.
        deadline: When the wait times out, on the same clock as every ``now``; infinity for never.
        now: Seconds on any steady clock.

    Attributes:
        due: When the next poll is due.
        ends_by: When the wait ends whatever happens.
        last: What the last poll gave, a task without its detail; None before the first.
        over: Whether the wait is over.
        subject: What is asked for on its behalf; the schedule's.
    """

    __slots__ = (
        "_changes",
        "_failures",
        "_grace",
        "_index",
        "_polls",
        "_waiter",
        "deadline",
        "due",
        "ends_by",
        "last",
        "over",
        "overrides",
        "rules",
        "subject",
    )

    def __init__(
        self,
        waiter: Waiter,
        index: int,
        rules: WaitRules,
        overrides: StatusOverrides,
        *,
        deadline: float,
        now: float,
    ) -> None:
        self.rules = rules
        self.overrides = overrides
        self.deadline = deadline
        self.due = now + first_delay(rules, deadline - now)
        # A wait that comes here after its time, since no triggerer was alive, is still owed its last poll.
        self.ends_by = max(deadline, now) + _LAST_POLL_WITHIN
        self.last: Outcome | None = None
        self.over = False
        self.subject: Any = None
        self._waiter: Waiter | None = waiter
        self._index = index
        self._changes = ChangeLog()
        self._grace: CredentialsGrace | None = None
        self._polls = 0
        self._failures = 0

    def take(self, outcome: Outcome, now: float) -> None:
        """Take what a poll gave: the wait ends, or its next poll is due later.

        Args:
            outcome: The task that was read, or the error that reading it gave.
            now: Seconds on the clock of the deadline.
        """
        self.last = replace(outcome, detail=_NO_DETAIL) if isinstance(outcome, CloudTask) else outcome
        if isinstance(outcome, CredentialsError) and self._grace is None:
            self._grace = CredentialsGrace()
        verdict = self._grace.judge(outcome, self.rules, now) if self._grace else judge(outcome, self.rules)
        if not isinstance(verdict, Waiting):
            self._finish(verdict)
            return
        if (line := self._changes.line(outcome)) is not None and self._waiter is not None:
            self._waiter.tell(line)
        self._go_on(outcome, now)

    def take_same(self, now: float) -> None:
        """Take it that a poll gave what the last one gave, and that the wait goes on."""
        if self.last is not None:
            self._go_on(self.last, now)

    def time_out(self) -> None:
        """End the wait with what was last seen."""
        self._finish(Waiting(self.last))

    def crash(self, error: BaseException) -> None:
        """End the wait by a defect."""
        self._finish(error)

    def _go_on(self, outcome: Outcome, now: float) -> None:
        if now >= self.deadline:
            self.time_out()
            return
        if isinstance(outcome, CloudApiError) and outcome.retryable:
            self._failures += 1
            delay = min(retry_delay(self.rules, self._failures, outcome), self.deadline - now)
        else:
            self._failures = 0
            # Answers that others asked for are no polls of this wait's own: its interval doubles by those.
            self._polls += now >= self.due
            delay = next_delay(self.rules, self._polls, self.deadline - now)
        self.due = now + delay

    def leave(self) -> None:
        """Let go of everything: the schedule's queues may hold on to this for a while."""
        self.over = True
        self._waiter = self.last = None

    def _finish(self, verdict: Verdict | BaseException) -> None:
        if not self.over and self._waiter is not None:
            self.over = True
            self._waiter.end(self._index, verdict)
