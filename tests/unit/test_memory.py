"""What an Airflow task keeps from one try to the next: in its state store, or in a Variable of the database."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from supervisor import FAULTS, Supervisor, each_fault, only_airflow_2, only_airflow_3, supervisor

from airflow_cloudtasks.airflow_facts import forget_variable, keep_variable
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.starting import memory as memory_module
from airflow_cloudtasks.starting.memory import TaskMemory, memory_of
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2, MUST_FORGET_STARTS

__all__ = ["supervisor"]

has_state_store = pytest.mark.skipif(MUST_FORGET_STARTS, reason="Airflow has no state store")
READS, WRITES, FORGETS = (
    ("GetVariable", "PutVariable", "DeleteVariable")
    if MUST_FORGET_STARTS
    else ("GetTaskStateStore", "SetTaskStateStore", "DeleteTaskStateStore")
)
TI_ID = UUID(int=7)
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
    names = {"dag_id": "dag", "run_id": "run", "task_id": "task", "map_index": -1, "try_number": 1}
    return SimpleNamespace(**names | changes)


def dag_run(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"run_after": at(0), "start_date": at(1), "clear_number": 0} | changes)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def with_variables(*, run: dict[str, Any] | None = None, **changes: Any) -> TaskMemory:
    return memory_of({"ti": task_instance(**changes), "dag_run": dag_run(**run or {})})  # type: ignore[typeddict-item]


def of_worker(supervisor: Supervisor, **changes: Any) -> TaskMemory:
    """Return the memory of a worker of Airflow 3: in the state store, if its version has one."""
    context: Any = {"ti": task_instance(id=TI_ID, **changes), "dag_run": dag_run()}
    if not MUST_FORGET_STARTS:
        from airflow.sdk.execution_time.context import TaskStateStoreAccessor

        context["task_state_store"] = TaskStateStoreAccessor(TI_ID, SimpleNamespace())  # type: ignore[arg-type]
    return memory_of(context)


def keys() -> list[str]:
    """Return the keys of all Variables of this package in the database."""
    from airflow.models.variable import Variable
    from airflow.utils.session import create_session

    with create_session() as session:
        return [key for (key,) in session.query(Variable.key).filter(Variable.key.startswith("cloud_task_start_"))]


def rows_read(work: Callable[[], None]) -> int:
    """Count the Variables that some work reads from the database."""
    from airflow.models.variable import Variable
    from sqlalchemy import event

    loaded: list[Any] = []
    listener = lambda target, context: loaded.append(target)  # noqa: E731
    event.listen(Variable, "load", listener)
    try:
        work()
    finally:
        event.remove(Variable, "load", listener)
    return len(loaded)


def database_fails(*args: Any, **more: Any) -> Any:
    raise ConnectionError("the database")


def with_store(store: Store) -> TaskMemory:
    return memory_of({"ti": task_instance(), "task_state_store": store})  # type: ignore[typeddict-unknown-key]


@pytest.fixture
def variables(airflow_home: Path) -> None:
    """Read and write Variables in the database, without the API server of Airflow 3. There are none at first."""
    for key in keys():
        forget_variable(key)


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
    assert (with_variables(task_id="ended", try_number=2).get() == VALUE) == IS_AIRFLOW_2
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
@pytest.mark.parametrize("half", ['["no", "object"]', '{"run": 1, "progr', "", "null"])
def test_a_half_value_of_a_variable_is_an_error(half: str) -> None:
    memory = with_variables()
    memory.keep(VALUE)
    (key,) = keys()
    keep_variable(key, half, "")
    with pytest.raises(TransientError, match="not a JSON object"):
        memory.get()
    memory.forget()


@pytest.mark.usefixtures("variables")
def test_another_row_with_the_same_run_id_has_kept_nothing() -> None:
    with_variables(run={"id": 1} if IS_AIRFLOW_2 else {"run_after": at(1)}).keep(VALUE)
    row = {"id": 2} if IS_AIRFLOW_2 else {"run_after": at(2)}
    memory = with_variables(run=row)
    assert memory.get() is None
    memory.keep(VALUE | {"run": 2})
    assert with_variables(run=row, try_number=2).get() == VALUE | {"run": 2}
    memory.forget()


@only_airflow_2
@pytest.mark.usefixtures("variables")
def test_a_success_is_found_by_a_retry_and_not_by_a_row_that_got_the_same_id() -> None:
    row = {"id": 1}
    memory = with_variables(run=row)
    memory.keep(VALUE)
    memory.end()
    assert with_variables(run=row, try_number=2).get() == VALUE
    assert with_variables(run=row).get() is None
    memory.forget()


@pytest.mark.usefixtures("variables")
def test_reads_what_an_older_version_of_the_package_kept() -> None:
    memory = with_variables()
    memory.keep(VALUE)
    (key,) = keys()
    keep_variable(key, json.dumps(VALUE | {"ended_at": time.time()}), "")
    assert memory.get() == VALUE
    memory.forget()


@only_airflow_3
@pytest.mark.usefixtures("variables")
def test_drops_the_identity_that_airflow_2_gave_to_a_row_before_an_upgrade() -> None:
    memory = with_variables(try_number=2)
    memory.keep(VALUE | {"identity": "of run_after"})
    assert memory.get() == VALUE | {"identity": "of run_after"}
    (key,) = keys()
    kept = VALUE | {"identity": "of id", "airflow_row": {"id": 7, "started": 1.0, "clears": 0, "tries": 1}}
    keep_variable(key, json.dumps(kept), "")
    assert memory.get() == VALUE
    memory.forget()


@only_airflow_2
@pytest.mark.usefixtures("variables")
def test_a_success_looks_at_a_limited_number_of_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_module, "_MOST_LOOKED_AT", 5)
    old = time.time() - 31 * 24 * 3600
    crowd = [with_variables(task_id=f"old_{number}") for number in range(40)]
    for memory in crowd:
        memory.keep(VALUE | {"sent_at": old})
    looked_at = rows_read(with_variables(task_id="one").end)
    assert looked_at <= 5
    assert len(keys()) == 35
    successes = 0
    while keys():
        with_variables(task_id="one").end()
        successes += 1
    assert successes < 40


@only_airflow_3
@each_fault
def test_what_cannot_be_looked_up_is_an_error_that_airflow_retries(supervisor: Supervisor, fault: str) -> None:
    memory = of_worker(supervisor)
    memory.keep(VALUE)
    supervisor.faults[READS] = FAULTS[fault]
    with pytest.raises(TransientError, match="Looking up what an earlier try started in Airflow failed"):
        memory.get()
    # Also if it is the look-up that reads back what was just kept.
    with pytest.raises(TransientError, match="Keeping what this try starts in Airflow failed"):
        memory.keep(VALUE)


@only_airflow_3
@each_fault
def test_what_cannot_be_kept_is_an_error_that_airflow_retries(supervisor: Supervisor, fault: str) -> None:
    supervisor.faults[WRITES] = FAULTS[fault]
    with pytest.raises(TransientError, match="Keeping what this try starts in Airflow failed"):
        of_worker(supervisor).keep(VALUE)


@only_airflow_3
def test_a_value_that_was_kept_but_not_found_again_is_an_error(supervisor: Supervisor) -> None:
    memory = of_worker(supervisor)
    supervisor.faults[WRITES] = lambda: None
    with pytest.raises(TransientError, match="another value was found afterwards"):
        memory.keep(VALUE)


@only_airflow_3
def test_a_value_that_was_kept_though_the_answer_was_lost_is_kept(supervisor: Supervisor) -> None:
    memory = of_worker(supervisor)
    memory.keep(VALUE)
    supervisor.faults[WRITES] = FAULTS["a time-out"]
    memory.keep(VALUE)
    assert of_worker(supervisor).get() == VALUE


@only_airflow_3
@each_fault
def test_what_cannot_be_forgotten_is_an_error_and_an_end_is_none(supervisor: Supervisor, fault: str) -> None:
    memory = of_worker(supervisor)
    memory.keep(VALUE)
    supervisor.faults[FORGETS] = FAULTS[fault]
    with pytest.raises(TransientError, match="Deleting what this try kept in Airflow failed"):
        memory.forget()
    memory.end()
    assert of_worker(supervisor).get() == VALUE


@only_airflow_3
def test_a_success_deletes_the_variable_of_a_worker(supervisor: Supervisor) -> None:
    memory = of_worker(supervisor)
    assert memory.get() is None
    memory.keep(VALUE)
    memory.end()
    assert supervisor.variables == {}
    assert (of_worker(supervisor).get() is None) == MUST_FORGET_STARTS


@has_state_store
def test_moves_what_an_older_airflow_kept_into_the_state_store(supervisor: Supervisor) -> None:
    older: Any = {"ti": task_instance(id=TI_ID), "dag_run": dag_run()}
    memory_of(older).keep(VALUE)
    assert len(supervisor.variables) == 1
    assert of_worker(supervisor, try_number=2).get() == VALUE
    assert supervisor.states == {"cloud_task_start": VALUE}
    assert supervisor.variables == {}
    assert of_worker(supervisor, try_number=3).get() == VALUE


@has_state_store
@each_fault
@pytest.mark.parametrize("message", ["GetVariable", "SetTaskStateStore"])
def test_what_an_older_airflow_kept_is_never_taken_for_nothing(
    supervisor: Supervisor, message: str, fault: str
) -> None:
    memory_of({"ti": task_instance()}).keep(VALUE)  # type: ignore[typeddict-item]
    supervisor.faults[message] = FAULTS[fault]
    with pytest.raises(TransientError):
        of_worker(supervisor).get()
    assert len(supervisor.variables) == 1
    supervisor.faults.clear()
    assert of_worker(supervisor).get() == VALUE


@has_state_store
def test_forgets_what_an_older_airflow_kept_as_well(supervisor: Supervisor) -> None:
    memory_of({"ti": task_instance()}).keep(VALUE)  # type: ignore[typeddict-item]
    of_worker(supervisor).forget()
    assert of_worker(supervisor).get() is None


@only_airflow_2
@pytest.mark.usefixtures("variables")
def test_a_database_error_is_raised_instead_of_read_as_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.models.variable import Variable
    from airflow.secrets.metastore import MetastoreBackend

    with_variables().keep(VALUE)
    with monkeypatch.context() as patched:
        patched.setattr(MetastoreBackend, "_fetch_variable", staticmethod(database_fails))
        assert Variable.get("any", None) is None, "Variable.get now distinguishes an error from a missing Variable"
        with pytest.raises(TransientError, match="ConnectionError"):
            with_variables().get()
        with pytest.raises(TransientError):
            with_variables().keep(VALUE)
    with monkeypatch.context() as patched:
        patched.setattr(Variable, "set", database_fails)
        with pytest.raises(TransientError):
            with_variables().keep(VALUE | {"run": 2})
    with monkeypatch.context() as patched:
        patched.setattr(Variable, "delete", database_fails)
        with pytest.raises(TransientError):
            with_variables().forget()
    with_variables().forget()


def test_the_state_store_keeps_the_value_after_the_end_until_it_is_forgotten() -> None:
    store = Store()
    memory = with_store(store)
    assert memory.get() is None
    memory.keep(VALUE)
    memory.end()
    assert with_store(store).get() == VALUE
    memory.forget()
    assert with_store(store).get() is None


@has_state_store
def test_stores_the_value_without_an_expiry() -> None:
    from airflow.sdk import NEVER_EXPIRE

    store = Store()
    with_store(store).keep(VALUE)
    assert store.retentions[0] is NEVER_EXPIRE
