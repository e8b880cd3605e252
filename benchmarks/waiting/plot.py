"""Draws how many ends each side has noticed, over time."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from waiting.runs import Seen
from waiting.sides import SIDES


def draw(seen: list[Seen], path: Path) -> None:
    """Draw one panel for each number of waits, and write it as an SVG.

    Args:
        seen: The runs.
        path: Where.
    """
    import matplotlib as mpl
    from matplotlib import pyplot

    mpl.use("svg")
    # Else every drawing of the same figures would differ.
    mpl.rcParams["svg.hashsalt"] = "waits"
    by_waits: dict[int, list[Seen]] = defaultdict(list)
    for one in seen:
        by_waits[one.plan.waits].append(one)
    figure, panels = pyplot.subplots(1, len(by_waits), figsize=(6 * len(by_waits), 4), squeeze=False)
    for panel, (waits, runs) in zip(panels[0], by_waits.items(), strict=True):
        ends = _since_start(runs[0], [ended_at for ended_at, _ in runs[0].tasks.values()])
        panel.fill_between(ends, range(1, len(ends) + 1), color="0.88", label="ended")
        for run in runs:
            noticed = _since_start(run, [event["at"] for event in run.processes[0]["events"] if event["told"]])
            panel.step(noticed, range(1, len(noticed) + 1), where="post", label=SIDES[run.plan.side].title)
        panel.set_title(f"{waits} waits, {runs[0].plan.rate:g} requests a second allowed")
        panel.set_xlabel("seconds since the start")
        panel.set_ylabel("tasks whose end was noticed")
        panel.set_ylim(0, waits * 1.05)
        panel.set_xlim(left=0)
        panel.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _since_start(run: Seen, moments: list[float]) -> list[float]:
    return sorted(moment - run.processes[0]["began"] for moment in moments)
