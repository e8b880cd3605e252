"""Sends the metrics through Airflow, which passes them to StatsD, Datadog or OpenTelemetry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from airflow_cloudtasks.metrics.known import Metric
from airflow_cloudtasks.version_compat import STATS_OF_TRIGGERER, STATS_OF_WORKER

_log = logging.getLogger(__name__)


class Sender:
    """Sends the metrics of one kind of process. A metric that cannot be sent never breaks its caller.

    Args:
        module: The module whose ``Stats`` Airflow has set up in such a process.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._stats: Any = None

    def count(self, metric: Metric, values: Mapping[str, str | None], count: int = 1) -> None:
        """Add to a counter.

        Args:
            metric: The metric.
            values: The values of its tags; None for one that does not exist.
            count: What is added.
        """
        self._send(metric, values, lambda stats, name, tags: stats.incr(name, count, tags=tags))

    def set(self, metric: Metric, value: float, values: Mapping[str, str | None]) -> None:
        """Set a gauge.

        Args:
            metric: The metric.
            value: Its value.
            values: The values of its tags; None for one that does not exist.
        """
        self._send(metric, values, lambda stats, name, tags: stats.gauge(name, value, tags=tags))

    def time(self, metric: Metric, seconds: float, values: Mapping[str, str | None]) -> None:
        """Send a duration.

        Args:
            metric: The metric.
            seconds: The duration.
            values: The values of its tags; None for one that does not exist.
        """
        # A float, which every Airflow sends as it is: of a timedelta, Airflow 2 may send seconds.
        self._send(metric, values, lambda stats, name, tags: stats.timing(name, seconds * 1000, tags=tags))

    def _send(
        self,
        metric: Metric,
        values: Mapping[str, str | None],
        send: Callable[[Any, str, dict[str, str]], None],
    ) -> None:
        try:
            if self._stats is None:
                self._stats = import_module(self._module).Stats
            send(self._stats, metric.name(values), metric.labels(values))
        except Exception as error:  # the StatsD or OpenTelemetry client of Airflow may raise anything
            _warn_once(metric.path, f"{type(error).__name__}: {error}")


@cache
def _warn_once(path: str, error: str) -> None:
    _log.warning("The metric %s cannot be sent: %s", path, error)


TRIGGERER = Sender(STATS_OF_TRIGGERER)
WORKER = Sender(STATS_OF_WORKER)
