"""What a dispatcher sends: gauges with each report and at its end, counters in between."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from airflow_cloudtasks.errors import CredentialsError, Throttled
from airflow_cloudtasks.metrics.known import Metric
from airflow_cloudtasks.metrics.send import TRIGGERER
from airflow_cloudtasks.waiting.triggerer.metrics import Budget, DispatcherMetrics


class Sent:
    """The metrics that were sent: their names with the value of each."""

    def __init__(self) -> None:
        self.values: list[tuple[str, float]] = []
        self.tags: list[dict[str, str]] = []

    def note(self, metric: Metric, value: float, tags: Mapping[str, str | None]) -> None:
        self.values.append((metric.name(tags).removeprefix("cloudtasks."), value))
        self.tags.append(metric.labels(tags))

    def taken(self) -> dict[str, float]:
        """Return what was sent since the last call."""
        values, self.values = self.values, []
        assert len(dict(values)) == len(values)
        return dict(values)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    sent = Sent()
    monkeypatch.setattr(TRIGGERER, "count", lambda metric, tags, count=1: sent.note(metric, count, tags))
    monkeypatch.setattr(TRIGGERER, "set", sent.note)
    return sent


@pytest.fixture
def metrics() -> DispatcherMetrics:
    return DispatcherMetrics("lke.task", "tencent_default")


def test_a_report_has_the_waits_and_the_budget_of_each_action(sent: Sent, metrics: DispatcherMetrics) -> None:
    for _ in range(30):
        metrics.polled("GetTaskStatus")
    sent.values.clear()
    metrics.report(5, {"GetTaskStatus": Budget(rate=4.0, allowance=20.0)}, seconds=60.0)
    assert sent.taken() == {
        "waiting.lke.task": 5,
        "budget.lke.task.GetTaskStatus": 4.0,
        "allowance.lke.task.GetTaskStatus": 20.0,
        # 30 requests of 1200.
        "used.lke.task.GetTaskStatus": 0.025,
    }


def test_the_share_counts_from_the_last_report(sent: Sent, metrics: DispatcherMetrics) -> None:
    metrics.polled("GetTaskStatus")
    metrics.report(5, {"GetTaskStatus": Budget(4.0, 20.0)}, 60.0)
    sent.taken()
    metrics.report(5, {"GetTaskStatus": Budget(4.0, 20.0)}, 60.0)
    assert sent.taken()["used.lke.task.GetTaskStatus"] == 0


def test_an_action_without_an_allowance_uses_nothing_of_it() -> None:
    assert Budget(0.0, 0.0).share(1.0) == 0


def test_the_end_sets_gauges_to_0(sent: Sent, metrics: DispatcherMetrics) -> None:
    metrics.report(5, {"GetTaskStatus": Budget(4.0, 20.0)}, 60.0)
    metrics.feeds(2, 1)
    sent.taken()
    metrics.close()
    assert sent.taken() == {
        "waiting.lke.task": 0,
        "used.lke.task.GetTaskStatus": 0,
        "feed.followed.lke.task": 0,
        "feed.healthy.lke.task": 0,
    }


def test_feeds_and_doorbells_are_sent_when_they_change_and_with_each_report(
    sent: Sent, metrics: DispatcherMetrics
) -> None:
    metrics.feeds(0, 0)
    assert sent.taken() == {}
    metrics.feeds(2, 1)
    metrics.doorbell_healthy(healthy=True)
    expected = {"feed.followed.lke.task": 2, "feed.healthy.lke.task": 1, "doorbell.healthy.lke.task": 1}
    assert sent.taken() == expected
    metrics.feeds(2, 1)
    assert sent.taken() == {}
    metrics.report(5, {}, 60.0)
    assert sent.taken() == expected | {"waiting.lke.task": 5}


def test_feeds_and_doorbells_count_nothing_for_0(sent: Sent, metrics: DispatcherMetrics) -> None:
    metrics.feed_missed(0)
    metrics.doorbell("missed", 0)
    assert sent.taken() == {}
    metrics.feed_told()
    metrics.feed_missed(3)
    metrics.feed_failed()
    for what in ("rung", "others", "unreadable", "missed", "failures"):
        metrics.doorbell(what, 2)
    assert sent.taken() == {
        "feed.told.lke.task": 1,
        "feed.missed.lke.task": 3,
        "feed.failed.lke.task": 1,
        "doorbell.rung.lke.task": 2,
        "doorbell.others.lke.task": 2,
        "doorbell.junk.lke.task": 2,
        "doorbell.missed.lke.task": 2,
        "doorbell.failed.lke.task": 2,
    }


def test_a_failed_request_counts_as_throttled_or_by_its_error(sent: Sent, metrics: DispatcherMetrics) -> None:
    metrics.failed("GetTaskStatus", Throttled("too many"))
    metrics.failed("GetTaskStatus", CredentialsError("no such key"))
    assert sent.taken() == {"throttles.lke.task": 1, "errors.lke.task": 1}
    assert sent.tags[1]["error"] == "CredentialsError"


def test_metrics_have_the_region_of_the_connection(sent: Sent, metrics: DispatcherMetrics) -> None:
    metrics.polled("GetTaskStatus")
    metrics.use("ap-guangzhou")
    metrics.polled("GetTaskStatus")
    assert [tags["region"] for tags in sent.tags] == ["none", "ap-guangzhou"]
