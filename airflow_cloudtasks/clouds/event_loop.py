"""What is kept once per event loop: sessions, budgets, pollers, and the turn of each coroutine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Value = TypeVar("Value")


class PerEventLoop(Generic[Value]):
    """One value for each event loop, made at first use and dropped with the loop.

    Args:
        make: Makes the value.
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
    """Let one caller continue in each iteration of the event loop.

    Otherwise two hundred waits that start together, or that get the credentials they all waited for, would block the
    loop for as long as all of them take.
    """
    async with _turns.get():
        await asyncio.sleep(0)
