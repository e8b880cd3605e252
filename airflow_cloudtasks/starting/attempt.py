"""One start of a task, as far as it has come: what has to outlive the process that asks for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol, Self

# A task that has just been started may not be there yet for those who read.
UNSEEN_SECONDS = 60.0

# asking: the request was sent, and is not answered. made: the task is there, but has yet to be set going.
# setting_going: the request for that is not answered. begun: all is answered.
Progress = Literal["asking", "made", "setting_going", "begun"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One start, as far as it has come. What Airflow remembers of it.

    Args:
        run: Which of the user's runs of the Airflow task it belongs to: its retries have the same, and so has the run
            after the user cleared it while it ran; one after the user cleared it when it had ended has another.
        progress: How far it has come.
        token: The token of this start alone.
        sent_at: Unix seconds when the request was sent for the first time.
        ids: The ids of the tasks.
        job: The id of the job that has to end before they have begun.
        asked: A digest of what was asked for, and where: a look-up by other parameters finds another task, or none.
    """

    run: int
    progress: Progress
    token: str
    sent_at: float
    ids: tuple[str, ...] = ()
    job: str | None = None
    asked: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON types."""
        return asdict(self) | {"ids": list(self.ids)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it again of what :meth:`as_dict` gave."""
        fields = {**data, "ids": tuple(data["ids"])}
        if "stage" in fields:  # its name in 0.1.0
            fields["progress"] = fields.pop("stage")
        return cls(**fields)


class Memory(Protocol):
    """One value that outlives the process that runs a task of Airflow."""

    def get(self) -> dict[str, Any] | None:
        """Give what was kept; None where there is nothing."""

    def keep(self, value: dict[str, Any]) -> None:
        """Keep a value of plain JSON types, in the place of the one before."""

    def forget(self) -> None:
        """Keep nothing any more."""
