"""Measures the dispatcher of the triggerer with tens of thousands of waits that are all due at the same moment.

The waits are on workflow runs of WeData, which are listed by project: 50,000 waits over 1, 100, 5,000 and 25,000
projects, and fewer waits over as many projects as half of them. No run ends. Nothing is sent: a hook answers every
request after 20 ms, so that only this package and Python's event loop are measured. The connection allows 2,000
requests a second, a hundred times the usual allowance, so that every wait is polled within seconds.

Each case runs in a process of its own, twice: with Python's garbage collector as it is, and with the collector frozen
and switched off. The figures are:

- The longest stall: how late a task wakes up that sleeps for 5 ms, from just before the waits are due until every wait
  has been polled. Time in which other programs held the processor does not count. With the collector on, the longest
  collection is shown beside it.
- The memory of a wait: what the process holds more after all polls than before the first wait, minus the same for as
  many tasks of the event loop that hold the same arguments and sleep.
- The CPU time of a wait's first poll. It must not grow with the number of waits.

Exits with 1, and names the limit, if a stall without the collector reaches 50 ms, if a wait takes more than 4 KB, or if
the CPU time of a poll with 50,000 waits is more than 1.5 times that with 12,500.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e . -r benchmarks/requirements.txt
    python benchmarks/scale.py
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

MOST = 50_000
CASES = (
    *((MOST, scopes) for scopes in (1, 100, 5_000, 25_000)),
    *((waits, waits // 2) for waits in (12_500, 25_000)),
)
ANSWER_SECONDS = 0.02
REQUESTS_PER_SECOND = 2_000.0
TICK = 0.005
MOST_STALL, MOST_MEMORY, MOST_GROWTH = 0.05, 4096, 1.5
# Waits that are started in one iteration of the event loop, as a triggerer starts them one by one.
STARTED_AT_ONCE = 20
# Seconds between the last start, the first look at stalls, and the moment when all waits are due.
QUIET = 1.0
# When the waits are due. The clock of the event loop is put forward to that time once all of them have been started.
IN_AN_HOUR = 3600.0


def main() -> int:
    options = _options()
    if options.case:
        waits, scopes = options.case
        print(json.dumps(measure(waits, scopes, frozen=options.frozen)))
        return 0
    results = {case: (run(*case, frozen=True), run(*case, frozen=False)) for case in CASES}
    print(
        "| waits | projects | longest stall | with the collector on | of it, the collector | a wait | CPU of a poll |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for (waits, scopes), (frozen, collecting) in results.items():
        print(
            f"| {waits:,} | {scopes:,} | **{frozen['stall'] * 1000:.0f} ms** | {collecting['stall'] * 1000:.0f} ms "
            f"| {collecting['collection'] * 1000:.0f} ms | {collecting['memory'] / 1024:.1f} KB "
            f"| {frozen['cpu'] * 1e6:.0f} us |"
        )
    broken = list(broken_limits(results))
    print(*broken, sep="\n", file=sys.stderr)
    return bool(broken)


def broken_limits(results: dict[tuple[int, int], tuple[dict[str, float], dict[str, float]]]) -> Any:
    """Yield a line for each limit that is broken."""
    for (waits, scopes), (frozen, collecting) in results.items():
        case = f"{waits:,} waits over {scopes:,} projects"
        if frozen["stall"] >= MOST_STALL:
            yield f"{case}: the longest stall is {frozen['stall'] * 1000:.0f} ms; the limit is 50 ms"
        if collecting["memory"] > MOST_MEMORY:
            yield f"{case}: a wait takes {collecting['memory']:.0f} bytes; the limit is {MOST_MEMORY}"
    fewest = min(waits for waits, _ in results)
    growth = results[MOST, MOST // 2][0]["cpu"] / results[fewest, fewest // 2][0]["cpu"]
    if growth > MOST_GROWTH:
        yield f"the CPU time of a poll grows {growth:.2f} times from {fewest:,} to {MOST:,} waits; limit {MOST_GROWTH}"


def run(waits: int, scopes: int, *, frozen: bool) -> dict[str, float]:
    """Measure a case in a process of its own."""
    case = [str(waits), str(scopes), *(["--frozen"] if frozen else [])]
    ran = subprocess.run([sys.executable, __file__, "--case", *case], check=True, stdout=subprocess.PIPE)
    measured: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return measured


def measure(waits: int, scopes: int, *, frozen: bool) -> dict[str, float]:
    """Run waits over projects, and measure them.

    Args:
        waits: The number of waits.
        scopes: The number of projects.
        frozen: Whether the garbage collector is frozen and switched off.
    """
    if frozen:
        gc.freeze()
        gc.disable()
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(_Run(waits, scopes).measure())


class _Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be put forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class _Run:
    """The waits of one case."""

    def __init__(self, waits: int, scopes: int) -> None:
        from airflow_cloudtasks.hooks.tencent import TencentCloudHook
        from airflow_cloudtasks.waiting.triggerer import dispatcher, watch

        self._ids: dict[str, list[str]] = {f"project-{number}": [] for number in range(scopes)}
        for number, project in zip(range(waits), _around(list(self._ids)), strict=False):
            self._ids[project].append(f"run-{number}")
        self._waits = waits
        self._polled: set[str] = set()
        self._due_at = float("inf")
        self._stall = self._collection = self._collection_began = 0.0
        answer = self._answer
        account = SimpleNamespace(credentials="key", requests_per_second={"*": REQUESTS_PER_SECOND})
        client = SimpleNamespace(account=account, region="ap-guangzhou")

        class Hook(TencentCloudHook):
            async def aget_conn(self) -> Any:
                return client

            async def acall_once(self, service: Any, action: Any, parameters: Any) -> Any:
                await asyncio.sleep(ANSWER_SECONDS)
                return answer(parameters)

        dispatcher.hook_for = lambda _, conn_id, region: Hook(conn_id, region)  # type: ignore[assignment]
        watch.first_delay = lambda *_: max(self._due_at - asyncio.get_running_loop().time(), 0.0)

    async def measure(self) -> dict[str, float]:
        # A first wait loads what every wait needs.
        self._due_at = 0.0
        first = asyncio.create_task(self._wait("run-first", "project-first"))
        await self._until_polled(1)
        self._polled.clear()
        gc.collect()
        before = resident_bytes()
        sleepers = await self._start(self._sleep)
        of_sleepers = resident_bytes() - before
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Loop)
        self._due_at = loop.time() + IN_AN_HOUR
        waits = await self._start(self._wait)
        await asyncio.sleep(QUIET)
        gc.callbacks.append(self._note_collection)
        ticking = asyncio.create_task(self._watch_stalls())
        await asyncio.sleep(QUIET)
        cpu = time.process_time()
        loop.ahead = IN_AN_HOUR
        await self._until_polled(self._waits)
        cpu = time.process_time() - cpu
        memory = resident_bytes() - before - 2 * of_sleepers
        stall, collection = self._stall, self._collection
        tasks = [first, ticking, *waits, *sleepers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return {
            "stall": stall,
            "collection": collection,
            "memory": memory / self._waits,
            "cpu": cpu / self._waits,
        }

    async def _start(self, wait: Callable[[str, str], Coroutine[Any, Any, None]]) -> list[asyncio.Task[None]]:
        tasks: list[asyncio.Task[None]] = []
        for project, ids in self._ids.items():
            for each in ids:
                tasks.append(asyncio.create_task(wait(each, project)))
                if len(tasks) % STARTED_AT_ONCE == 0:
                    await asyncio.sleep(0)
        return tasks

    @staticmethod
    async def _sleep(run: str, project: str) -> None:
        await asyncio.get_running_loop().create_future()

    async def _wait(self, run: str, project: str) -> None:
        from airflow_cloudtasks.catalog import APIS
        from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES
        from airflow_cloudtasks.waiting.group import GroupRules
        from airflow_cloudtasks.waiting.triggerer.wait import wait_for_tasks

        await wait_for_tasks(
            APIS["wedata.workflow_run"],
            [run],
            {"ProjectId": project},
            conn_id=None,
            region=None,
            rules=_rules(),
            overrides=NO_OVERRIDES,
            group=GroupRules(),
            deadline=time.time() + 86_400,
            log=lambda _: None,
        )

    def _answer(self, parameters: Any) -> dict[str, Any]:
        if (run := parameters.get("WorkflowExecutionId")) is not None:
            self._polled.add(run)
            return {"Data": {"TriggerWorkflowRun": {"ExecutionId": run, "ExecutionState": "RUNNING"}}}
        ids = self._ids.get(parameters["ProjectId"], [])
        number = parameters.get("PageNumber", 1)
        shown = ids[100 * (number - 1) : 100 * number]
        self._polled.update(shown)
        items = [{"ExecutionId": run, "ExecutionState": "RUNNING"} for run in shown]
        return {"Data": {"Items": items, "TotalPageNumber": -(-len(ids) // 100)}}

    async def _until_polled(self, waits: int) -> None:
        while len(self._polled) < waits:  # noqa: ASYNC110 - an event would be one more thing to measure
            await asyncio.sleep(0.05)

    async def _watch_stalls(self) -> None:
        while True:
            wall, own = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            late = time.perf_counter() - wall - TICK
            self._stall = max(self._stall, min(late, time.thread_time() - own))

    def _note_collection(self, phase: str, _: dict[str, int]) -> None:
        now = time.thread_time()
        if phase == "start":
            self._collection_began = now
        else:
            self._collection = max(self._collection, now - self._collection_began)


def _rules() -> Any:
    from airflow_cloudtasks.waiting.verdicts import WaitRules

    return WaitRules(poke_interval=60.0)


def _around(projects: list[str]) -> Any:
    while True:
        yield from projects


def resident_bytes() -> int:
    """Return the memory that this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs=2, type=int, metavar=("WAITS", "PROJECTS"), help="measure one case only")
    parser.add_argument("--frozen", action="store_true", help="with --case: freeze and switch off the collector")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
