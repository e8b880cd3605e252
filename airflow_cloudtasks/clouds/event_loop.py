"""Values that exist once per event loop, and turns that keep the loop responsive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Value = TypeVar("Value")


class PerEventLoop(Generic[Value]):
    """One value for each event loop, created at first use and dropped with the loop.

    Args:
        make: Creates the value.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[asyncio.AbstractEventLoop, Value] = WeakKeyDictionary()

    def get(self) -> Value:
        """Return the value of the running event loop.

        Raises:
            RuntimeError: No event loop is running.
        """
        loop = asyncio.get_running_loop()
        value = self._values.get(loop)
        if value is None:
            value = self._values[loop] = self._make()
        return value


_turns = PerEventLoop(asyncio.Lock)


async def take_turn() -> None:
    """Wait for a turn: at most one caller returns in each iteration of the event loop.

    Without turns, two hundred waits that start together, or that receive the same credentials together, would block the
    loop until all of them have sent their requests.
    """
    async with _turns.get():
        await asyncio.sleep(0)
