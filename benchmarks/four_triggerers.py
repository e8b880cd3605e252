"""Lets four real triggerers share one account, and measures how they share it.

Airflow's processes run on Debian's PostgreSQL (``apt-get install postgresql``). Each triggerer has a capacity of one
trigger: a wait on 100 tasks that never end, polled every second. So each could use the whole allowance of 20 requests a
second. The emulator refuses further requests in two ways, one after the other: with fixed windows of a second, and with
a sliding window in which refused requests count too. Answers take 20 to 100 ms.

A minute after the start, and after each change of the limiter, shares have settled. From then on, this counts:

- answered: the answered requests as a share of the allowance,
- refused: the refused requests as a share of all,
- least: what the triggerer with the fewest answers got, as a share of the mean.

Exits with 1 if a limit is broken: at least 95% answered with fixed windows and 75% where refused requests count, under
5% refused, and no one below half of the mean. ``many_triggerers.py`` simulates the same for 1 to 32 triggerers.

Set-up (in a separate virtual environment; Python 3.11 or newer; as root on Debian, or with PostgreSQL installed)::

    pip install -e '.[emulator]' -r benchmarks/requirements.txt
    python benchmarks/four_triggerers.py
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from airflow_database import known_dags
from real_airflow import Parts, airflow, answers, postgresql, say, set_up

from airflow_cloudtasks.emulator import Emulator

API = "lke.task"
DAG_ID = "four_triggerers"
REFUSED, LEAST_FAIR = 0.05, 0.5


@dataclass(frozen=True)
class Limiter:
    """A way of counting requests, and the least share of the allowance that has to be answered."""

    title: str
    window: str
    counts_refused: bool
    answered: float


LIMITERS = (
    Limiter("fixed windows", "fixed", False, 0.95),
    Limiter("sliding window, refused requests count", "sliding", True, 0.75),
)


def main() -> int:
    options = _options()
    with ExitStack() as stack:
        directory = tempfile.TemporaryDirectory(prefix="four-triggerers-", ignore_cleanup_errors=True)
        home = Path(stack.enter_context(directory))
        emulator = stack.enter_context(Emulator())
        emulator.latency((0.02, 0.1))
        for triggerer in range(options.triggerers):
            for number in range(options.tasks):
                emulator.add_running(API, f"{triggerer}-{number}")
        health = set_up(home, "four_triggerers_dags", emulator.connections(), parallelism=options.triggerers)
        os.environ["FOUR_TRIGGERERS"] = str(options.triggerers)
        os.environ["FOUR_TRIGGERERS_TASKS"] = str(options.tasks)
        os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = stack.enter_context(postgresql())
        parts = stack.enter_context(Parts(home))
        return _measure(parts, emulator, health, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--triggerers", type=int, default=4, help="how many (%(default)s)")
    parser.add_argument("--tasks", type=int, default=100, help="tasks of each triggerer's wait (%(default)s)")
    parser.add_argument("--rate", type=float, default=20.0, help="requests per second that are admitted (%(default)g)")
    parser.add_argument("--settle", type=float, default=60.0, help="seconds before requests count (%(default)g)")
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds in which requests count (%(default)g)")
    return parser.parse_args()


def _measure(parts: Parts, emulator: Emulator, health: str, options: argparse.Namespace) -> int:
    emulator.limit(options.rate, window=LIMITERS[0].window, counts_refused=LIMITERS[0].counts_refused)
    airflow("db", "migrate")
    for part in ("api-server", "scheduler", "dag-processor"):
        parts.start(part)
    for _ in range(options.triggerers):
        parts.start("triggerer", "--skip-serve-logs", "--capacity", "1")
    parts.until("Airflow's API server answers", lambda: answers(health))
    parts.until("the DAG is known", lambda: bool(known_dags()))
    airflow("dags", "trigger", DAG_ID)
    parts.until("every triggerer polls", lambda: len(_polling(emulator)) == options.triggerers)

    rows, broken = [], []
    for number, limiter in enumerate(LIMITERS):
        if number:
            emulator.limit(options.rate, window=limiter.window, counts_refused=limiter.counts_refused)
        _rest(parts, options.settle)
        emulator.clear_requests()
        began = time.monotonic()
        _rest(parts, options.seconds)
        seconds = time.monotonic() - began
        answered = Counter({str(triggerer): 0 for triggerer in range(options.triggerers)})
        answered.update(_polling(emulator))
        totals = emulator.totals()[API]
        share = answered.total() / (options.rate * seconds)
        refused = totals["refused"] / totals["total"]
        least = min(answered.values()) * options.triggerers / answered.total()
        say(f"{limiter.title}: {dict(answered)}")
        rows.append(f"| {limiter.title} | {share:.1%} | {refused:.1%} | {least:.2f} |")
        if share < limiter.answered:
            broken.append(f"{limiter.title}: {share:.1%} answered, not {limiter.answered:.0%}")
        if refused >= REFUSED:
            broken.append(f"{limiter.title}: {refused:.1%} refused, {REFUSED:.0%} are too many")
        if least < LEAST_FAIR:
            broken.append(f"{limiter.title}: one got {least:.2f} of the mean, not {LEAST_FAIR}")
    print(f"\n| {options.triggerers} triggerers | answered | refused | least |\n| --- | --- | --- | --- |")
    print("\n".join(rows))
    for line in broken:
        print(f"FAILED: {line}", file=sys.stderr)
    return 1 if broken else 0


def _polling(emulator: Emulator) -> Counter[str]:
    """Return the number of answered requests of each triggerer, by the first part of the tasks' ids."""
    return Counter(
        request["parameters"]["TaskId"].partition("-")[0]
        for request in emulator.requests(API)
        if request["outcome"] == "ok"
    )


def _rest(parts: Parts, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        parts.check()
        time.sleep(min(left, 1.0))


if __name__ == "__main__":
    sys.exit(main())
