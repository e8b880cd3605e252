"""Which tasks requests have started, and which they wanted canceled. Kept whole, so that a test can count."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(frozen=True, slots=True)
class Started:
    """A task that a request started, or started again.

    Attributes:
        api: The API that reads it.
        id: Its id.
        action: The vendor's action that was called.
        parameters: What the action was called with.
        time: When, in Unix seconds of the tasks' clock.
    """

    api: str
    id: str
    action: str
    parameters: JsonObject
    time: float


@dataclass(frozen=True, slots=True)
class Canceled:
    """A request to cancel a task.

    Attributes:
        api: The API that reads it.
        id: The id that was named.
        action: The vendor's action that was called.
        parameters: What the action was called with.
        time: When, in Unix seconds of the tasks' clock.
        status: The task's status until then; None where there is no such task.
        ended: Whether the request ended it: not one that had ended before, nor one that does not exist.
    """

    api: str
    id: str
    action: str
    parameters: JsonObject
    time: float
    status: str | None
    ended: bool


@dataclass(slots=True)
class Ledger:
    """What requests have started and canceled, the oldest first.

    Attributes:
        started: The starts.
        canceled: The cancellations.
    """

    started: list[Started] = field(default_factory=list)
    canceled: list[Canceled] = field(default_factory=list)

    def clear(self) -> None:
        """Forget all."""
        self.started.clear()
        self.canceled.clear()


def describe(entries: list[Started] | list[Canceled], api: str | None) -> list[JsonObject]:
    """Tell entries as the control plane shows them.

    Args:
        entries: The entries.
        api: Only those of this API; None for all.

    Returns:
        One object an entry.
    """
    return [asdict(entry) for entry in entries if api in (None, entry.api)]
