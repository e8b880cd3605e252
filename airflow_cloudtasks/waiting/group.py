"""When a wait on several tasks is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from airflow_cloudtasks.waiting.verdicts import Finished, Verdict, Waiting

WaitFor = Literal["all", "any"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRules:
    """When a wait on several tasks is over.

    Args:
        wait_for: ``all`` waits for every task, ``any`` for the first that succeeds.
        fail_fast: Whether the first task that does not succeed ends the wait.

    Raises:
        ValueError: ``wait_for`` is neither.
    """

    wait_for: WaitFor = "all"
    fail_fast: bool = False

    def __post_init__(self) -> None:
        if self.wait_for not in get_args(WaitFor):
            raise ValueError(f"wait_for is {self.wait_for!r}; expected one of {', '.join(get_args(WaitFor))}.")

    @property
    def one_may_end_all(self) -> bool:
        """Whether the end of a single task may end the wait."""
        return self.wait_for == "any" or self.fail_fast


class WaitGroup:
    """The waits on several tasks.

    Args:
        count: The number of tasks.
        rules: When the wait is over.

    Attributes:
        ends: The final verdict on each task, in the order of the tasks; None for a wait that goes on.
    """

    __slots__ = ("_failed", "_ok", "_open", "_rules", "ends")

    def __init__(self, count: int, rules: GroupRules) -> None:
        self.ends: list[Verdict | None] = [None] * count
        self._rules = rules
        self._open = count
        self._ok = self._failed = False

    def take(self, index: int, end: Verdict) -> bool:
        """Note the final verdict on one task, and return whether the whole wait is over.

        Args:
            index: The number of the task.
            end: The verdict.
        """
        if self.ends[index] is None:
            self._open -= 1
        self.ends[index] = end
        ok = isinstance(end, Finished) and end.task.ok
        self._ok = self._ok or ok
        self._failed = self._failed or not (ok or isinstance(end, Waiting))
        return self.is_over

    @property
    def is_over(self) -> bool:
        """Whether no task needs to be waited for any more."""
        return (
            self._open == 0 or (self._rules.wait_for == "any" and self._ok) or (self._rules.fail_fast and self._failed)
        )
