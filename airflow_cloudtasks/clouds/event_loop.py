"""Values that exist once per event loop, and turns that keep the loop responsive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")

# The attribute of an event loop that holds its values.
_VALUES = "_airflow_cloudtasks_values"


class PerEventLoop(Generic[Value]):
    """One value for each event loop, created at first use and dropped with the loop.

    The loop itself holds the value, because values refer to their loop: a mapping from loops to values would keep both.

    Args:
        make: Creates the value.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make

    def get(self) -> Value:
        """Return the value of the running event loop.

        Raises:
            RuntimeError: No event loop is running.
        """
        values: dict[PerEventLoop[Any], Any] = vars(asyncio.get_running_loop()).setdefault(_VALUES, {})
        if self not in values:
            values[self] = self._make()
        value: Value = values[self]
        return value


_turns = PerEventLoop(asyncio.Lock)


async def take_turn() -> None:
    """Wait for a turn: at most one caller returns in each iteration of the event loop.

    Without turns, two hundred waits that start together, or that receive the same credentials together, would block the
    loop until all of them have sent their requests.
    """
    async with _turns.get():
        await asyncio.sleep(0)
