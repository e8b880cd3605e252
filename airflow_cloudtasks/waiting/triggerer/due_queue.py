"""A queue by time whose entries may become stale. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

Item = TypeVar("Item")

# Entries that one look at the queue removes singly; if more are stale, all stale entries are removed at once.
_AT_ONCE = 500


class DueQueue(Generic[Item]):
    """Items by time. An item that moves is pushed again, and its earlier entry becomes stale.

    Stale entries are skipped. No single call removes many of them one by one, so that no call blocks an event loop.

    Args:
        is_current: Returns whether the entry of an item at a time still counts.
    """

    def __init__(self, is_current: Callable[[Item, float], bool]) -> None:
        self._is_current = is_current
        self._entries: list[tuple[float, int, Item]] = []
        self._number = count()

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, time: float, item: Item) -> None:
        """Add an entry."""
        heapq.heappush(self._entries, (time, next(self._number), item))

    def first_at(self) -> float | None:
        """Return the time of the first entry that counts; None if there is none."""
        removed = 0
        while self._entries and not self._is_current(self._entries[0][2], self._entries[0][0]):
            if removed == _AT_ONCE:
                self.compact()
                break
            heapq.heappop(self._entries)
            removed += 1
        return self._entries[0][0] if self._entries else None

    def first(self) -> Item | None:
        """Return the first item that counts, and leave it in the queue; None if there is none."""
        return None if self.first_at() is None else self._entries[0][2]

    def pop(self) -> Item:
        """Remove and return the item that :meth:`first` returned."""
        return heapq.heappop(self._entries)[2]

    def compact(self) -> None:
        """Remove all stale entries."""
        self._entries = [entry for entry in self._entries if self._is_current(entry[2], entry[0])]
        heapq.heapify(self._entries)
