"""Waiting on several tasks at once: when that is over. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from airflow_cloudtasks.waiting.verdicts import Finished, Verdict, Waiting

WaitFor = Literal["all", "any"]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRules:
    """What several tasks are waited for.

    Args:
        wait_for: Whether ``all`` are waited for, or the first that ends well (``any``).
        fail_fast: Whether the first that does not end well ends the wait.

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
    """The ends of several waits, as they come in.

    Args:
        count: How many waits there are.
        rules: What is waited for.

    Attributes:
        ends: How each wait ended, in the order of the tasks; None for one that goes on.
    """

    def __init__(self, count: int, rules: GroupRules) -> None:
        self.ends: list[Verdict | None] = [None] * count
        self._rules = rules
        self._open = count
        self._ok = self._failed = False

    def take(self, index: int, end: Verdict) -> bool:
        """Take the end of one wait.

        Args:
            index: Which one.
            end: How it ended.

        Returns:
            Whether waiting is over.
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
        """Whether the tasks that have not ended need not be waited for."""
        return (
            self._open == 0 or (self._rules.wait_for == "any" and self._ok) or (self._rules.fail_fast and self._failed)
        )
