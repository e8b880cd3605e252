"""What one wait treats differently from the catalog: some statuses, and ends of earlier runs. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import fold


@dataclass(frozen=True, kw_only=True)
class StatusOverrides:
    """What one wait treats differently from the catalog.

    Args:
        success: Statuses that are a success for this wait, whatever else the answer says. Only an end of an earlier run
            is none.
        failure: Statuses that are a failure for this wait.
        ended_since: Unix seconds. If tasks of the API run again, an earlier end is that of an earlier run. None if the
            wait does not know when the run was requested.

    Raises:
        InvalidArguments: One of them is not a list of texts, or a status is in both.
    """

    success: Collection[str] = ()
    failure: Collection[str] = ()
    ended_since: float | None = None

    def __post_init__(self) -> None:
        for name, words in (("success_statuses", self.success), ("failure_statuses", self.failure)):
            if isinstance(words, str) or not all(isinstance(word, str) for word in words):
                raise InvalidArguments(f"{name} is {words!r}; expected a list of statuses.")
        if both := {fold(word) for word in self.success} & {fold(word) for word in self.failure}:
            raise InvalidArguments(f"success_statuses and failure_statuses both hold {sorted(both)}.")

    @classmethod
    def of(cls, success: Any, failure: Any, ended_since: float | None = None) -> Self:
        """Return the overrides for arguments whose templates have been rendered.

        Args:
            success: Statuses that are a success.
            failure: Statuses that are a failure.
            ended_since: Unix seconds of the earliest end that counts; None for any.

        Raises:
            InvalidArguments: One of them is not a list of texts, or a status is in both.
        """
        for name, words in (("success_statuses", success), ("failure_statuses", failure)):
            if not isinstance(words, list | tuple | set | frozenset):
                raise InvalidArguments(f"{name} turned out to be {words!r:.200}; expected a list of statuses.")
        return cls(success=tuple(success), failure=tuple(failure), ended_since=ended_since)

    def state(self, status: str) -> TaskState | None:
        """Return the state that a status means for this wait; None if it is not overridden.

        Args:
            status: The vendor's status.
        """
        if not self.success and not self.failure:
            return None
        folded = fold(status)
        if folded in map(fold, self.success):
            return TaskState.SUCCEEDED
        return TaskState.FAILED if folded in map(fold, self.failure) else None


NO_OVERRIDES = StatusOverrides()
"""No overrides: every status means what the catalog says."""


def whatever_the_message(api: TaskApi, given: Any) -> tuple[str, ...]:
    """Return the ``success_statuses`` that make a task's error message a mere warning.

    They are the statuses that mean success in the catalog: an override comes before the look at the message.

    Args:
        api: The API.
        given: The ``success_statuses`` that the user set.

    Raises:
        ValueError: ``given`` is not a list.
    """
    if not isinstance(given, list | tuple | set | frozenset):
        raise ValueError(f"success_statuses is {given!r}; expected a list of statuses.")
    successes = (status for status, state in api.states.items() if state is TaskState.SUCCEEDED)
    return (*successes, *given)
