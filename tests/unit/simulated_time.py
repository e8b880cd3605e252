"""An event loop on a simulated clock: a sleep takes no time, and the clock jumps to its end."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Selector(selectors.DefaultSelector):
    """Advances the clock instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("Every task waits, and nothing is scheduled.")
        self.now += max(timeout, 0.0)
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock begins at 0.

    Attributes:
        iterations: How often it has run all callbacks that were ready.
    """

    def __init__(self) -> None:
        self.iterations = 0
        self._simulated = _Selector()
        super().__init__(self._simulated)
        # Timers are due when the clock shows their time exactly.
        self._clock_resolution = 1e-9

    def _run_once(self) -> None:
        self.iterations += 1
        super()._run_once()  # type: ignore[misc]

    def time(self) -> float:
        return self._simulated.now


def run_simulated(body: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine on a simulated clock, and cancel what it leaves behind."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(body)
