"""What is kept once per event loop, and how many callers share its turns."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from itertools import pairwise

import pytest

from airflow_cloudtasks.clouds.event_loop import PerEventLoop, take_turn


class Kept:
    """A value that weak references can point to."""


@pytest.fixture
def made() -> list[Kept]:
    """The values that were made."""
    return []


@pytest.fixture
def per_loop(made: list[Kept]) -> PerEventLoop[Kept]:
    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    return PerEventLoop(make)


async def get(per_loop: PerEventLoop[Kept]) -> Kept:
    return per_loop.get()


def test_makes_one_value_per_event_loop(per_loop: PerEventLoop[Kept], made: list[Kept]) -> None:
    async def twice() -> tuple[Kept, Kept]:
        first = per_loop.get()
        await asyncio.sleep(0)
        return first, await asyncio.create_task(get(per_loop))

    first, second = asyncio.run(twice())
    assert first is second
    assert made == [first]


def test_each_event_loop_has_its_own_value(per_loop: PerEventLoop[Kept], made: list[Kept]) -> None:
    with asyncio.Runner() as one, asyncio.Runner() as other:
        values = [runner.run(get(per_loop)) for runner in (one, other, one, other)]
    assert values[:2] == values[2:] == made
    assert values[0] is not values[1]


def test_two_registries_share_no_value() -> None:
    async def both() -> tuple[Kept, Kept]:
        return PerEventLoop(Kept).get(), PerEventLoop(Kept).get()

    one, other = asyncio.run(both())
    assert one is not other


def test_drops_the_value_with_its_event_loop() -> None:
    per_loop = PerEventLoop(Kept)

    async def watched() -> weakref.ref[Kept]:
        return weakref.ref(per_loop.get())

    kept = asyncio.run(watched())
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("call", [lambda: PerEventLoop(Kept).get(), lambda: take_turn().send(None)])
def test_refuses_without_a_running_event_loop(call: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        call()


def test_take_turn_lets_one_caller_continue_per_iteration() -> None:
    """While five callers take their turns, a coroutine that runs in every iteration sees them one after the other."""
    continued: list[int] = []
    seen: list[int] = []

    async def caller(number: int) -> None:
        await take_turn()
        continued.append(number)

    async def watch() -> None:
        while len(continued) < 5:
            seen.append(len(continued))
            await asyncio.sleep(0)
        seen.append(len(continued))

    async def all_at_once() -> None:
        await asyncio.gather(watch(), *(caller(number) for number in range(5)))

    asyncio.run(all_at_once())
    assert continued == [0, 1, 2, 3, 4]
    assert all(later - earlier <= 1 for earlier, later in pairwise(seen))


def test_a_cancelled_caller_passes_its_turn_on() -> None:
    continued: list[str] = []

    async def caller(name: str) -> None:
        await take_turn()
        continued.append(name)

    async def cancel_the_first() -> None:
        first, second = asyncio.create_task(caller("first")), asyncio.create_task(caller("second"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 5)

    asyncio.run(cancel_the_first())
    assert continued == ["second"]
