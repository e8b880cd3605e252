"""The figures of a dispatcher: Airflow's metrics, and one log line a minute."""

from __future__ import annotations

import logging
import socket
import time
from collections import Counter
from collections.abc import Mapping
from statistics import median
from typing import Literal, NamedTuple

from airflow_cloudtasks.errors import CloudApiError, Throttled
from airflow_cloudtasks.metrics import known
from airflow_cloudtasks.metrics.send import TRIGGERER
from airflow_cloudtasks.model import CloudTask

_log = logging.getLogger(__name__)

DoorbellCount = Literal["rung", "others", "unreadable", "missed", "failures"]
_DOORBELL: dict[DoorbellCount, known.Metric] = {
    "rung": known.DOORBELL_RUNG,
    "others": known.DOORBELL_OTHERS,
    "unreadable": known.DOORBELL_JUNK,
    "missed": known.DOORBELL_MISSED,
    "failures": known.DOORBELL_FAILED,
}


class Budget(NamedTuple):
    """How many requests a second may be sent for an action.

    Attributes:
        rate: At present.
        allowance: At most.
    """

    rate: float
    allowance: float

    def share(self, rate: float) -> float:
        """Return a rate as a share of the allowance."""
        return rate / self.allowance if self.allowance else 0.0


class DispatcherMetrics:
    """The figures of one dispatcher. ``metrics/known.py`` lists the metrics.

    Args:
        api: The API's name.
        conn_id: The Airflow connection.
    """

    def __init__(self, api: str, conn_id: str) -> None:
        self._api = api
        self._conn_id = conn_id
        self._region: str | None = None
        self._hostname = socket.gethostname()
        self._budgets: Mapping[str, Budget] = {}
        self._feeds = (0, 0)
        self._is_doorbell_healthy: bool | None = None
        self._forget()

    def use(self, region: str | None) -> None:
        """Tag what follows with the region of the current connection.

        Args:
            region: The region; None if the product has none.
        """
        self._region = region

    def tags(self, **more: str) -> dict[str, str | None]:
        """Return the values of the tags that every metric of a triggerer has.

        Args:
            **more: Further values.
        """
        own = {"api": self._api, "conn_id": self._conn_id, "region": self._region, "hostname": self._hostname}
        return own | more

    def polled(self, action: str) -> None:
        """Count a request.

        Args:
            action: Its action.
        """
        self._polls[action] += 1
        TRIGGERER.count(known.POLLS, self.tags(action=action))

    def failed(self, action: str, error: CloudApiError) -> None:
        """Count a request that failed.

        Args:
            action: Its action.
            error: How it failed.
        """
        if isinstance(error, Throttled):
            self._throttles += 1
            TRIGGERER.count(known.THROTTLES, self.tags(action=action))
        else:
            TRIGGERER.count(known.ERRORS, self.tags(action=action, error=type(error).__name__))

    def noticed(self, task: CloudTask) -> None:
        """Count a task that has ended, and measure how late that was noticed if the vendor says when it ended.

        Args:
            task: The task.
        """
        TRIGGERER.count(known.ENDED, self.tags(state=task.state))
        if task.finished_at is not None:
            seconds = max(time.time() - task.finished_at.timestamp(), 0.0)
            self._noticed.append(seconds)
            TRIGGERER.time(known.NOTICED, seconds, self.tags())

    def feed_told(self) -> None:
        """Count an end of a task that a feed told."""
        TRIGGERER.count(known.FEED_TOLD, self.tags())

    def feed_missed(self, count: int) -> None:
        """Count ends that a feed did not tell, or that were none.

        Args:
            count: The number of them.
        """
        if count:
            TRIGGERER.count(known.FEED_MISSED, self.tags(), count)

    def feed_failed(self) -> None:
        """Count a look at a feed that failed."""
        TRIGGERER.count(known.FEED_FAILED, self.tags())

    def feeds(self, followed: int, healthy: int) -> None:
        """Send the number of feeds if it has changed. :meth:`report` sends it again.

        Args:
            followed: The number of feeds that are read.
            healthy: How many of them tell of ends in time.
        """
        if (followed, healthy) != self._feeds:
            self._feeds = (followed, healthy)
            self._send_feeds()

    def doorbell(self, what: DoorbellCount, count: int = 1) -> None:
        """Count messages of a queue, or failed requests to it.

        Args:
            what: Which.
            count: The number of them.
        """
        if count:
            TRIGGERER.count(_DOORBELL[what], self.tags(), count)

    def doorbell_healthy(self, *, healthy: bool) -> None:
        """Send whether the queue tells of ends in time. :meth:`report` sends it again.

        Args:
            healthy: Whether it does.
        """
        self._is_doorbell_healthy = healthy
        TRIGGERER.set(known.DOORBELL_HEALTHY, int(healthy), self.tags())

    def _send_feeds(self) -> None:
        for metric, number in zip((known.FEEDS_FOLLOWED, known.FEEDS_HEALTHY), self._feeds, strict=True):
            TRIGGERER.set(metric, number, self.tags())

    def report(self, waiting: int, budgets: Mapping[str, Budget], seconds: float) -> None:
        """Send the gauges, and log a line about the time since the last report.

        Args:
            waiting: The number of waits.
            budgets: The budget of each action that was used.
            seconds: Seconds since the last report.
        """
        self._budgets = budgets
        TRIGGERER.set(known.WAITING, waiting, self.tags())
        for action, of in budgets.items():
            tags = self.tags(action=action)
            TRIGGERER.set(known.BUDGET, of.rate, tags)
            TRIGGERER.set(known.ALLOWANCE, of.allowance, tags)
            TRIGGERER.set(known.USED, of.share(self._polls[action] / seconds), tags)
        if self._feeds != (0, 0):
            self._send_feeds()
        if self._is_doorbell_healthy is not None:
            self.doorbell_healthy(healthy=self._is_doorbell_healthy)
        rates = ", ".join(f"{action} {of.rate:.1f}" for action, of in budgets.items()) or "not used"
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
            self._polls.total(),
            self._throttles,
            rates,
            noticed,
        )
        self._forget()

    def close(self) -> None:
        """Set the gauges of what has ended to 0: a backend shows the last value of a gauge for ever."""
        TRIGGERER.set(known.WAITING, 0, self.tags())
        self.feeds(0, 0)
        for action in self._budgets:
            TRIGGERER.set(known.USED, 0, self.tags(action=action))

    def _forget(self) -> None:
        self._polls: Counter[str] = Counter()
        self._throttles = 0
        self._noticed: list[float] = []
