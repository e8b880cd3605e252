"""The state of one start that outlives the process which sends the request. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Protocol, Self

from airflow_cloudtasks.starting.asked import Asked

# Vendors may show a new task late. Seconds after the start request until a missing task counts as removed.
UNSEEN_SECONDS = 60.0

Progress = Literal["asking", "made", "setting_going", "begun"]
"""How far a start has come.

``asking``: the request was sent, and no answer is known. ``made``: the task exists, but a second action has to set it
going. ``setting_going``: the request for that was sent, and no answer is known. ``begun``: the vendor has answered all.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One start of a task, as Airflow stores it between two tries.

    Args:
        run: Counts how often the user has cleared the Airflow task: all tries between two clears have the same number.
        progress: How far the start has come.
        token: A random token of this start.
        sent_at: When the request was first sent, in Unix seconds.
        ids: The ids of the tasks.
        job: The id of the job that must end before the tasks begin; None for no job.
        asked: What was asked for.
        identity: Identifies the Airflow task within the row of its DAG run; empty if an older version stored the
            attempt.
        is_alone: Whether, as far as was known when the request was sent, no other Airflow task asked for the same.
        is_ours: Whether the vendor confirmed that this start created the tasks. False if a look-up found a task only
            because it has the same parameters.
    """

    run: int
    progress: Progress
    token: str
    sent_at: float
    ids: tuple[str, ...] = ()
    job: str | None = None
    asked: Asked = field(default_factory=Asked)
    identity: str = ""
    is_alone: bool = False
    is_ours: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Return the attempt as plain JSON types."""
        return asdict(self) | {"ids": list(self.ids), "asked": asdict(self.asked)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild an attempt from the result of :meth:`as_dict`, also of an earlier or a later version."""
        stored = {**data, "ids": tuple(data["ids"])}
        if "stage" in stored:  # the name of progress in 0.1.0
            stored["progress"] = stored.pop("stage")
        asked = stored.get("asked", "")
        # Up to 0.2.0, asked was the digest alone.
        stored["asked"] = Asked(**_known(Asked, asked)) if isinstance(asked, Mapping) else Asked(digest=asked)
        return cls(**_known(cls, stored))


class Memory(Protocol):
    """One value that outlives the process that runs an Airflow task."""

    def get(self) -> dict[str, Any] | None:
        """Return the stored value; None if there is none. Raise if Airflow cannot tell."""

    def keep(self, value: dict[str, Any]) -> None:
        """Store a value of plain JSON types in place of the earlier one. Raise unless it is stored."""

    def forget(self) -> None:
        """Delete the stored value."""


def _known(kind: type, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that this version knows."""
    names = {each.name for each in fields(kind)}
    return {name: value for name, value in stored.items() if name in names}
