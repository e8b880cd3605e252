"""How the ripe tasks of a scope are read: by their list, in batches by their ids, or one by one. Pure."""

from __future__ import annotations

from typing import Literal

from airflow_cloudtasks.waiting.triggerer.batch import BatchCost
from airflow_cloudtasks.waiting.triggerer.sweep import ListCost, Speeds

Way = Literal["list", "batch", "single"]


def choose(tasks: int, interval: float, speeds: Speeds, by_list: ListCost, by_batch: BatchCost, now: float) -> Way:
    """Return the way that takes the fewest requests. Of two that take as many, the surer one is chosen.

    A list must also not take too long. Batches show every task that they ask for, in the first request or the last.

    Args:
        tasks: The number of tasks.
        interval: Their shortest interval, in seconds.
        speeds: How fast lists and tasks can be read.
        by_list: What reading the list costs.
        by_batch: What batches cost.
        now: Seconds on the clock of the costs.
    """
    found: list[tuple[int, Way]] = [(tasks, "single")]
    if (batches := by_batch.requests(tasks, now)) is not None:
        found.append((batches, "batch"))
    if (pages := by_list.requests(tasks, interval, speeds, now)) is not None:
        found.append((pages, "list"))
    return min(found, key=lambda way: way[0])[1]
