"""What stands in for a status where the vendor has none. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Percentages:
    """Two percentages in place of a status.

    The three words below are this package's own. They contain no number, so that ``success_statuses`` and
    ``failure_statuses`` can name them. For a task without a ``message``, the message says how much has succeeded.

    Args:
        complete: The path of the percentage that has ended, well or not.
        succeeded: The path of the percentage that has ended well.
    """

    INCOMPLETE: ClassVar[str] = "incomplete"
    COMPLETE: ClassVar[str] = "complete"
    FAILURES: ClassVar[str] = "complete with failures"

    complete: str
    succeeded: str

    @property
    def words(self) -> frozenset[str]:
        """The three words."""
        return frozenset({self.INCOMPLETE, self.COMPLETE, self.FAILURES})
