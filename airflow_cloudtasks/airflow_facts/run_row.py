"""Tells apart the rows of DAG runs that had the same run_id, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """What a task can see of the row of its DAG run. It tells apart the rows that had the same run_id, one by one.

    Args:
        id: The row's id. Tasks see it on Airflow 2 only. SQLite gives the highest id again after its row was deleted.
        run_after: ``run_after`` in Unix seconds. It is the moment when a manual run was created.
        started: When the run began to run, in Unix seconds. A clear of a run that has ended sets it anew.
        clears: How often the run was cleared.
        tries: The number of the try.
        task: The id of the task instance, which each try has anew.
    """

    id: int | None = None
    run_after: float | None = None
    started: float | None = None
    clears: int = 0
    tries: int = 0
    task: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return asdict(self)

    def wrote(self, kept: Mapping[str, Any] | None, sent_at: float | None) -> bool:
        """Return whether this row, in this or an earlier try, may have kept something. False: another row did.

        In doubt, it is this row: a second start is worse than the result of the first one.

        Args:
            kept: What :meth:`as_dict` returned then; None if a version of this package before 0.3 kept it.
            sent_at: When the start was sent for the first time, in Unix seconds.
        """
        if kept is None:
            # Then only a start from before this row began to run is another row's.
            return not (sent_at and self.started and self.clears == 0 and sent_at < self.started)
        known: dict[str, Any] = {name: kept[name] for name in RunRow.__slots__ if kept.get(name) is not None}
        then = RunRow(**known)
        if None not in (then.id, self.id) and then.id != self.id:
            return False
        if None not in (then.run_after, self.run_after) and then.run_after != self.run_after:
            return False
        if self.clears < then.clears or self.tries < then.tries:
            return False
        if self.tries > then.tries:
            return True
        if then.task is not None and self.task is not None:
            return then.task == self.task
        return self.clears > then.clears or None in (then.started, self.started) or then.started == self.started
