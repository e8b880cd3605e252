"""Measures the cost of many waits at once, how soon they notice an end, and whether they respect a limit on requests.

The servers run in their own processes, over TLS, and admit 20 requests in any second for one account and action. They
refuse further requests as each vendor does. Each side runs in a fresh process: the ``run()`` of its triggers as tasks
of one event loop, created one after the other, as Airflow's triggerer creates them after a restart. A first wait, which
does not count, has loaded the modules that a wait needs. Every tenth task fails. A wait is right if it reports how its
task ended.

1. Waits on an API without a list (Tencent's LKE), 500 and 2,000 at once, all with the same poll interval:

   - ``this package``: :class:`CloudTaskTrigger`.
   - ``dbt Cloud``, ``Databricks``: the triggers of these providers, with their default retries, on a server that
     implements their APIs.
   - ``vendor's SDK``: a trigger as the README of Tencent's SDK suggests it, with one asynchronous client for each wait.

2. 10,000 waits on an API with a list (Alibaba's BDRC), on tasks that take an hour. Each task makes a percent of
   progress every 36 seconds, and all of them end within one minute. Memory is what the process holds just before the
   first task ends, minus what it held before the waits were made, minus the same for as many triggers that hold the
   same arguments and sleep. CPU time counts from two poll intervals after the last start to the last event.
3. Two processes with 1,000 waits each on one account of LKE: the share of the allowance that each process gets, from
   15 seconds after the start. No task ends during that time.

4. 5,000 waits on each of ``dlc.task`` (50 ids in a request), ``emr_serverless_spark.job_run`` (a list of 100) and
   ``dataworks.task_instance`` (100 ids in a request). Beside them, 1,000 waits of each operator that exists for these
   clouds: ``DLCOperator`` of tencentcloud-dlc-provider, and ``AnalyticDBSparkSQLOperator`` of
   apache-airflow-providers-alibaba. They block a worker slot each, here a thread.

"Noticed after" is the time from the end of a task to the event of its trigger, for the waits that were right. "Of a
core" is the process's CPU time, with all threads, divided by its run time. The stall is the longest delay of a task
that wakes up every 10 ms; its limit leaves out the time in which Python collected garbage. Waits that have not ended
some time after the last task are cut off.

Exits with 1, and names the limit, if this package breaks a limit of ``waiting/limits.py``.

Set-up (in a separate virtual environment; Python 3.11 or newer)::

    pip install -e '.[emulator]' -r benchmarks/requirements.txt
    python benchmarks/waits.py --json waits.json --plot waits.svg
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from waiting import limits
from waiting.figures import SETTLING, Figures, figures, memory_of_a_wait, shares, steady_cpu
from waiting.plot import draw
from waiting.runs import Plan, Seen, run
from waiting.servers import World, serving
from waiting.sides import SIDES
from waiting.tables import side_table, table

PARTS = ("1", "2", "3", "4")
ONE_BY_ONE = ("cloudtasks", "dbt", "databricks", "sdk")
# Seconds until the first task ends: by then, all 10,000 waits have started and been polled a few times.
LIST_QUIET = 30.0
LIST_POKE = 2.0
TWO_SECONDS = 75.0
# Part 4: the sides of this package with the tasks that one request reads, and the operators that block a worker.
IN_BULK = {"dlc": 50, "emr": 100, "dataworks": 100}
BLOCKING = ("dlc-operator", "adb-operator")
BULK_ENDS = (5.0, 35.0)
BULK_GRACE = 15.0
GRACE = 30.0


class Report:
    """Collects the figures for the JSON file, and the broken limits."""

    def __init__(self, options: argparse.Namespace) -> None:
        kept = {name: value for name, value in vars(options).items() if name not in ("json", "plot")}
        self.figures: dict[str, Any] = {"options": kept}
        self.broken: list[str] = []
        self.drawn: list[Seen] = []

    def note(self, name: str, figures: Figures, **more: Any) -> None:
        """Store the figures of a run."""
        self.figures[name] = asdict(figures) | {"refused_share": figures.refused_share} | more
        if figures.why:
            print(f"  {name}: {figures.failed} failed, e.g. {figures.why[0][0]}", file=sys.stderr)


def main() -> int:
    options = _options()
    report = Report(options)
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory)) as world:
        for part, measure in (("1", _one_by_one), ("2", _by_list), ("3", _two), ("4", _in_bulk)):
            if part in options.only:
                report.broken += measure(options, world, report)
    if options.json:
        options.json.write_text(json.dumps(report.figures, indent=1) + "\n")
    if options.plot and report.drawn:
        draw(report.drawn, options.plot)
    for broken in report.broken:
        print(f"FAILED: {broken}", file=sys.stderr)
    return 1 if report.broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts only")
    parser.add_argument("--sides", nargs="+", choices=ONE_BY_ONE, default=ONE_BY_ONE, help="part 1: these sides only")
    parser.add_argument("--waits", nargs="+", type=int, default=[500, 2000], help="part 1: how many (500 and 2000)")
    parser.add_argument("--list-waits", type=int, default=10_000, help="part 2: how many (%(default)s)")
    parser.add_argument("--two-waits", type=int, default=1000, help="part 3: how many in each process (%(default)s)")
    parser.add_argument("--bulk-waits", type=int, default=5000, help="part 4: how many of this package (%(default)s)")
    parser.add_argument("--slots", type=int, default=1000, help="part 4: how many of each operator (%(default)s)")
    parser.add_argument("--poke", type=float, default=10.0, help="seconds between two polls, but for part 2's 2 s (10)")
    parser.add_argument("--spread", type=float, default=60.0, help="seconds over which tasks end (%(default)g)")
    parser.add_argument("--start-over", type=float, default=0.0, help="part 1: seconds over which waits start (0)")
    parser.add_argument("--rate", type=float, default=20.0, help="requests per second that are allowed (%(default)g)")
    parser.add_argument(
        "--latency", nargs=2, type=float, default=[0.02, 0.1], help="seconds by which answers are delayed (0.02 to 0.1)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw part 1 there, as an SVG")
    return parser.parse_args()


def _one_by_one(options: argparse.Namespace, world: World, report: Report) -> Iterator[str]:
    rows = []
    for waits in options.waits:
        for name in options.sides:
            plan = Plan(
                side=name,
                waits=waits,
                poke=options.poke,
                ends=(0.0, options.spread),
                # The time that the allowance needs for one poll of every wait, and some more.
                seconds=options.spread + 1.5 * waits / options.rate + GRACE,
                start_over=options.start_over,
                rate=options.rate,
                latency=tuple(options.latency),
            )
            seen = run(plan, world)
            found = figures(seen)
            report.note(f"{name}, {waits} waits", found)
            report.drawn.append(seen)
            rows.append((SIDES[name].title, found))
            if name == "cloudtasks":
                yield from limits.broken_one_by_one(found, options.rate)
    print(f"\n{side_table(rows)}\n", flush=True)


def _by_list(options: argparse.Namespace, world: World, report: Report) -> Iterator[str]:
    common: dict[str, Any] = {
        "waits": options.list_waits,
        "poke": LIST_POKE,
        "rate": options.rate,
        "latency": tuple(options.latency),
    }
    ends = (LIST_QUIET, LIST_QUIET + options.spread)
    idle = run(Plan(side="idle", **common, ends=ends, seconds=LIST_QUIET / 2), world)
    seen = run(Plan(side="cloudtasks-list", **common, ends=ends, seconds=ends[1] + GRACE), world)
    found, of_idle, of_ours = figures(seen), memory_of_a_wait(idle), memory_of_a_wait(seen)
    (quiet, cpu), (sleeping, _) = steady_cpu(seen), steady_cpu(idle)
    report.note(
        "by list",
        found,
        cpu_sleeping=sleeping,
        cpu_quiet=quiet,
        cpu_steady=cpu,
        bytes_of_a_wait=of_ours,
        bytes_of_an_idle_wait=of_idle,
    )
    head = ["of a core, nothing ending", "to the last event", "sleeping", "a wait holds", "a sleeping one", "more"]
    row = [f"{share:.1%}" for share in (quiet, cpu, sleeping)]
    row += [f"{of_one / 1024:.1f} KB" for of_one in (of_ours, of_idle, of_ours - of_idle)]
    print(f"\n{side_table([(SIDES[seen.plan.side].title, found)])}\n\n{table(head, [row])}\n", flush=True)
    yield from limits.broken_by_list(found, cpu, of_ours - of_idle)


def _two(options: argparse.Namespace, world: World, report: Report) -> Iterator[str]:
    plan = Plan(
        side="cloudtasks",
        waits=options.two_waits,
        processes=2,
        poke=options.poke,
        # No task ends before the cut-off: a process with fewer waits left would need less of the allowance.
        ends=(2 * TWO_SECONDS, 3 * TWO_SECONDS),
        seconds=TWO_SECONDS,
        rate=options.rate,
        latency=tuple(options.latency),
    )
    seen = run(plan, world)
    found, of_each = figures(seen), shares(seen)
    report.note("two processes", found, shares=of_each)
    head = [f"of the allowance, from {SETTLING:g} s on", "first", "second", "requests", "refused", "failed"]
    row = [f"{share:.1%}" for share in (sum(of_each), *of_each)]
    row += [str(found.requests), f"{found.refused} ({found.refused_share:.1%})", str(found.failed)]
    print(f"\n{table(head, [row])}\n", flush=True)
    yield from limits.broken_by_two(found, of_each)


def _in_bulk(options: argparse.Namespace, world: World, report: Report) -> Iterator[str]:
    rows = []
    for name in (*IN_BULK, *BLOCKING):
        plan = Plan(
            side=name,
            waits=options.bulk_waits if name in IN_BULK else options.slots,
            poke=options.poke,
            ends=BULK_ENDS,
            seconds=BULK_ENDS[1] + BULK_GRACE,
            rate=options.rate,
            latency=tuple(options.latency),
        )
        found = figures(run(plan, world))
        report.note(f"in bulk: {name}", found, worker_slots=plan.waits if name in BLOCKING else 0)
        rows.append((SIDES[name].title, found))
        if name in IN_BULK:
            sweep = plan.waits / IN_BULK[name] / plan.rate
            yield from limits.broken_in_bulk(SIDES[name].title, found, plan.poke, sweep)
    print(f"\n{side_table(rows)}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
