"""Draws how many ends each side has noticed over time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from waiting.runs import Seen
from waiting.sides import SIDES

_STEP = 0.5


def draw(seen: list[Seen], path: Path) -> None:
    """Draw one panel for each number of waits, and write it as an SVG.

    Args:
        seen: The records of the runs.
        path: The file to write.
    """
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("svg")
    # Without this, two drawings of the same figures would differ.
    mpl.rcParams["svg.hashsalt"] = "waits"
    by_waits: dict[int, list[Seen]] = defaultdict(list)
    for one in seen:
        by_waits[one.plan.waits].append(one)
    figure, panels = pyplot.subplots(1, len(by_waits), figsize=(6 * len(by_waits), 4), squeeze=False)
    for panel, (waits, runs) in zip(panels[0], by_waits.items(), strict=True):
        seconds = max(run.processes[0]["ended"] - run.processes[0]["began"] for run in runs)
        ticks = [number * _STEP for number in range(int(seconds / _STEP) + 2)]
        ended = _counts(runs[0], (ended_at for ended_at, _ in runs[0].tasks.values()), ticks)
        panel.fill_between(ticks, ended, color="0.88", label="tasks that ended")
        for run in runs:
            noticed = (event["at"] for event in run.processes[0]["events"] if event["outcome"])
            panel.plot(ticks, _counts(run, noticed, ticks), label=f"noticed by {SIDES[run.plan.side].title}")
        panel.set_title(f"{waits:,} waits, {runs[0].plan.rate:g} requests per second allowed")
        panel.set_xlabel("seconds since the start")
        panel.set_xlim(0, ticks[-1])
        panel.set_ylim(0, waits * 1.05)
        panel.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _counts(run: Seen, moments: Iterable[float], ticks: list[float]) -> list[int]:
    since_start = sorted(moment - run.processes[0]["began"] for moment in moments)
    return [bisect_right(since_start, tick) for tick in ticks]
