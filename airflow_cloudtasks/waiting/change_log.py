"""Which outcomes of polls are logged. Pure."""

from __future__ import annotations

from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.waiting.verdicts import Outcome


class ChangeLog:
    """Select the outcomes to log: the first one, and each one that differs from the one before."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[object, ...] | None = None

    def line(self, outcome: Outcome) -> str | None:
        """Return the log line for an outcome; None if nothing changed.

        Args:
            outcome: The task that was read, or the error of the request.
        """
        if isinstance(outcome, CloudTask):
            percent = None if outcome.progress is None else round(outcome.progress * 100)
            key: tuple[object, ...] = (outcome.state, outcome.status, percent, outcome.message)
            line = f"{outcome}; the catalog does not know this status" if _unknown(outcome) else str(outcome)
        else:
            key = (type(outcome), getattr(outcome, "code", None))
            line = f"The wait goes on after: {outcome}"
        if key == self._last:
            return None
        self._last = key
        return line


def _unknown(task: CloudTask) -> bool:
    return task.state is TaskState.UNKNOWN
