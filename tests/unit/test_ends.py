"""What a watcher knows about ends, as pure data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_cloudtasks.assets._ends import OVERLAP, Ends, key_of
from airflow_cloudtasks.model import CloudTask, TaskState

NOW = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


def task(task_id: str, seconds: float = 1.0, state: TaskState = TaskState.SUCCEEDED) -> CloudTask:
    return CloudTask(
        api="wedata.workflow_run",
        cloud="tencent",
        id=task_id,
        state=state,
        finished_at=NOW + timedelta(seconds=seconds),
    )


def drain(ends: Ends) -> list[str]:
    """Send and settle the event of each end."""
    sent = []
    while (each := ends.next()) is not None:
        ends.send(each, None)
        ends.settle()
        sent.append(each.id)
    return sent


def test_returns_the_oldest_end_first_and_each_once() -> None:
    ends = Ends(NOW)
    assert ends.offer([task("b", 2), task("a", 1), task("b", 2)])
    assert drain(ends) == ["a", "b"]
    assert not ends.offer([task("a", 1), task("b", 2)], NOW + timedelta(seconds=3))
    assert drain(ends) == []


def test_ends_of_the_same_second_are_told_apart_by_their_ids() -> None:
    ends = Ends(NOW)
    ends.offer([task(each, 1) for each in "cab"])
    assert drain(ends) == ["a", "b", "c"]


def test_a_task_that_runs_again_has_another_end() -> None:
    ends = Ends(NOW)
    ends.offer([task("a", 1)])
    assert drain(ends) == ["a"]
    ends.offer([task("a", 1), task("a", 60)])
    assert drain(ends) == ["a"]


def test_fractions_of_a_second_make_no_other_end() -> None:
    assert key_of(task("a", 1.2)) == key_of(task("a", 1.9)) != key_of(task("a", 2.0))


def test_ignores_what_ended_before_the_watcher_was_made() -> None:
    ends = Ends(NOW)
    assert not ends.offer([task("old", -1)])
    assert drain(ends) == []


def test_ignores_tasks_that_have_not_ended_and_ends_that_are_not_wanted() -> None:
    ends = Ends(NOW, lambda each: each.state is TaskState.FAILED)
    assert ends.offer([task("runs", 1, TaskState.RUNNING), task("ok", 1), task("failed", 1, TaskState.FAILED)])
    assert drain(ends) == ["failed"]


def test_takes_an_end_that_a_list_shows_late() -> None:
    ends = Ends(NOW)
    ends.offer([], NOW + timedelta(hours=1))
    ends.offer([task("late", 3600 - OVERLAP.total_seconds() + 1), task("too late", 3600 - OVERLAP.total_seconds() - 1)])
    assert drain(ends) == ["late"]


def test_reads_back_to_the_oldest_end_that_has_had_no_event() -> None:
    ends = Ends(NOW - timedelta(days=1))
    ends.offer([task("waits", 10), task("later", 3000)], NOW + timedelta(hours=1))
    assert ends.horizon == NOW + timedelta(seconds=10) - OVERLAP
    assert drain(ends) == ["waits", "later"]
    assert ends.horizon == NOW + timedelta(hours=1) - OVERLAP


def test_forgets_ends_that_cannot_come_again() -> None:
    ends = Ends(NOW)
    ends.offer([task(str(number), number) for number in range(100)], NOW + timedelta(seconds=100))
    drain(ends)
    assert len(ends.as_dict()["done"]) == 100
    ends.offer([], NOW + timedelta(seconds=100) + OVERLAP)
    assert ends.as_dict()["done"] == {}
    assert not ends.offer([task("99", 99)])


def test_an_end_in_the_far_future_moves_nothing() -> None:
    ends = Ends(NOW)
    ends.offer([task("liar", 10**9)], NOW + timedelta(seconds=5))
    assert drain(ends) == ["liar"]
    ends.offer([task("a", 6)], NOW + timedelta(seconds=10))
    assert drain(ends) == ["a"]


def restarted(ends: Ends) -> Ends:
    return Ends.from_dict(json.loads(json.dumps(ends.as_dict())))


def test_what_has_had_its_event_has_none_after_a_restart() -> None:
    ends = Ends(NOW)
    shown = [task("a", 1), task("b", 2)]
    ends.offer(shown, NOW + timedelta(seconds=3))
    first = ends.next()
    assert first is not None
    ends.send(first, None)
    ends.settle()
    again = restarted(ends)
    again.offer(shown)
    assert drain(again) == ["b"]


@pytest.mark.parametrize("was_stored", [True, False])
def test_an_event_in_doubt_is_settled_or_sent_again(was_stored: bool) -> None:
    ends = Ends(NOW)
    ends.offer([task("a", 1)], NOW + timedelta(hours=2))
    first = ends.next()
    assert first is not None
    ends.send(first, 7)
    again = restarted(ends)
    assert again.sent is not None
    assert again.sent.runs == 7
    again.settle() if was_stored else again.take_back()
    again.offer([task("a", 1)])
    assert drain(again) == ([] if was_stored else ["a"])


def test_settling_nothing_changes_nothing() -> None:
    ends = Ends(NOW)
    before = ends.as_dict()
    ends.settle()
    assert ends.as_dict() == before


def test_an_end_that_is_put_off_comes_after_the_others_and_holds_the_horizon() -> None:
    ends = Ends(NOW - timedelta(days=1))
    ends.offer([task("a", 1), task("b", 2000), task("c", 3000)], NOW + timedelta(hours=1))
    ends.put_off(task("a", 1))
    assert ends.horizon == NOW + timedelta(seconds=1) - OVERLAP
    assert drain(ends) == ["b", "c", "a"]


def test_keeps_no_key_of_an_end_that_was_dropped() -> None:
    ends = Ends(NOW)
    shown = [task(str(number), number) for number in range(100)]
    ends.offer(shown)
    while (each := ends.next()) is not None:
        ends.drop(each)
    assert ends.as_dict()["done"] == {}
    assert not ends.offer(shown)


@pytest.mark.parametrize(
    "damage",
    [
        {"done": []},
        {"done": None},
        {"done": {"a": "x"}},
        {"read_at": "x"},
        {"read_at": 1e300},
        {"since": -62135596800.0, "read_at": -62135596800.0},
        {"sent": 1},
        {"sent": {"key": "a", "runs": []}},
    ],
)
def test_what_is_damaged_is_refused_with_one_kind_of_error(damage: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"holds no ends|could not convert|out of range|invalid literal"):
        Ends.from_dict(Ends(NOW).as_dict() | damage)
