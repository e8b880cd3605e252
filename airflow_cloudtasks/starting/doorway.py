"""Find out whether another Airflow task asks for the same, where the vendor cannot tell two equal requests apart. Pure.

A look-up by parameters may find the task of another Airflow task that asked for the same. So each try enters a doorway
before it sends its request, and it takes such a task for its own only if nobody else has been there.

Airflow offers no atomic operation that its workers could use, but reads and writes are enough. The doorway is the
splitter of Lamport's fast mutual exclusion (A Fast Mutual Exclusion Algorithm, 1987): of all that enter, one at most
passes alone. Each of the others leaves a note before it sends its request. If a list shows a task, the request for it
has been sent, so the note can be read by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

# Seconds after which an entry does not count any more: no request of that time is under way.
_ENTRY_SECONDS = 3600.0
# An entry stays at least this long after the request: the clocks of the vendor and of this machine may differ by it.
_CLOCK_SECONDS = 60.0


class Registers(Protocol):
    """Three values that all Airflow tasks share which ask for the same."""

    def get(self, name: str) -> dict[str, Any] | None:
        """Return a value; None if there is none. Raise if it is unknown."""

    def put(self, name: str, value: dict[str, Any]) -> None:
        """Replace a value. Raise unless it is stored."""

    def delete(self, name: str) -> None:
        """Delete a value; it may be missing."""


class Doorway:
    """The doorway for one request.

    Args:
        registers: The values that are shared.
        owner: Identifies the Airflow task.
        now: Returns the time in Unix seconds.
    """

    def __init__(self, registers: Registers, owner: str, now: Callable[[], float] = time.time) -> None:
        self._registers, self._owner, self._now = registers, owner, now

    def enter(self) -> bool:
        """Enter before the request is sent, and return whether this task is alone so far."""
        entry = {"owner": self._owner, "at": self._now()}
        self._registers.put("last", entry)
        if self._is_open():
            self._registers.put("door", entry)
            if self._owner_of("last") == self._owner:
                return True
        self._registers.put("crowd", entry)
        return False

    def is_alone(self, entered_at: float) -> bool:
        """Return whether no other task has entered, for a task that was alone when it entered.

        Args:
            entered_at: When it entered for the first time, in Unix seconds.
        """
        crowd = self._registers.get("crowd")
        was_crowded = crowd is not None and crowd["at"] > entered_at - _ENTRY_SECONDS
        return not was_crowded and self._owner_of("door") == self._owner

    def leave(self) -> None:
        """Delete the entry of a task that has ended, unless it may still matter to another one.

        Raises:
            TransientError: Airflow does not answer.
        """
        door = self._registers.get("door")
        if door is None or door["owner"] != self._owner:
            return
        # Near the end of its time, another task may enter between the read and the deletion.
        if _CLOCK_SECONDS < self._now() - door["at"] < _ENTRY_SECONDS - _CLOCK_SECONDS:
            self._registers.delete("door")
            self._registers.delete("last")

    def _is_open(self) -> bool:
        door = self._registers.get("door")
        return door is None or door["owner"] == self._owner or door["at"] < self._now() - _ENTRY_SECONDS

    def _owner_of(self, name: str) -> str | None:
        entry = self._registers.get(name)
        return None if entry is None else str(entry["owner"])
