"""Compares the figures with the limits that this package promises."""

from __future__ import annotations

from collections.abc import Iterator

from waiting.figures import Figures

REFUSED = 0.02
REFUSED_OF_TWO = 0.03
STALL = 0.1
STALL_WAITS = 2000
SWEEPS = 1.2
LIST_SECONDS = 5.0
LIST_CPU = 0.25
LIST_BYTES = 8 * 1024
ALLOWANCE = 0.8
SHARE = (0.35, 0.65)


def broken_one_by_one(figures: Figures, rate: float) -> Iterator[str]:
    """Yield the limits that are broken by waits whose tasks are read one by one."""
    where = f"{figures.waits} waits"
    yield from _not_all_right(figures, where)
    if figures.refused_share >= REFUSED:
        yield f"{where}: {figures.refused_share:.1%} of the requests were refused, {REFUSED:.0%} are too many"
    seconds = SWEEPS * figures.waits / rate
    if figures.noticed and figures.noticed[1] > seconds:
        yield f"{where}: 95% were noticed within {figures.noticed[1]:.1f} s, not within {seconds:.0f} s"
    if figures.waits >= STALL_WAITS and figures.own_stall >= STALL:
        yield (
            f"{where}: the event loop stood still for {figures.own_stall * 1000:.0f} ms beside Python's garbage "
            f"collections, {STALL * 1000:.0f} are too many"
        )


def broken_by_list(figures: Figures, cpu: float, memory: float) -> Iterator[str]:
    """Yield the limits that are broken by waits whose tasks are read through lists."""
    where = f"{figures.waits} waits, by lists"
    yield from _not_all_right(figures, where)
    if figures.noticed and figures.noticed[1] >= LIST_SECONDS:
        yield f"{where}: 95% were noticed within {figures.noticed[1]:.1f} s, not within {LIST_SECONDS:g} s"
    if not cpu < LIST_CPU:
        yield f"{where}: {cpu:.0%} of a core, {LIST_CPU:.0%} are too many"
    if memory > LIST_BYTES:
        yield f"{where}: {memory / 1024:.1f} KB a wait, more than {LIST_BYTES / 1024:g} KB"


def broken_in_bulk(title: str, figures: Figures, poke: float, sweep: float) -> Iterator[str]:
    """Yield the limits that are broken by waits whose tasks are read by lists or in batches.

    Args:
        title: The API.
        figures: The figures of the run.
        poke: Seconds between two polls.
        sweep: Seconds that the allowance needs to read every task once.
    """
    where = f"{title}, {figures.waits} waits"
    yield from _not_all_right(figures, where)
    if figures.refused_share >= REFUSED:
        yield f"{where}: {figures.refused_share:.1%} of the requests were refused, {REFUSED:.0%} are too many"
    seconds = SWEEPS * (poke + sweep)
    if figures.noticed and figures.noticed[1] > seconds:
        yield f"{where}: 95% were noticed within {figures.noticed[1]:.1f} s, not within {seconds:.1f} s"


def broken_by_two(figures: Figures, shares: list[float]) -> Iterator[str]:
    """Yield the limits that are broken by two processes that share one allowance."""
    where = "two processes"
    if figures.failed or figures.wrong:
        yield f"{where}: {figures.failed} waits failed, {figures.wrong} were wrong"
    if sum(shares) < ALLOWANCE:
        yield f"{where}: they used {sum(shares):.0%} of the allowance, not {ALLOWANCE:.0%}"
    low, high = SHARE
    yield from (f"{where}: one got {share:.0%} of the allowance" for share in shares if not low <= share <= high)
    if figures.refused_share >= REFUSED_OF_TWO:
        yield f"{where}: {figures.refused_share:.1%} of the requests were refused, {REFUSED_OF_TWO:.0%} are too many"


def _not_all_right(figures: Figures, where: str) -> Iterator[str]:
    if figures.right != figures.waits:
        yield (
            f"{where}: {figures.failed} failed, {figures.wrong} were wrong, {figures.unfinished} had not ended "
            f"when they were cut off"
        )
