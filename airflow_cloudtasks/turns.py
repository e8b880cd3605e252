"""Keeps many coroutines that wake up at once from running in one go."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def take_turn() -> None:
    """Let one caller go on in each round of the event loop.

    Two hundred waits that start together, or get the credentials that all of them waited for, would else keep the loop
    from everybody else for as long as all of them take.
    """
    async with _locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        await asyncio.sleep(0)
