"""Every metric of the package, as data. Pure.

The table in docs/reference/metrics.md, the statsd_exporter mapping beside it and the Grafana dashboard follow from this
list; tests hold that every metric that is sent is one of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["counter", "gauge", "timer"]

# The characters that Airflow accepts in a name and, with statsd_influxdb_enabled, in a tag. It drops a metric with any
# other one, and a connection id may have some.
_NOT_ACCEPTED = re.compile(r"[^A-Za-z0-9_./-]")

# Airflow's default for [metrics] statsd_prefix and otel_prefix.
PREFIX = "airflow"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Args:
        path: The fixed part of its name, e.g. ``cloudtasks.polls``.
        kind: How it is sent. A timer is sent in milliseconds.
        meaning: What it says, for the documentation.
        parts: The tags whose values follow the path in its name, in this order. So a backend without tags keeps them
            apart, too.
        tags: Its other tags.
    """

    path: str
    kind: Kind
    meaning: str
    parts: tuple[str, ...] = ("api",)
    tags: tuple[str, ...] = ("conn_id", "region", "hostname")

    def name(self, values: Mapping[str, str | None]) -> str:
        """Return its name for values of its tags, without Airflow's prefix.

        Args:
            values: The values of all its tags.
        """
        return ".".join([self.path, *(accepted(values[part]) for part in self.parts)])

    def labels(self, values: Mapping[str, str | None]) -> dict[str, str]:
        """Return its tags with values that every backend accepts.

        Args:
            values: The values of all its tags; None for a value that does not exist, e.g. the region of a product
                without regions.
        """
        return {tag: accepted(values[tag]) for tag in (*self.parts, *self.tags)}


@lru_cache(maxsize=4096)
def accepted(value: str | None) -> str:
    """Return the value of a tag with only those characters that Airflow accepts; ``none`` for no value.

    Args:
        value: The value.
    """
    return _NOT_ACCEPTED.sub("_", value) if value else "none"


# A worker has no hostname tag: with one pod for each task, it would make a time series for each start.
_OF_WORKER = ("conn_id", "region")
_BY_ACTION = ("action", "conn_id", "region", "hostname")

POLLS = Metric("cloudtasks.polls", "counter", "requests", tags=_BY_ACTION)
THROTTLES = Metric("cloudtasks.throttles", "counter", "requests that were refused for being too many", tags=_BY_ACTION)
ERRORS = Metric(
    "cloudtasks.errors",
    "counter",
    "requests that failed in another way; `error` is the class of [the error](errors.md)",
    tags=("error", *_BY_ACTION),
)
BUDGET = Metric("cloudtasks.budget", "gauge", "requests a second at present", parts=("api", "action"))
ALLOWANCE = Metric(
    "cloudtasks.allowance",
    "gauge",
    "requests a second that the connection or the vendor allows the account",
    parts=("api", "action"),
)
USED = Metric(
    "cloudtasks.used",
    "gauge",
    "share of the allowance that this triggerer used in the last minute, 0 to 1; the sum over triggerers is the "
    "account's",
    parts=("api", "action"),
)
WAITING = Metric("cloudtasks.waiting", "gauge", "waits at present; 0 after the last one")
ENDED = Metric(
    "cloudtasks.ended", "counter", "tasks whose end was noticed and ended a wait, by state", parts=("api", "state")
)
NOTICED = Metric(
    "cloudtasks.noticed",
    "timer",
    "from a task's end to the poll that noticed it and ended a wait, where the vendor says when it ended",
)
STARTS = Metric(
    "cloudtasks.starts",
    "counter",
    "tries to start a task, by outcome: `started`; `found`, the task of an earlier request; `refused`, nothing was "
    "started; `unknown`, a task may have been started",
    parts=("api", "outcome"),
    tags=_OF_WORKER,
)

FEEDS_FOLLOWED = Metric("cloudtasks.feed.followed", "gauge", "feeds that are read at present")
FEEDS_HEALTHY = Metric("cloudtasks.feed.healthy", "gauge", "those of them that tell ends in time")
FEED_TOLD = Metric("cloudtasks.feed.told", "counter", "ends that a feed told")
FEED_MISSED = Metric(
    "cloudtasks.feed.missed", "counter", "ends that a feed did not tell, or told though they were none"
)
FEED_FAILED = Metric("cloudtasks.feed.failed", "counter", "looks at a feed that failed")
DOORBELL_RUNG = Metric("cloudtasks.doorbell.rung", "counter", "messages of a queue for waits of this triggerer")
DOORBELL_OTHERS = Metric("cloudtasks.doorbell.others", "counter", "messages for others")
DOORBELL_JUNK = Metric("cloudtasks.doorbell.junk", "counter", "messages that tell of no task")
DOORBELL_MISSED = Metric("cloudtasks.doorbell.missed", "counter", "ends without a message, and messages without an end")
DOORBELL_FAILED = Metric("cloudtasks.doorbell.failed", "counter", "requests to a queue that failed")
DOORBELL_HEALTHY = Metric("cloudtasks.doorbell.healthy", "gauge", "1 if a queue tells ends in time, otherwise 0")

METRICS = (
    POLLS,
    THROTTLES,
    ERRORS,
    BUDGET,
    ALLOWANCE,
    USED,
    WAITING,
    ENDED,
    NOTICED,
    STARTS,
    FEEDS_FOLLOWED,
    FEEDS_HEALTHY,
    FEED_TOLD,
    FEED_MISSED,
    FEED_FAILED,
    DOORBELL_RUNG,
    DOORBELL_OTHERS,
    DOORBELL_JUNK,
    DOORBELL_MISSED,
    DOORBELL_FAILED,
    DOORBELL_HEALTHY,
)
