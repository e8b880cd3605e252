"""What the outcome of a poll means for a wait. Pure: no clock, no I/O, no Airflow.

The sensors in a worker and the trigger in the triggerer decide by the same functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from airflow_cloudtasks.errors import CloudApiError, CredentialsError, Invalid, NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.waiting.limits import seconds

OnUnknown = Literal["wait", "fail"]
OnFailure = Literal["wait", "fail"]
Missing = Literal["wait", "fail"]

# The outcome of a poll. An invalid connection and invalid arguments are outcomes too: they end the wait.
Outcome = CloudTask | CloudApiError | Invalid


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitRules:
    """The rules of a wait.

    Args:
        poke_interval: Seconds between two polls.
        exponential_backoff: Whether the interval doubles with each poll.
        max_wait: The longest interval, in seconds; None for no bound.
        missing: What to do while the cloud does not know the task: ``wait`` or ``fail``.
        on_unknown: What to do while the catalog does not know the status: ``wait`` or ``fail``.
        on_failure: What to do if the task did not succeed: ``wait`` until it is run again, or ``fail``.
        created_since: Unix seconds. A task that was created earlier does not count: the wait goes on until a newer one
            ends. None for no bound.
        tolerate_errors: Whether to wait on after errors that polling again would not mend; Airflow's ``silent_fail``.

    Raises:
        ValueError: A value is out of its range.
    """

    poke_interval: float = 60.0
    exponential_backoff: bool = False
    max_wait: float | None = None
    missing: Missing = "fail"
    on_unknown: OnUnknown = "wait"
    on_failure: OnFailure = "fail"
    created_since: float | None = None
    tolerate_errors: bool = False

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("missing", self.missing, get_args(Missing)),
            ("on_unknown", self.on_unknown, get_args(OnUnknown)),
            ("on_failure", self.on_failure, get_args(OnFailure)),
        ):
            if value not in choices:
                raise ValueError(f"{name} is {value!r}; expected one of {', '.join(choices)}.")
        seconds("poke_interval", self.poke_interval)
        if self.max_wait is not None:
            seconds("max_wait", self.max_wait)


@dataclass(frozen=True, slots=True)
class Finished:
    """The wait is over: the task ended, successfully or not.

    Args:
        task: The task.
        is_shortened: Whether parts of the task's detail or message were left out, because they are too large.
    """

    task: CloudTask
    is_shortened: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """The wait cannot go on: polling again would give the same error."""

    error: CloudApiError | Invalid


@dataclass(frozen=True, slots=True)
class Waiting:
    """The wait goes on, or went on until its timeout; ``why`` is None before the first answer."""

    why: CloudTask | Exception | None


Verdict = Finished | Broken | Waiting


def judge(outcome: Outcome, rules: WaitRules) -> Verdict:
    """Return what the outcome of a poll means for a wait.

    Args:
        outcome: The task that was read, or the error of the request.
        rules: The rules of the wait.
    """
    if isinstance(outcome, CloudTask):
        if rules.created_since is not None and not _is_created_since(outcome, rules.created_since):
            over = False
        elif outcome.state is TaskState.UNKNOWN:
            over = rules.on_unknown == "fail"
        else:
            over = outcome.ok or (outcome.done and rules.on_failure == "fail")
        return Finished(outcome) if over else Waiting(outcome)
    if isinstance(outcome, Invalid):
        return Broken(outcome)
    goes_on = outcome.retryable or rules.tolerate_errors or (isinstance(outcome, NotFound) and rules.missing == "wait")
    return Waiting(outcome) if goes_on else Broken(outcome)


def _is_created_since(task: CloudTask, seconds: float) -> bool:
    return task.created_at is not None and task.created_at.timestamp() >= seconds


class CredentialsGrace:
    """Keep a wait alive between the end of a key and the edit of the Airflow connection.

    A wait in the triggerer began with a poll that worked, so refused credentials are most likely those of a key that is
    being rotated.
    """

    __slots__ = ("_refused_since",)
    SECONDS: ClassVar[float] = 300.0

    def __init__(self) -> None:
        self._refused_since: float | None = None

    def judge(self, outcome: Outcome, rules: WaitRules, now: float) -> Verdict:
        """Return what :func:`judge` returns, except Waiting while credentials have been refused for a short time only.

        Args:
            outcome: The task that was read, or the error of the request.
            rules: The rules of the wait.
            now: Seconds on any steady clock.
        """
        verdict = judge(outcome, rules)
        if not isinstance(outcome, CredentialsError):
            self._refused_since = None
        elif isinstance(verdict, Broken):
            if self._refused_since is None:
                self._refused_since = now
            if now - self._refused_since < self.SECONDS:
                return Waiting(outcome)
        return verdict
