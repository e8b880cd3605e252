"""The pace of requests, on a simulated clock."""

from __future__ import annotations

import pytest

from airflow_cloudtasks.waiting.triggerer.pace import Pace


def test_allows_one_interval_of_catch_up_and_no_more() -> None:
    pace = Pace(20.0)
    interval = 1 / pace.rate
    pace.sent(1000.0)
    assert pace.next_at(1000.0) == 1000.0
    pace.sent(1000.0)
    assert pace.next_at(1000.0) == pytest.approx(1000.0 + interval)


def test_retry_after_pauses_every_request() -> None:
    pace = Pace(20.0)
    pace.sent(0.0)
    pace.throttled(0.0, 0.1, retry_after=30.0)
    pace.answered(0.0, 0.2)
    assert pace.next_at(0.2) == pytest.approx(30.1)
    pace.throttled(0.0, 0.3, retry_after=5.0)
    assert pace.next_at(0.3) == pytest.approx(30.1)


def test_requests_sent_before_a_cut_do_not_cut_the_rate_again() -> None:
    pace = Pace(20.0)
    pace.throttled(1.0, 1.2)
    after = pace.rate
    pace.throttled(1.1, 1.3)
    assert pace.rate == after
    pace.throttled(1.3, 1.5)
    assert pace.rate < after


def test_a_raised_allowance_works_at_once() -> None:
    pace = Pace(2.0)
    before = pace.rate
    pace.allow(20.0)
    assert pace.rate == pytest.approx(10 * before)
    pace.allow(2.0)
    assert pace.rate == pytest.approx(before)
