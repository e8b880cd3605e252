"""Measures how soon ends are noticed by a feed, what it costs, and what happens while it fails or lies.

The servers, the limits and the processes are those of ``waits.py``. Every tenth run fails. All runs belong to one
project of WeData. "Requests a second" counts from the first end to the last event; "first reads" are those before, by
which each wait learns once how its run is doing.

1. 10,000 waits with a ``poke_interval`` of 300 seconds, on runs that end within two minutes: by the feed, by sweeping
   the list as before, and by single reads. The last two are cut off, so that "noticed after" is that of the waits that
   have ended by then, and the others are counted as unfinished.
2. 300 waits with a ``poke_interval`` of 20 seconds, and no list beside the feed, on runs that end within two minutes.
   For 40 seconds in the middle, the feed is in trouble: its connections are cut, it does not answer, or its answers
   show the past. Beside them, the same waits without a feed.

Exits with 1, and names the limit, if this package breaks one: all waits are right. By the feed, 95% are noticed within
1.5 s and all within 5 s, by at most 2 requests a second. In trouble, runs are noticed as soon as without a feed, and
within 5 s from 15 seconds after it.

Set-up as for ``waits.py``::

    python benchmarks/feeds.py --json feeds.json          # half an hour
    python benchmarks/feeds.py --only 1 --sides feed      # 3 minutes
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from waiting.figures import Figures, figures, percentile
from waiting.runs import Plan, Seen, run
from waiting.servers import World, serving
from waiting.sides import SIDES
from waiting.tables import table

SIDES_OF_PART_1 = ("feed", "sweeping", "single")
TROUBLES: dict[str, dict[str, Any] | None] = {
    "none": None,
    "cut": {"kind": "reset"},
    "silent": {"kind": "hang", "seconds": 60},
    "frozen": {"kind": "stale", "seconds": 1e6},
    "late": {"kind": "stale", "seconds": 30},
}
FEED = "wedata.workflow_run_list"
SECONDS_95, SECONDS_ALL, REQUESTS = 1.5, 5.0, 2.0
# Part 2: seconds after the start at which runs end, and from and to which the feed is in trouble.
ENDS = (20.0, 140.0)
IN_TROUBLE = (60.0, 100.0)
HEALED_AFTER = 15.0
_WHAT = ("noticed after", "95%", "longest")
# The feed is ill after ten seconds at most. Then a task is polled within its interval.
TOLERATED = 10.0


def main() -> int:
    options = _options()
    found: dict[str, Any] = {}
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as directory, serving(Path(directory)) as world:
        if "1" in options.only:
            broken += _many(options, world, found)
        if "2" in options.only:
            broken += _in_trouble(options, world, found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    for each in broken:
        print(f"FAILED: {each}", file=sys.stderr)
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=("1", "2"), default=("1", "2"), help="these parts only")
    parser.add_argument(
        "--sides", nargs="+", choices=SIDES_OF_PART_1, default=SIDES_OF_PART_1, help="part 1: these sides only"
    )
    parser.add_argument("--waits", type=int, default=10_000, help="part 1: how many (%(default)s)")
    parser.add_argument("--poke", type=float, default=300.0, help="part 1: seconds between two polls (%(default)g)")
    parser.add_argument("--spread", type=float, default=120.0, help="part 1: seconds over which runs end (%(default)g)")
    parser.add_argument("--cut-off", type=float, default=330.0, help="part 1: seconds after the last end (%(default)g)")
    parser.add_argument(
        "--troubles",
        nargs="+",
        choices=[*TROUBLES, "no feed"],
        default=["no feed", *TROUBLES],
        help="part 2: these only",
    )
    parser.add_argument("--trouble-waits", type=int, default=300, help="part 2: how many (%(default)s)")
    parser.add_argument(
        "--trouble-poke", type=float, default=20.0, help="part 2: seconds between two polls (%(default)g)"
    )
    parser.add_argument("--rate", type=float, default=20.0, help="requests per second that are allowed (%(default)g)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser.parse_args()


def _many(options: argparse.Namespace, world: World, found: dict[str, Any]) -> Iterator[str]:
    head = [
        "",
        "right",
        "unfinished",
        "noticed after",
        "95%",
        "longest",
        "first reads",
        "requests a second",
        "longest stall",
        "of a core",
    ]
    rows = []
    for name in options.sides:
        plan = Plan(
            side=name,
            waits=options.waits,
            poke=options.poke,
            # The waits have begun, and have been read once, when the first run ends.
            ends=(30.0, 30.0 + options.spread),
            seconds=30.0 + options.spread + (10.0 if name == "feed" else options.cut_off),
            rate=options.rate,
            latency=(0.02, 0.1),
        )
        seen = run(plan, world)
        measured = figures(seen)
        before, per_second = _requests(seen)
        found[name] = asdict(measured) | {"requests_before": before, "requests_per_second": per_second}
        rows.append(
            [
                SIDES[name].title,
                str(measured.right),
                str(measured.unfinished),
                *(f"{seconds:.2f} s" for seconds in measured.noticed or ()),
                str(before),
                f"{per_second:.2f}",
                f"{measured.own_stall * 1000:.0f} ms",
                f"{measured.cpu:.1%}",
            ]
        )
        if name == "feed":
            yield from _broken_by_feed(measured, per_second)
        elif measured.failed or measured.wrong:
            yield f"{name}: {measured.failed} failed, {measured.wrong} were wrong"
    print(f"\n{table(head, rows)}\n", flush=True)


def _requests(seen: Seen) -> tuple[int, float]:
    """Return the number of requests before the first run ended, and those a second from then to the last event.

    Before, each of the waits has been read once, by lists or singly, whatever tells of its end later.
    """
    (process,) = seen.processes
    first = min(ended_at for ended_at, _ in seen.tasks.values())
    last = max((event["at"] for event in process["events"]), default=process["ended"])
    times = [request["time"] for request in seen.requests]
    return sum(at < first for at in times), sum(first <= at <= last for at in times) / (last - first)


def _broken_by_feed(measured: Figures, per_second: float) -> Iterator[str]:
    if measured.right != measured.waits:
        yield f"feed: {measured.waits - measured.right} of {measured.waits} waits were not right"
    if measured.noticed:
        _, of_95, longest = measured.noticed
        if of_95 > SECONDS_95:
            yield f"feed: 95% were noticed within {of_95:.2f} s, not within {SECONDS_95:g} s"
        if longest > SECONDS_ALL:
            yield f"feed: the last was noticed after {longest:.2f} s, not within {SECONDS_ALL:g} s"
    if per_second > REQUESTS:
        yield f"feed: {per_second:.2f} requests a second, not {REQUESTS:g}"


def _in_trouble(options: argparse.Namespace, world: World, found: dict[str, Any]) -> Iterator[str]:
    head = ["trouble", "right", *(f"{when}: {what}" for when in ("before", "in trouble", "healed") for what in _WHAT)]
    rows = []
    without: dict[str, tuple[float, ...]] = {}
    for name in options.troubles:
        seen = _run_in_trouble(options, world, name)
        measured = figures(seen)
        noticed = _by_phase(seen)
        found[f"trouble: {name}"] = asdict(measured) | {"noticed_by_phase": noticed}
        rows.append([name, str(measured.right), *(f"{s:.1f} s" for each in noticed.values() for s in each)])
        if name == "no feed":
            without = noticed
        if measured.right != measured.waits:
            yield f"trouble {name}: {measured.waits - measured.right} of {measured.waits} waits were not right"
        if name != "no feed" and noticed["healed"][2] > SECONDS_ALL:
            yield f"trouble {name}: once healed, the last was noticed after {noticed['healed'][2]:.1f} s"
        if without and noticed["in trouble"][2] > without["in trouble"][2] + TOLERATED and name != "no feed":
            yield f"trouble {name}: the last was noticed after {noticed['in trouble'][2]:.1f} s"
    print(f"\n{table(head, rows)}\n", flush=True)


def _run_in_trouble(options: argparse.Namespace, world: World, name: str) -> Seen:
    server = world.servers["emulator"]
    timers = []
    if fault := TROUBLES.get(name):
        timers = [
            threading.Timer(IN_TROUBLE[0], server.control, ("faults", "POST", fault | {"api": FEED})),
            threading.Timer(IN_TROUBLE[1], server.control, ("faults", "DELETE")),
        ]
    plan = Plan(
        side="single" if name == "no feed" else "feed-alone",
        waits=options.trouble_waits,
        poke=options.trouble_poke,
        ends=ENDS,
        seconds=ENDS[1] + 2 * options.trouble_poke,
        rate=options.rate,
        latency=(0.02, 0.1),
    )
    try:
        return run(plan, world, on_start=lambda: [timer.start() for timer in timers])
    finally:
        for timer in timers:
            timer.cancel()
        server.control("faults", "DELETE")


def _by_phase(seen: Seen) -> dict[str, tuple[float, ...]]:
    """Return how soon runs were noticed that ended before the trouble, in it, and some seconds after it."""
    (process,) = seen.processes
    began = min(ended_at for ended_at, _ in seen.tasks.values()) - ENDS[0]
    phases = {
        "before": (0.0, IN_TROUBLE[0] - 2),
        "in trouble": IN_TROUBLE,
        "healed": (IN_TROUBLE[1] + HEALED_AFTER, 1e9),
    }
    late: dict[str, list[float]] = {name: [] for name in phases}
    for event in process["events"]:
        ended_at, _ = seen.tasks[event["id"]]
        for name, (first, last) in phases.items():
            if first <= ended_at - began < last:
                late[name].append(event["at"] - ended_at)
    return {name: (median(each), percentile(each, 0.95), max(each)) for name, each in late.items()}


if __name__ == "__main__":
    sys.exit(main())
