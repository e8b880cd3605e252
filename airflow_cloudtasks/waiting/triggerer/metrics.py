"""The figures of a dispatcher: Airflow's metrics, and one log line a minute."""

from __future__ import annotations

import logging
import time
from statistics import median
from typing import Literal

from airflow.providers.common.compat.sdk import Stats

from airflow_cloudtasks.model import CloudTask

_log = logging.getLogger(__name__)

DoorbellCount = Literal["rung", "others", "unreadable", "missed", "failures"]


class DispatcherMetrics:
    """The figures of one dispatcher.

    The metrics are, each followed by the name of the API and tagged with the connection: the counters
    ``cloudtasks.polls`` and ``cloudtasks.throttles``, the gauges ``cloudtasks.budget`` (requests a second) and
    ``cloudtasks.waiting``, and the timer ``cloudtasks.noticed``, from a task's end to the request that notices it.

    Of an API's feeds, the counters ``cloudtasks.feed.told`` (ends that a feed told), ``cloudtasks.feed.missed`` (ends
    that it did not tell, or that were none) and ``cloudtasks.feed.failures`` (looks that failed), and the gauges
    ``cloudtasks.feed.followed`` (feeds that are read) and ``cloudtasks.feed.healthy`` (those of them that tell of ends
    in time).

    Of an API's queue, the counters ``cloudtasks.doorbell.rung`` (messages for waits here),
    ``cloudtasks.doorbell.others`` (messages for others), ``cloudtasks.doorbell.unreadable`` (messages that tell of no
    task), ``cloudtasks.doorbell.missed`` (ends without a message, or messages without an end) and
    ``cloudtasks.doorbell.failures`` (requests that failed), and the gauge ``cloudtasks.doorbell.healthy`` (1 if the
    queue tells of ends in time, else 0).

    Args:
        api: The API's name.
        conn_id: The Airflow connection.
    """

    def __init__(self, api: str, conn_id: str) -> None:
        self._api = api
        self._conn_id = conn_id
        self._tags = {"conn_id": conn_id}
        self._feeds = (0, 0)
        self._forget()

    def polled(self) -> None:
        """Count a request."""
        self._polls += 1
        Stats.incr(f"cloudtasks.polls.{self._api}", tags=self._tags)

    def throttled(self) -> None:
        """Count a throttled request."""
        self._throttles += 1
        Stats.incr(f"cloudtasks.throttles.{self._api}", tags=self._tags)

    def noticed(self, task: CloudTask) -> None:
        """Measure how late the end of a task was noticed, if the vendor says when it ended."""
        if task.finished_at is not None:
            seconds = max(time.time() - task.finished_at.timestamp(), 0.0)
            self._noticed.append(seconds)
            Stats.timing(f"cloudtasks.noticed.{self._api}", seconds * 1000, tags=self._tags)

    def feed_told(self) -> None:
        """Count an end of a task that a feed told."""
        Stats.incr(f"cloudtasks.feed.told.{self._api}", tags=self._tags)

    def feed_missed(self, count: int) -> None:
        """Count ends that a feed did not tell, or that were none."""
        if count:
            Stats.incr(f"cloudtasks.feed.missed.{self._api}", count, tags=self._tags)

    def feed_failed(self) -> None:
        """Count a look at a feed that failed."""
        Stats.incr(f"cloudtasks.feed.failures.{self._api}", tags=self._tags)

    def feeds(self, followed: int, healthy: int) -> None:
        """Send the number of feeds, if it has changed.

        Args:
            followed: The number of feeds that are read.
            healthy: How many of them tell of ends in time.
        """
        if (followed, healthy) != self._feeds:
            self._feeds = (followed, healthy)
            Stats.gauge(f"cloudtasks.feed.followed.{self._api}", followed, tags=self._tags)
            Stats.gauge(f"cloudtasks.feed.healthy.{self._api}", healthy, tags=self._tags)

    def doorbell(self, what: DoorbellCount, count: int = 1) -> None:
        """Count messages of a queue, or failed requests to it."""
        if count:
            Stats.incr(f"cloudtasks.doorbell.{what}.{self._api}", count, tags=self._tags)

    def doorbell_healthy(self, *, healthy: bool) -> None:
        """Send whether the queue tells of ends in time."""
        Stats.gauge(f"cloudtasks.doorbell.healthy.{self._api}", int(healthy), tags=self._tags)

    def report(self, waiting: int, rates: dict[str, float], seconds: float) -> None:
        """Send the gauges, and log a line about the time since the last report.

        Args:
            waiting: The number of waits.
            rates: The rate of each action that was used, in requests a second.
            seconds: Seconds since the last report.
        """
        Stats.gauge(f"cloudtasks.waiting.{self._api}", waiting, tags=self._tags)
        for action, rate in rates.items():
            Stats.gauge(f"cloudtasks.budget.{self._api}.{action}", rate, tags=self._tags)
        budget = ", ".join(f"{action} {rate:.1f}" for action, rate in rates.items()) or "not used"
        noticed = (
            f"; {len(self._noticed)} ends noticed after {median(self._noticed):.0f} s (median), "
            f"{max(self._noticed):.0f} s (longest)"
            if self._noticed
            else ""
        )
        _log.info(
            "%s on %s: %d waiting; in %.0f s %d requests, %d throttled; budget a second: %s%s",
            self._api,
            self._conn_id,
            waiting,
            seconds,
            self._polls,
            self._throttles,
            budget,
            noticed,
        )
        self._forget()

    def _forget(self) -> None:
        self._polls = self._throttles = 0
        self._noticed: list[float] = []
