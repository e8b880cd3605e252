"""Runs one side's waits in one event loop, like Airflow's triggerer; ``python -m waiting.triggerer SIDE POKE``.

Prints ``ready`` once a first wait has loaded the modules that a wait needs. Then reads its orders as a line of JSON,
and prints its measurements as a line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from waiting.sides import SIDES, Side

WARM_UP = 1
_TICK = 0.01
_SAMPLE = 0.5
_LONGEST_KEPT = 10


class Measures:
    """Measurements of this process while the waits run."""

    def __init__(self) -> None:
        self.stalls: list[tuple[float, float, float, float]] = []
        self._collecting = 0.0
        self._collected_from = 0.0
        gc.callbacks.append(self._note_collection)
        self.samples: list[tuple[float, float, int]] = []

    async def watch_stalls(self) -> None:
        """Record how late a frequent wake-up is, and what this thread did meanwhile."""
        while True:
            wall, own, collecting = time.perf_counter(), time.thread_time(), self._collecting
            await asyncio.sleep(_TICK)
            late = time.perf_counter() - wall - _TICK
            self.stalls.append((late, time.thread_time() - own, self._collecting - collecting, time.time() - late))
            self.stalls = sorted(self.stalls, reverse=True)[:_LONGEST_KEPT]

    def _note_collection(self, phase: str, _: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._collected_from = now
        else:
            self._collecting += now - self._collected_from

    async def sample(self) -> None:
        """Record the time, the CPU seconds and the memory periodically."""
        while True:
            self.samples.append((time.time(), time.process_time(), resident_bytes()))
            await asyncio.sleep(_SAMPLE)


class Triggerer:
    """Run the waits of one side.

    Args:
        side: The side.
        poke: Seconds between two polls.
    """

    def __init__(self, side: Side, poke: float) -> None:
        self._side = side
        self._poke = poke
        self._running: set[asyncio.Task[None]] = set()
        self.events: list[dict[str, Any]] = []

    async def start(self, ids: list[int], seconds: float) -> None:
        """Start the waits over these seconds; yield to other tasks between two starts, like Airflow's triggerer."""
        began = time.perf_counter()
        for number, task_id in enumerate(ids):
            await asyncio.sleep(0)
            await asyncio.sleep(max(0.0, began + seconds * number / len(ids) - time.perf_counter()))
            trigger = self._side.make_trigger(task_id, self._poke)
            self._running.add(asyncio.create_task(self._run(task_id, trigger)))

    async def finish(self, seconds: float) -> None:
        """Wait until all waits have ended, for at most these seconds; cancel the remaining ones."""
        _, left = await asyncio.wait(self._running, timeout=seconds)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _run(self, task_id: int, trigger: Any) -> None:
        await _ensure_portal()
        outcome, why = None, "no event"
        try:
            async for event in trigger.run():
                outcome, why = self._side.outcome(event.payload), str(event.payload)
        except Exception as error:  # count every failed wait
            why = f"{type(error).__name__}: {error}"
        self.events.append(
            {"id": task_id, "at": time.time(), "outcome": outcome, "why": None if outcome else why[:200]}
        )
        await trigger.cleanup()


async def _ensure_portal() -> None:
    # Airflow 3 runs every trigger this way, at the cost of a greenlet for each.
    with suppress(ImportError):
        import greenback

        await greenback.ensure_portal()


def resident_bytes() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def separate_stdout() -> Iterator[TextIO]:
    """Yield the original stdout, and discard the logs that Airflow writes to stdout."""
    with os.fdopen(os.dup(1), "w") as parent, open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        yield parent


async def main(parent: TextIO, side: Side, poke: float) -> None:
    warm_up = Triggerer(side, min(poke, 0.1))
    await warm_up.start([WARM_UP], 0)
    await warm_up.finish(10)
    gc.collect()
    print("ready", file=parent, flush=True)
    plan = json.loads(await asyncio.to_thread(sys.stdin.readline))

    measures, triggerer = Measures(), Triggerer(side, poke)
    before = resident_bytes()
    watchers = [asyncio.create_task(measures.watch_stalls()), asyncio.create_task(measures.sample())]
    await asyncio.sleep(0.1)
    measures.stalls.clear()
    began, cpu = time.time(), time.process_time()
    await triggerer.start(plan["ids"], plan["start_over"])
    started = time.time()
    await triggerer.finish(plan["seconds"])
    ended, cpu = time.time(), time.process_time() - cpu
    for watcher in watchers:
        watcher.cancel()
    result = {
        "began": began,
        "started": started,
        "ended": ended,
        "cut_off": started + plan["seconds"],
        "cpu": cpu,
        "memory_before": before,
        "memory_peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "stalls": measures.stalls,
        "samples": measures.samples,
        "events": triggerer.events,
    }
    print(json.dumps(result), file=parent, flush=True)


if __name__ == "__main__":
    with separate_stdout() as to_parent:
        asyncio.run(main(to_parent, SIDES[sys.argv[1]], float(sys.argv[2])))
