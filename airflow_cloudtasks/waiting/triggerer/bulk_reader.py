"""Reads tasks by lists or in batches, where that takes fewer requests. choice.py decides."""

from __future__ import annotations

from airflow_cloudtasks.waiting.triggerer.batch_reader import BatchReader
from airflow_cloudtasks.waiting.triggerer.choice import choose
from airflow_cloudtasks.waiting.triggerer.list_reader import ListReader
from airflow_cloudtasks.waiting.triggerer.requests import Requests
from airflow_cloudtasks.waiting.triggerer.schedule import Subject

# Seconds between two decisions on the same scope; each counts its tasks.
_LOOK_AGAIN_SECONDS = 0.5


class BulkReader:
    """Starts the lists and the batches of one dispatcher.

    Args:
        requests: Tells how fast requests can be sent.
        lists: Reads lists; None if the API has none.
        batches: Reads batches; None if the API has no action for them.
    """

    def __init__(self, requests: Requests, lists: ListReader | None, batches: BatchReader | None) -> None:
        self._requests = requests
        self._lists = lists
        self._batches = batches

    @property
    def is_used(self) -> bool:
        """Whether tasks may be read together at all."""
        return self._lists is not None or self._batches is not None

    def starts(self, subject: Subject, now: float) -> bool:
        """Start to read a task together with others, if that is worth it, and return whether it was started.

        Args:
            subject: A task that is due.
            now: Seconds on the clock of the event loop.
        """
        scope = subject.scope
        if not self.is_used or scope.is_being_read or subject.is_alone(now):
            return False
        if now - scope.looked_at >= _LOOK_AGAIN_SECONDS:
            if (speeds := self._requests.speeds()) is None:
                return False
            scope.looked_at = now
            tasks, interval = scope.estimate_ripe(now)
            scope.way = choose(tasks, interval, speeds, scope.list_cost, scope.batch_cost, now)
            if scope.way == "list" and self._lists is not None:
                return self._lists.start(subject, tasks, interval, speeds, now)
        return scope.way == "batch" and self._batches is not None and self._batches.start(subject, now)
