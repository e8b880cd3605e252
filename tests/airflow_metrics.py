"""Sets up the metrics of this process as Airflow does in a triggerer or in a worker, from its configuration."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from inspect import signature
from typing import Any

from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

HAS_TWO = AIRFLOW_VERSION >= (3, 2)
# The packages whose metrics the two kinds of processes set up.
PACKAGES = {
    "triggerer": "airflow.observability" if HAS_TWO else "airflow",
    "worker": "airflow.sdk.observability" if HAS_TWO else "airflow",
}
LOGGERS = {"statsd": "get_statsd_logger", "datadog": "get_dogstatsd_logger", "otel": "get_otel_logger"}


@contextmanager
def airflow_metrics(process: str, backend: str) -> Iterator[None]:
    """Send the metrics of a kind of process to a backend for the length of the block.

    Args:
        process: ``triggerer`` or ``worker``.
        backend: ``statsd``, ``datadog`` or ``otel``.
    """
    package = PACKAGES[process]
    stats: Any = import_module(f"{package}.stats").Stats
    logger = import_module(f"{package}.metrics.{backend}_logger")
    make = getattr(logger, LOGGERS[backend])
    if not HAS_TWO:
        # Its class of classes makes the client at the first metric, by this function.
        kind = type(stats)
        before = kind.factory
        kind.factory, stats.instance = make, None
        try:
            yield
        finally:
            kind.factory, stats.instance = before, None
        return
    factory = (lambda: make(stats)) if signature(make).parameters else make
    _initialize(stats, factory)
    try:
        yield
    finally:
        _initialize(stats, import_module(f"{package}.metrics.stats_utils").NoStatsLogger)
        if flush := getattr(getattr(logger, "otel_logger", None), "flush_otel_metrics", None):
            # At the end of this process, nobody listens any more.
            atexit.unregister(flush)


def _initialize(stats: Any, factory: Any) -> None:
    takes = signature(stats.initialize).parameters
    stats.initialize(factory=factory, **({"export_legacy_names": True} if "export_legacy_names" in takes else {}))
