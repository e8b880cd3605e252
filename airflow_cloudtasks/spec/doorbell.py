"""The message by which a vendor tells that a task has ended. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Doorbell:
    """A message that the vendor sends to a queue when a task has ended.

    Args:
        event: The vendor's name of the event.
        id: The path of the task's id in what the event says.
    """

    event: str
    id: str = "TaskId"
