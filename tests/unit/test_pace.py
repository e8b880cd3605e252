"""The pace of requests, on a simulated clock. test_sharing.py has several triggerers on one account."""

from __future__ import annotations

from itertools import pairwise

import pytest

from airflow_cloudtasks.waiting.triggerer.pace import Pace


def run(pace: Pace, seconds: float, *, begins: float = 0.0, answers: bool = True) -> list[float]:
    """Send as fast as the pace allows; every request is answered, or refused, at once. Return when each left."""
    sent, now = [], begins
    while (now := pace.next_at(now)) < begins + seconds:
        pace.sent(now)
        sent.append(now)
        if answers:
            pace.answered(now, now)
        else:
            pace.throttled(now, now)
    return sent


def test_a_lone_triggerer_has_the_whole_allowance_after_two_seconds() -> None:
    pace = Pace(20.0)
    run(pace, 2.0)
    assert pace.rate == 20.0


def test_requests_leave_evenly_spaced() -> None:
    pace = Pace(20.0)
    run(pace, 10.0)
    gaps = [later - earlier for earlier, later in pairwise(run(pace, 10.0, begins=10.0))]
    assert min(gaps) == pytest.approx(max(gaps)) == pytest.approx(0.05)


def test_idle_time_earns_one_interval_of_catch_up_and_no_more() -> None:
    pace = Pace(20.0)
    interval = 1 / pace.rate
    pace.sent(1000.0)
    assert pace.next_at(1000.0) == 1000.0
    pace.sent(1000.0)
    assert pace.next_at(1000.0) == pytest.approx(1000.0 + interval)


def test_asking_for_the_next_moment_reserves_nothing() -> None:
    pace = Pace(20.0)
    pace.sent(0.0)
    pace.sent(0.0)
    assert len({pace.next_at(0.0) for _ in range(1000)}) == 1


def test_a_refusal_takes_3_percent_of_the_whole_allowance_and_more_of_a_smaller_share() -> None:
    pace = Pace(20.0)
    run(pace, 10.0)
    pace.throttled(10.0, 10.1)
    assert pace.rate == pytest.approx(20.0 * 0.97)
    small = Pace(20.0)
    small.throttled(10.0, 10.1)
    assert 0.08 < 1 - small.rate / 5.0 < 0.09


def test_requests_under_way_at_a_cut_neither_cut_nor_raise_the_rate() -> None:
    pace = Pace(20.0)
    pace.throttled(1.0, 1.2)
    after = pace.rate
    pace.throttled(1.1, 1.3)
    pace.answered(1.1, 1.3)
    assert pace.rate == after
    pace.throttled(1.3, 1.5)
    assert pace.rate < after


def test_retry_after_pauses_every_request_and_answers_do_not_end_the_pause() -> None:
    pace = Pace(20.0)
    run(pace, 10.0)
    pace.throttled(10.0, 10.1, retry_after=30.0)
    pace.answered(10.05, 10.2)
    assert 40.1 <= pace.next_at(10.2) <= 40.2
    pace.throttled(10.05, 10.3, retry_after=5.0)
    assert 40.1 <= pace.next_at(10.3) <= 40.2
    sent = run(pace, 1.0, begins=10.3 + 30.0)
    assert len([at for at in sent if at < sent[0] + 1.0 - 0.06]) <= 20, "no burst after the pause"


def test_a_raised_or_lowered_allowance_works_at_once() -> None:
    pace = Pace(2.0)
    run(pace, 60.0)
    assert pace.rate == 2.0
    pace.allow(20.0)
    assert pace.rate == 20.0
    assert pace.next_at(60.0) < 60.1
    pace.allow(0.5)
    assert pace.rate == 0.5


def test_a_rate_that_is_not_used_does_not_grow() -> None:
    pace = Pace(20.0)
    pace.throttled(0.0, 0.1)
    before = pace.rate
    for second in range(1, 1000):
        pace.sent(float(second))
        pace.answered(float(second), second + 0.1)
    assert pace.rate == before


@pytest.mark.parametrize("requests_per_second", [0.5, 1.0, 20.0, 500.0])
def test_the_rate_never_falls_below_a_64th_of_the_allowance(requests_per_second: float) -> None:
    pace = Pace(requests_per_second)
    run(pace, 2000.0 / requests_per_second, answers=False)
    assert pace.rate == requests_per_second / 64


def test_a_triggerer_that_is_left_alone_recovers_from_the_floor() -> None:
    pace = Pace(20.0)
    run(pace, 300.0, answers=False)
    run(pace, 180.0, begins=300.0)
    assert pace.rate > 19.0
