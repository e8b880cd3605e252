"""The values that Airflow tasks share: Variables in Airflow's database, also of sixteen tasks at once."""

from __future__ import annotations

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
    assert one.enter()
    assert one.is_alone(0.0)
    assert doorway("third", workflow="another").enter()
    assert not other.enter()
    assert not one.is_alone(0.0)


@pytest.mark.usefixtures("airflow_home")
def test_one_of_sixteen_tasks_at_once_is_alone_at_most() -> None:
    with ThreadPoolExecutor(16) as executor:
        alone = list(executor.map(lambda number: doorway(f"task {number}", workflow="sixteen").enter(), range(16)))
    assert sum(alone) <= 1
    assert not any(doorway(f"task {number}", workflow="sixteen").is_alone(0.0) for number in range(16))


class Airflow:
    """Variables of an Airflow that does not answer for a number of questions."""

    def __init__(self, silent: int) -> None:
        self.silent, self.values = silent, dict[str, str]()

    def variable(self, key: str) -> Any:
        self.silent -= 1
        if self.silent >= 0:
            return Unknown("ServerError")
        return Is(self.values[key]) if key in self.values else IsNot()

    def keep_variable(self, key: str, value: str, description: str) -> Any:
        self.values[key] = value
        return self.variable(key)


@pytest.mark.parametrize(("silent", "answers"), [(0, True), (3, True), (4, False)])
def test_asks_airflow_again_and_then_ends_the_try(silent: int, answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    airflow, slept = Airflow(silent), list[float]()
    for name in ("variable", "keep_variable"):
        monkeypatch.setattr(doorway_variables, name, getattr(airflow, name))
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
    monkeypatch.setattr(doorway_variables, "keep_variable", lambda key, written, description: Is(written))
    assert not doorway("one").enter()
    assert not doorway("one").is_alone(0.0)
