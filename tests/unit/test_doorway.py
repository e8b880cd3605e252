"""No look-up adopts the task of another Airflow task that asked for the same, in any order of reads and writes."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_cloudtasks.starting.doorway import Doorway

# A read or a write, with its result once it has happened.
Log = tuple[Any, ...]
# Each process's log, and the shared values.
State = tuple[tuple[Log, ...], tuple[tuple[str, Any], ...]]


class Paused(Exception):
    """A process has done its next read or write."""


class Replayed:
    """Shared values that a process reads and writes one step at a time.

    The process runs from its beginning in each step. The results of earlier steps come from its log.
    """

    def __init__(self, log: Log, shared: dict[str, Any]) -> None:
        self._log, self._shared, self._done = list(log), shared, 0

    def get(self, name: str) -> Any:
        return self._step(lambda: self._shared.get(name))

    def put(self, name: str, value: Any) -> None:
        self._step(lambda: self._shared.__setitem__(name, value["owner"]))

    def delete(self, name: str) -> None:
        self._step(lambda: self._shared.pop(name, None))

    def send(self, owner: str) -> None:
        self._step(lambda: self._shared.__setitem__("tasks", (*self._shared.get("tasks", ()), owner)))

    def _step(self, act: Any) -> Any:
        if self._done < len(self._log):
            self._done += 1
            return self._log[self._done - 1]
        raise Paused(act())


class Entries(Replayed):
    """The values as the doorway expects them."""

    def get(self, name: str) -> dict[str, Any] | None:
        owner = super().get(name)
        return None if owner is None else {"owner": owner, "at": 0.0}


def process(registers: Entries, owner: str, *, is_lost: bool) -> str | None:
    """Start a task; if the request is lost before the vendor gets it, look for it. Return the adopted task."""
    doorway = Doorway(registers, owner, lambda: 0.0)
    is_alone = doorway.enter()
    if not is_lost:
        registers.send(owner)
        return None
    listed = Replayed.get(registers, "tasks") or ()
    if len(listed) == 1 and is_alone and doorway.is_alone(0.0):
        return str(listed[0])
    return None


def outcomes(lost: tuple[bool, ...]) -> tuple[set[str], int]:
    """Return every task that a process can adopt, over every order of steps, and the number of states."""
    start: State = (((),) * len(lost), ())
    seen, todo, adopted = {start}, [start], set()
    while todo:
        logs, shared_items = todo.pop()
        for number, log in enumerate(logs):
            shared = dict(shared_items)
            try:
                found = process(Entries(log, shared), f"task {number}", is_lost=lost[number])
            except Paused as step:
                after = (*logs[:number], (*log, step.args[0]), *logs[number + 1 :])
                state: State = (after, tuple(sorted(shared.items())))
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
            else:
                adopted |= {found} if found else set()
    return adopted, len(seen)


@pytest.mark.parametrize(
    "lost", [(True, False), (True, True), (False, True), (True, False, False), (True, True, False)]
)
def test_adopts_no_task_of_another_in_any_order_of_steps(lost: tuple[bool, ...]) -> None:
    adopted, states = outcomes(lost)
    assert adopted == set()
    assert states > 100


class Values:
    """Shared values of one process at a time."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}

    def get(self, name: str) -> dict[str, Any] | None:
        return self.values.get(name)

    def put(self, name: str, value: dict[str, Any]) -> None:
        self.values[name] = value

    def delete(self, name: str) -> None:
        self.values.pop(name, None)


def test_a_task_without_others_is_alone_over_all_its_tries() -> None:
    values, now = Values(), [0.0]
    doorway = Doorway(values, "a", lambda: now[0])
    for now[0] in (0.0, 10.0, 10_000.0):
        assert doorway.enter()
        assert doorway.is_alone(0.0)


def test_a_later_task_and_the_earlier_one_know_of_each_other() -> None:
    values, now = Values(), [0.0]
    one, other = (Doorway(values, name, lambda: now[0]) for name in ("a", "b"))
    assert one.enter()
    now[0] = 600.0
    assert not other.enter()
    assert not one.is_alone(0.0)


def test_an_entry_of_an_hour_ago_does_not_count() -> None:
    values, now = Values(), [0.0]
    one, other = (Doorway(values, name, lambda: now[0]) for name in ("a", "b"))
    assert one.enter()
    now[0] = 3700.0
    assert other.enter()
    assert other.is_alone(3700.0)
    assert not one.is_alone(0.0)


@pytest.mark.parametrize(("seconds", "stays"), [(59.0, True), (61.0, False)])
def test_leaves_the_entry_while_it_may_matter(seconds: float, stays: bool) -> None:
    values, now = Values(), [0.0]
    doorway = Doorway(values, "a", lambda: now[0])
    doorway.enter()
    now[0] = seconds
    Doorway(values, "b", lambda: now[0]).leave()
    assert len(values.values) == 2
    doorway.leave()
    assert bool(values.values) is stays


MIDNIGHT = 20_000 * 24 * 3600.0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_tasks_on_both_sides_of_midnight_know_of_each_other(order: tuple[int, int]) -> None:
    values, now = Values(), [0.0]
    tasks = [Doorway(values, name, lambda: now[0]) for name in ("a", "b")]
    entered_at = [MIDNIGHT - 30.0, MIDNIGHT + 30.0]
    for number in order:
        now[0] = entered_at[number]
        assert tasks[number].enter()
    assert not any(task.is_alone(at) for task, at in zip(tasks, entered_at, strict=True))


def test_an_entry_of_the_hour_before_midnight_does_not_count_in_the_hour_after_the_next() -> None:
    values, now = Values(), [MIDNIGHT - 1800.0]
    one, other = (Doorway(values, name, lambda: now[0]) for name in ("a", "b"))
    assert one.enter()
    now[0] = MIDNIGHT + 1860.0
    assert other.enter()
    assert other.is_alone(now[0])


def test_a_task_of_two_days_ago_is_not_alone() -> None:
    values, now = Values(), [MIDNIGHT + 7200.0]
    one = Doorway(values, "a", lambda: now[0])
    assert one.enter()
    now[0] += 24 * 3600.0
    assert one.is_alone(MIDNIGHT + 7200.0)
    now[0] += 24 * 3600.0
    assert not one.is_alone(MIDNIGHT + 7200.0)


def test_leaves_the_entry_of_the_day_before() -> None:
    values, now = Values(), [MIDNIGHT - 60.0]
    doorway = Doorway(values, "a", lambda: now[0])
    doorway.enter()
    now[0] = MIDNIGHT + 60.0
    doorway.leave()
    assert not values.values
