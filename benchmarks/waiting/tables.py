"""Writes figures as Markdown tables."""

from __future__ import annotations

from waiting.figures import Figures

_HEAD = (
    "waits",
    "right",
    "failed",
    "wrong",
    "cut off",
    "requests",
    "refused",
    "noticed after: median",
    "95%",
    "longest",
    "of a core",
    "longest stall",
    "of it garbage collection",
    "peak memory",
)


def side_table(rows: list[tuple[str, Figures]]) -> str:
    """Return a Markdown table with a row for each run.

    Args:
        rows: Title of the side and figures of each run.
    """
    return table(["", *_HEAD], [[title, *_cells(figures)] for title, figures in rows])


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _cells(figures: Figures) -> list[str]:
    noticed = [f"{seconds:.1f} s" for seconds in figures.noticed] if figures.noticed else ["-"] * 3
    return [
        str(figures.waits),
        str(figures.right),
        str(figures.failed),
        str(figures.wrong),
        str(figures.unfinished),
        str(figures.requests),
        f"{figures.refused} ({figures.refused_share:.1%})",
        *noticed,
        f"{figures.cpu:.1%}",
        f"{figures.stall * 1000:.0f} ms",
        f"{figures.stalls[0][2] * 1000:.0f} ms",
        f"{figures.memory_peak / 2**20:.0f} MB",
    ]
