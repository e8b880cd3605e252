"""The tasks that requests started and the cancellations they asked for. Never trimmed, so that a test can count."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_cloudtasks.emulator.engine.values import JsonObject


@dataclass(frozen=True, slots=True)
class Started:
    """A task that a request started or restarted.

    Attributes:
        api: The API that reads the task.
        id: The task's id.
        action: The vendor's action that was called.
        parameters: The action's parameters.
        time: When, in Unix seconds of the tasks' clock.
    """

    api: str
    id: str
    action: str
    parameters: JsonObject
    time: float


@dataclass(frozen=True, slots=True)
class Canceled(Started):
    """A request to cancel a task.

    Attributes:
        status: The task's status before the request; None if there is no such task.
        ended: Whether the request ended the task: False if it had ended before or does not exist.
    """

    status: str | None
    ended: bool


@dataclass(slots=True)
class Ledger:
    """Starts and cancellations, oldest first.

    Attributes:
        started: The starts.
        canceled: The cancellations.
    """

    started: list[Started] = field(default_factory=list)
    canceled: list[Canceled] = field(default_factory=list)

    def clear(self) -> None:
        """Forget all of them."""
        self.started.clear()
        self.canceled.clear()


def describe(entries: Iterable[Started], api: str | None) -> list[JsonObject]:
    """Return the entries of one API, or of all, as JSON objects."""
    return [asdict(entry) for entry in entries if api in (None, entry.api)]
