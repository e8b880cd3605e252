"""Find out whether another Airflow task asks for the same, where the vendor cannot tell two equal requests apart. Pure.

A look-up by parameters may find the task of another Airflow task that asked for the same. So each try enters a doorway
before it sends its request, and it takes such a task for its own only if nobody else has been there.

Airflow offers no atomic operation that its workers could use, but reads and writes are enough. The doorway is the
splitter of Lamport's fast mutual exclusion (A Fast Mutual Exclusion Algorithm, 1987): of all that enter, one at most
passes alone. Each of the others leaves a note before it sends its request. If a list shows a task, the request for it
has been sent, so the note can be read by then.

A request that omits a parameter may find the task of any request that gives it, and the other way round. So a request
that gives it also leaves a note in the doorway of those that omit it, and looks for notes there.

Entries count for an hour. Each day has values of its own, so the values of past days can be deleted: nobody writes
them any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

# Seconds after which an entry does not count any more: no request of that time is under way.
_ENTRY_SECONDS = 3600.0
# An entry stays at least this long after the request: the clocks of the vendor and of this machine may differ by it.
_CLOCK_SECONDS = 60.0
_DAY_SECONDS = 24 * 3600.0
# A task that asks about more days than today and yesterday is not alone: the values may be deleted.
_MOST_DAYS = 1

NAMES = ("last", "door", "crowd", "narrow")
"""The names of the values of a day: the last to enter, the one that closed the door, one that was not alone, and one
that gave a parameter which those of this doorway omit."""


class Registers(Protocol):
    """Values that all Airflow tasks share which ask for the same. Their names end in ``_`` and the number of a day."""

    def get(self, name: str) -> dict[str, Any] | None:
        """Return a value; None if there is none. Raise if it is unknown."""

    def put(self, name: str, value: dict[str, Any]) -> None:
        """Replace a value. Raise unless it is stored."""

    def delete(self, name: str) -> None:
        """Delete a value; it may be missing."""


class Doorway:
    """The doorway for one request.

    Args:
        registers: The values that are shared by all whose requests give the same parameters.
        owner: Identifies the Airflow task.
        now: Returns the time in Unix seconds.
        wider: The values that are shared by all whose requests omit a parameter. They are ``registers`` itself for a
            request that omits one, and None if no request can.
    """

    def __init__(
        self,
        registers: Registers,
        owner: str,
        now: Callable[[], float] = time.time,
        wider: Registers | None = None,
    ) -> None:
        self._registers, self._owner, self._now, self._wider = registers, owner, now, wider

    def enter(self) -> bool:
        """Enter before the request is sent, and return whether this task is alone so far."""
        entered_at = self._now()
        day, entry = day_of(entered_at), {"owner": self._owner, "at": entered_at}
        if self._wider is not None and self._wider is not self._registers:
            self._wider.put(f"narrow_{day}", entry)
        self._registers.put(f"last_{day}", entry)
        if self._is_open(day):
            self._registers.put(f"door_{day}", entry)
            if self._owner_of("last", day) == self._owner:
                return True
        self._registers.put(f"crowd_{day}", entry)
        return False

    def is_alone(self, entered_at: float) -> bool:
        """Return whether no other task has entered, for a task that was alone when it entered.

        Args:
            entered_at: When it entered for the first time, in Unix seconds.
        """
        since = entered_at - _ENTRY_SECONDS
        first, last = day_of(since), day_of(self._now() + _CLOCK_SECONDS)
        if last - first > _MOST_DAYS or self._owner_of("door", day_of(entered_at)) != self._owner:
            return False
        return not any(self._is_met(since, day) for day in range(first, last + 1))

    def leave(self) -> None:
        """Delete the entry of a task that has ended, unless it may still matter to another one.

        Raises:
            TransientError: Airflow does not answer.
        """
        now = self._now()
        for day in {day_of(now - _ENTRY_SECONDS), day_of(now)}:
            door = self._registers.get(f"door_{day}")
            # Near the end of its time, another task may enter between the read and the deletion.
            if (
                door is not None
                and door["owner"] == self._owner
                and _CLOCK_SECONDS < now - door["at"] < _ENTRY_SECONDS - _CLOCK_SECONDS
            ):
                self._registers.delete(f"door_{day}")
                self._registers.delete(f"last_{day}")

    def _is_met(self, since: float, day: int) -> bool:
        """Return whether another task has entered on a day, after a time."""
        door = self._registers.get(f"door_{day}")
        is_closed = door is not None and door["owner"] != self._owner and door["at"] > since
        if is_closed or _is_after(since, self._registers.get(f"crowd_{day}")):
            return True
        if self._wider is None:
            return False
        name = "narrow" if self._wider is self._registers else "last"
        return _is_after(since, self._wider.get(f"{name}_{day}"))

    def _is_open(self, day: int) -> bool:
        door = self._registers.get(f"door_{day}")
        return door is None or door["owner"] == self._owner or door["at"] < self._now() - _ENTRY_SECONDS

    def _owner_of(self, name: str, day: int) -> str | None:
        entry = self._registers.get(f"{name}_{day}")
        return None if entry is None else str(entry["owner"])


def day_of(moment: float) -> int:
    """Return the number of a day.

    Args:
        moment: Unix seconds.
    """
    return int(moment // _DAY_SECONDS)


def _is_after(since: float, entry: dict[str, Any] | None) -> bool:
    return entry is not None and entry["at"] > since
