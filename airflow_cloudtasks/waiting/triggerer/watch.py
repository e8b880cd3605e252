"""One wait on one task: what the evidence so far means for it. Pure; the caller passes the time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from airflow_cloudtasks.errors import CloudApiError, CredentialsError
from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.waiting.backoff import first_delay, next_delay, retry_delay
from airflow_cloudtasks.waiting.change_log import ChangeLog
from airflow_cloudtasks.waiting.verdicts import CredentialsGrace, Outcome, Verdict, Waiting, WaitRules, judge

# Seconds after its timeout when a wait ends although its last poll has not been answered.
_LAST_POLL_WITHIN = 30.0

_NO_DETAIL: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a request told about a task.

    Args:
        outcome: The task, or the error of the request.
        asked_at: When the request was sent, in seconds on the clock of the watches.
        may_end: Whether it may end a wait. An entry of a list that shows less than a single read may not.
    """

    outcome: Outcome
    asked_at: float
    may_end: bool = True


class Waiter(Protocol):
    """The owner of one watch or several."""

    def tell(self, line: str) -> None:
        """Log a line."""

    def end(self, index: int, verdict: Verdict | BaseException) -> None:
        """Note how the wait on one task ended; an exception is a bug of this package."""


class Watch:
    """One wait on one task, from its start to its end. There are tens of thousands, so each is kept small.

    Args:
        waiter: The owner, which gets the changes and the end.
        index: The number of the task among those that the owner waits for.
        rules: The rules of the wait.
        overrides: Statuses that this wait maps to another state than the catalog does.
        deadline: When the wait times out, in seconds on the clock of every ``now``; infinity for never.
        now: Seconds on any steady clock.

    Attributes:
        due: When the next poll is due.
        interval: Seconds between two polls, without exponential back-off.
        ends_by: When the wait ends even if its last poll is not answered.
        last: The last outcome, a task without its detail; None before the first.
        over: Whether the wait is over.
        subject: The task in the schedule.
    """

    __slots__ = (
        "_changes",
        "_failures",
        "_grace",
        "_index",
        "_known_as_of",
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
        # A wait that resumes after its deadline, because no triggerer was alive, still gets its last poll.
        self.ends_by = max(deadline, now) + _LAST_POLL_WITHIN
        self.last: Outcome | None = None
        self.over = False
        self.subject: Any = None
        self._waiter: Waiter | None = waiter
        self._index = index
        self._changes = ChangeLog()
        self._grace: CredentialsGrace | None = None
        self._known_as_of = now
        self._polls = 0
        self._failures = 0

    @property
    def interval(self) -> float:
        """Seconds between two polls, without exponential back-off."""
        rules = self.rules
        return rules.poke_interval if rules.max_wait is None else min(rules.poke_interval, rules.max_wait)

    def take(self, evidence: Evidence, now: float) -> bool:
        """Process evidence: the wait ends, or its next poll is due later.

        The answer to a request that was sent before the wait began may tell of an earlier run of the task. The answer
        to a request that is older than the newest evidence may tell of an earlier state. Both are ignored.

        Args:
            evidence: What a request told.
            now: Seconds on the clock of the deadline.

        Returns:
            Whether the evidence was taken.
        """
        if evidence.asked_at < self._known_as_of:
            return False
        outcome = evidence.outcome
        if isinstance(outcome, CredentialsError) and self._grace is None:
            self._grace = CredentialsGrace()
        verdict = self._grace.judge(outcome, self.rules, now) if self._grace else judge(outcome, self.rules)
        goes_on = isinstance(verdict, Waiting)
        if not goes_on and not evidence.may_end:
            self.due = now
            return False
        self._known_as_of = evidence.asked_at
        self.last = replace(outcome, detail=_NO_DETAIL) if isinstance(outcome, CloudTask) else outcome
        if not goes_on:
            self._finish(verdict)
            return True
        if (line := self._changes.line(outcome)) is not None and self._waiter is not None:
            self._waiter.tell(line)
        self._schedule_next(outcome, now)
        return True

    def take_unchanged(self, asked_at: float, now: float) -> None:
        """Process an answer that is equal to the last one.

        Args:
            asked_at: When the request was sent.
            now: Seconds on the clock of the deadline.
        """
        if self.last is not None and asked_at >= self._known_as_of:
            self._known_as_of = asked_at
            self._schedule_next(self.last, now)

    def time_out(self) -> None:
        """End the wait with the last outcome."""
        self._finish(Waiting(self.last))

    def crash(self, error: BaseException) -> None:
        """End the wait by a bug of this package."""
        self._finish(error)

    def leave(self) -> None:
        """Drop all references: the queues of the schedule may hold the watch for a while."""
        self.over = True
        self._waiter = self.last = None

    def _schedule_next(self, outcome: Outcome, now: float) -> None:
        if now >= self.deadline:
            self.time_out()
            return
        if isinstance(outcome, CloudApiError) and outcome.retryable:
            self._failures += 1
            delay = min(retry_delay(self.rules, self._failures, outcome), self.deadline - now)
        else:
            self._failures = 0
            # Answers to polls for other waits do not count, so that they do not double this wait's interval.
            self._polls += now >= self.due
            delay = next_delay(self.rules, self._polls, self.deadline - now)
        self.due = now + delay

    def _finish(self, verdict: Verdict | BaseException) -> None:
        if not self.over and self._waiter is not None:
            self.over = True
            self._waiter.end(self._index, verdict)
