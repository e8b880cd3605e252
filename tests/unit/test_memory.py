"""What an Airflow task keeps from one try to the next: in its state store, or in a Variable of the database."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.starting import memory as memory_module
from airflow_cloudtasks.starting.memory import TaskMemory, memory_of
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

IS_AIRFLOW_2 = AIRFLOW_VERSION < (3, 0)
VALUE = {"run": 1, "progress": "asking", "ids": []}


class Store:
    """The part of Airflow's state store that is used."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.retentions: list[Any] = []

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        self.values[key] = value
        self.retentions.append(retention)

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


def task_instance(**changes: Any) -> SimpleNamespace:
    names = {"dag_id": "dag", "run_id": "run", "task_id": "task", "map_index": -1}
    return SimpleNamespace(**names | changes)


def with_variables(**changes: Any) -> TaskMemory:
    return memory_of({"ti": task_instance(**changes)})  # type: ignore[typeddict-item]


def with_store(store: Store) -> TaskMemory:
    return memory_of({"ti": task_instance(), "task_state_store": store})  # type: ignore[typeddict-unknown-key]


@pytest.fixture
def variables(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read and write Variables in the database, without the API server of Airflow 3."""
    if AIRFLOW_VERSION >= (3, 0):
        from airflow.models.variable import Variable
        from airflow.providers.common.compat.sdk import Variable as OfWorker

        for name in ("get", "set", "delete"):
            monkeypatch.setattr(OfWorker, name, getattr(Variable, name))


@pytest.mark.usefixtures("variables")
def test_a_variable_keeps_the_value_until_it_is_forgotten() -> None:
    memory = with_variables()
    assert memory.get() is None
    for value in (VALUE, VALUE | {"progress": "begun", "ids": ["\u4efb\u52a1"]}):
        memory.keep(value)
        assert with_variables().get() == value
    memory.forget()
    assert with_variables().get() is None


@pytest.mark.usefixtures("variables")
def test_a_success_deletes_the_variable_or_in_airflow_2_the_expired_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended, abandoned, running = (with_variables(task_id=name) for name in ("ended", "abandoned", "running"))
    now = time.time()
    # A busy Airflow: many tasks that started earlier and still run.
    crowd = [with_variables(task_id=f"running_{number}") for number in range(60)]
    for memory in crowd:
        memory.keep(VALUE | {"sent_at": now})
    ended.keep(VALUE)
    ended.end()
    abandoned.keep(VALUE | {"sent_at": now - 31 * 24 * 3600})
    running.keep(VALUE | {"sent_at": now})
    assert (ended.get() == VALUE) == IS_AIRFLOW_2
    monkeypatch.setattr(memory_module, "time", SimpleNamespace(time=lambda: now + 3700))
    with_variables(task_id="another").keep(VALUE)
    with_variables(task_id="another").end()
    assert ended.get() is None
    assert (abandoned.get() is None) == IS_AIRFLOW_2
    assert running.get() is not None
    assert all(memory.get() is not None for memory in crowd)
    for memory in (*crowd, abandoned, running, with_variables(task_id="another")):
        memory.forget()


@pytest.mark.usefixtures("variables")
def test_forgetting_without_a_value_is_no_error() -> None:
    with_variables().forget()
    with_variables().end()


@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize("other", [{"dag_id": "other"}, {"run_id": "other"}, {"task_id": "other"}, {"map_index": 0}])
def test_each_task_of_each_run_has_its_own_variable(other: dict[str, Any]) -> None:
    memory = with_variables()
    memory.keep(VALUE)
    assert with_variables(**other).get() is None
    memory.forget()


@pytest.mark.usefixtures("variables")
def test_accepts_names_longer_than_a_variables_key() -> None:
    long = {"dag_id": "d" * 250, "run_id": "r" * 250, "task_id": "t" * 250}
    memory = with_variables(**long)
    memory.keep(VALUE)
    assert with_variables(**long).get() == VALUE
    memory.forget()


@pytest.mark.usefixtures("variables")
def test_ignores_a_variable_that_holds_no_object() -> None:
    memory = with_variables()
    memory.keep(["no", "object"])  # type: ignore[arg-type]
    assert memory.get() is None
    memory.forget()


@pytest.mark.skipif(AIRFLOW_VERSION >= (3, 0), reason="Airflow 3's workers have no database")
@pytest.mark.usefixtures("variables")
def test_a_database_error_is_raised_instead_of_read_as_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.models.variable import Variable
    from airflow.secrets.metastore import MetastoreBackend

    def fails(*args: Any, **more: Any) -> Any:
        raise ConnectionError("the database")

    monkeypatch.setattr(MetastoreBackend, "_fetch_variable", staticmethod(fails))
    assert Variable.get("any", None) is None, "Variable.get now distinguishes an error from a missing Variable"
    with pytest.raises(ConnectionError):
        with_variables().get()


def test_the_state_store_keeps_the_value_after_the_end_until_it_is_forgotten() -> None:
    store = Store()
    memory = with_store(store)
    assert memory.get() is None
    memory.keep(VALUE)
    memory.end()
    assert with_store(store).get() == VALUE
    memory.forget()
    assert with_store(store).get() is None


@pytest.mark.skipif(AIRFLOW_VERSION < (3, 3), reason="Airflow has no state store")
def test_stores_the_value_without_an_expiry() -> None:
    from airflow.sdk import NEVER_EXPIRE

    store = Store()
    with_store(store).keep(VALUE)
    assert store.retentions[0] is NEVER_EXPIRE
