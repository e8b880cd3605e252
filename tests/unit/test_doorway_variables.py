"""The values that Airflow tasks share: Variables in Airflow's database, also of sixteen tasks at once."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.airflow_facts import Is, IsNot, Unknown
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.starting import doorway_variables
from airflow_cloudtasks.starting.asked import Asked
from airflow_cloudtasks.starting.doorway import Doorway
from airflow_cloudtasks.starting.doorway_variables import doorway_of


def doorway(owner: str, workflow: str = "w", **context: Any) -> Doorway:
    return doorway_of(context, Asked(api="a", action="A", scope={"WorkflowId": workflow}), owner)  # type: ignore[arg-type]


@pytest.mark.usefixtures("airflow_home")
def test_tasks_that_ask_for_the_same_know_of_each_other() -> None:
    one, other = doorway("one"), doorway("other")
    entered_at = time.time()
    assert one.enter()
    assert one.is_alone(entered_at)
    assert doorway("third", workflow="another").enter()
    assert not other.enter()
    assert not one.is_alone(entered_at)


@pytest.mark.usefixtures("airflow_home")
def test_one_of_sixteen_tasks_at_once_is_alone_at_most() -> None:
    entered_at = time.time()
    with ThreadPoolExecutor(16) as executor:
        alone = list(executor.map(lambda number: doorway(f"task {number}", workflow="sixteen").enter(), range(16)))
    assert sum(alone) <= 1
    assert not any(doorway(f"task {number}", workflow="sixteen").is_alone(entered_at) for number in range(16))


class Airflow:
    """Variables of an Airflow that does not answer for a number of questions."""

    def __init__(self, silent: int = 0) -> None:
        self.silent, self.values = silent, dict[str, str]()

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("variable", "keep_variable", "forget_variable"):
            monkeypatch.setattr(doorway_variables, name, getattr(self, name))

    def variable(self, key: str) -> Any:
        self.silent -= 1
        if self.silent >= 0:
            return Unknown("ServerError")
        return Is(self.values[key]) if key in self.values else IsNot()

    def keep_variable(self, key: str, value: str, description: str) -> Any:
        self.values[key] = value
        return self.variable(key)

    def forget_variable(self, key: str) -> Any:
        self.values.pop(key, None)
        return IsNot()


def on_day(number: float, owner: str, workflow: str = "w") -> Doorway:
    found = doorway(owner, workflow)
    found._now = lambda: number * 24 * 3600.0
    return found


@pytest.mark.parametrize("places", [1, 25])
def test_no_variable_of_a_past_day_stays(places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = Airflow()
    airflow.use(monkeypatch)
    for number in range(places):
        assert on_day(20_000.5, "one", f"w{number}").enter()
        assert not on_day(20_000.5, "other", f"w{number}").enter()  # a crowd
    assert len(airflow.values) == 1 + 3 * places
    on_day(20_001.5, "third", "x").enter()
    assert len(airflow.values) == 1 + 3 * places + 2  # the clocks of others may be at the day before
    for number in range(3):
        on_day(20_002.5, "fourth", f"y{number}").enter()
    assert [key for key in airflow.values if "_20000" in key or "20000" in airflow.values[key]] == []
    assert len(json.loads(airflow.values["cloud_task_asked"])) == 1 + 3


def test_a_variable_that_cannot_be_deleted_is_deleted_later(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = Airflow()
    airflow.use(monkeypatch)
    on_day(20_000.5, "one").enter()
    with monkeypatch.context() as failing:
        failing.setattr(doorway_variables, "forget_variable", lambda key: Unknown("ServerError"))
        on_day(20_003.5, "two", "x").enter()
    assert any("_20000" in key for key in airflow.values)
    on_day(20_003.6, "three", "y").enter()
    assert not any("_20000" in key for key in airflow.values)


def test_a_list_that_another_task_replaced_gets_the_entry_again(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = Airflow()
    airflow.use(monkeypatch)
    keep, replaced = airflow.keep_variable, list[str]()

    def replaces_once(key: str, value: str, description: str) -> Any:
        if key == "cloud_task_asked" and not replaced:
            replaced.append(value)
            value = json.dumps([f"{'0' * 32}_20000", 7, "no entry"])
        return keep(key, value, description)

    monkeypatch.setattr(doorway_variables, "keep_variable", replaces_once)
    on_day(20_000.5, "one").enter()
    listed = json.loads(airflow.values["cloud_task_asked"])
    assert len(listed) == 2
    assert set(json.loads(replaced[0])) < set(listed)


def test_a_list_that_others_keep_replacing_does_not_stop_a_start(monkeypatch: pytest.MonkeyPatch) -> None:
    airflow = Airflow()
    airflow.use(monkeypatch)
    keep = airflow.keep_variable
    monkeypatch.setattr(
        doorway_variables,
        "keep_variable",
        lambda key, value, description: keep(key, "[]" if key == "cloud_task_asked" else value, description),
    )
    assert on_day(20_000.5, "one").enter()


def resources(owner: str, **texts: str) -> Doorway:
    return doorway_of({}, Asked(api="bdrc.task", action="UpdateResources", texts=texts), owner)  # type: ignore[typeddict-item]


ONE, OTHER, ALL = {"ResourceType": "ACS::ECS::Instance"}, {"ResourceType": "ACS::OSS::Bucket"}, dict[str, str]()


@pytest.mark.parametrize(
    ("first", "second", "are_alone"),
    [(ONE, OTHER, True), (ONE, ONE, False), (ONE, ALL, False), (ALL, ONE, False), (ALL, ALL, False)],
)
def test_a_request_that_omits_a_text_meets_those_that_give_one(
    first: dict[str, str], second: dict[str, str], are_alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Airflow().use(monkeypatch)
    tasks = [resources("first", **first), resources("second", **second)]
    entered_at = time.time()
    is_alone = [task.enter() for task in tasks]
    alone = [entered and task.is_alone(entered_at) for entered, task in zip(is_alone, tasks, strict=True)]
    assert alone == [are_alone, are_alone]


@pytest.mark.parametrize(("silent", "answers"), [(0, True), (3, True), (4, False)])
def test_asks_airflow_again_and_then_ends_the_try(silent: int, answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow, slept = Airflow(silent), list[float]()
    airflow.use(monkeypatch)
    monkeypatch.setattr(doorway_variables, "time", SimpleNamespace(sleep=slept.append))
    if answers:
        assert doorway("one").enter()
        assert slept == [2.0] * silent
    else:
        with pytest.raises(TransientError, match=r"whether another task asks for the same \(ServerError\)") as caught:
            doorway("one").enter()
        assert not caught.value.may_have_acted


@pytest.mark.parametrize("value", ["", "null", "[]", '{"owner": "x"}', '{"at": "soon", "owner": "x"}', "{"])
def test_an_entry_that_cannot_be_read_is_of_another_task(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorway_variables, "variable", lambda key: Is(value))
    monkeypatch.setattr(doorway_variables._Variables, "_list", lambda *_: None)
    monkeypatch.setattr(doorway_variables, "keep_variable", lambda key, written, description: Is(written))
    assert not doorway("one").enter()
    assert not doorway("one").is_alone(0.0)
