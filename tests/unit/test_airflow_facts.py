"""What Airflow answers: it is there, it is not there, or it could not be asked, whatever fails on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection
from supervisor import FAULTS, Supervisor, each_fault, only_airflow_2, only_airflow_3, refusal, supervisor

from airflow_cloudtasks import airflow_facts
from airflow_cloudtasks.airflow_facts import (
    Fact,
    FoundConnection,
    Is,
    IsNot,
    RunRow,
    Unknown,
    aconnection,
    connection,
    forget_variable,
    keep_variable,
    run_identity,
    run_row,
    task_state,
    variable,
)
from airflow_cloudtasks.hooks.alibaba import IceHook
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

__all__ = ["supervisor"]

FIELDS = {"conn_type": "cloudtasks_alibaba", "login": "AK", "password": "secret", "extra": '{"region": "cn-beijing"}'}
TASK = SimpleNamespace(dag_id="dag", run_id="run", task_id="task", map_index=-1)


def look_up(conn_id: str = "c") -> Fact[FoundConnection]:
    return connection(IceHook(conn_id), conn_id)


def alook_up(conn_id: str = "c") -> Fact[FoundConnection]:
    return asyncio.run(aconnection(IceHook(conn_id), conn_id))


each_way = pytest.mark.parametrize("look_up", [look_up, alook_up], ids=["worker", "triggerer"])


class Backend:
    """A secrets backend of the user."""

    def __init__(self, found: Any = None, error: Exception | None = None) -> None:
        self._found, self._error = found, error

    def get_connection(self, conn_id: str) -> Any:
        if self._error is not None:
            raise self._error
        return self._found

    def get_variable(self, key: str) -> None:
        return None


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The secrets backends that the user configured, before those that Airflow adds."""
    added: list[Any] = []

    def wrapped(configured: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        return lambda *args, **more: [*added, *configured(*args, **more)]

    import airflow.configuration

    # Airflow looks the function up anew for each connection.
    monkeypatch.setattr(
        airflow.configuration, "ensure_secrets_loaded", wrapped(airflow.configuration.ensure_secrets_loaded)
    )
    if IS_AIRFLOW_2:
        import airflow.models.connection

        monkeypatch.setattr(
            airflow.models.connection, "ensure_secrets_loaded", airflow.configuration.ensure_secrets_loaded
        )
    else:
        from airflow.sdk.execution_time import supervisor as module

        monkeypatch.setattr(module, "ensure_secrets_backend_loaded", wrapped(module.ensure_secrets_backend_loaded))
    return added


@only_airflow_3
@each_way
def test_finds_a_connection_of_the_api_server(supervisor: Supervisor, look_up: Callable[[], Any]) -> None:
    supervisor.connections["c"] = FIELDS
    match look_up():
        case Is(FoundConnection(found, extra)):
            assert (found.conn_type, found.login, found.password, extra) == (
                "cloudtasks_alibaba",
                "AK",
                "secret",
                {"region": "cn-beijing"},
            )
        case other:
            pytest.fail(f"{other}")


@only_airflow_3
@each_way
def test_a_connection_that_the_api_server_does_not_have_is_not_there(
    supervisor: Supervisor, look_up: Callable[[], Any]
) -> None:
    assert look_up() == IsNot()


@only_airflow_3
@each_way
@each_fault
def test_a_failed_look_up_of_a_connection_is_unknown(
    supervisor: Supervisor, look_up: Callable[[], Any], fault: str
) -> None:
    supervisor.connections["c"] = FIELDS
    supervisor.faults["GetConnection"] = FAULTS[fault]
    assert isinstance(look_up(), Unknown)


@only_airflow_3
@each_way
def test_a_connection_is_unknown_if_the_api_server_finds_none_because_its_database_fails(
    supervisor: Supervisor, look_up: Callable[[], Any]
) -> None:
    supervisor.faults["GetDRCount"] = FAULTS["500 from the API server"]
    assert isinstance(look_up(), Unknown)


@only_airflow_3
@each_way
def test_a_connection_is_unknown_if_it_is_there_when_asked_again(
    supervisor: Supervisor, look_up: Callable[[], Any]
) -> None:
    def count() -> Any:
        supervisor.connections["c"] = FIELDS

    supervisor.faults["GetDRCount"] = count
    assert isinstance(look_up(), Unknown)
    assert isinstance(look_up(), Is)


@only_airflow_3
@each_way
def test_a_look_up_that_airflow_denies_is_unknown(supervisor: Supervisor, look_up: Callable[[], Any]) -> None:
    from airflow.sdk.exceptions import ErrorType

    denied = "PERMISSION_DENIED" if hasattr(ErrorType, "PERMISSION_DENIED") else "GENERIC_ERROR"
    supervisor.faults["GetConnection"] = lambda: refusal(denied, 403)
    assert isinstance(look_up(), Unknown)


@pytest.mark.usefixtures("airflow_home")
@each_way
@pytest.mark.parametrize("has_supervisor", [True, False])
def test_finds_a_connection_of_the_environment_whatever_the_api_server_answers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, look_up: Callable[[], Any], has_supervisor: bool
) -> None:
    if has_supervisor and not IS_AIRFLOW_2:
        request.getfixturevalue("supervisor").faults["GetConnection"] = FAULTS["500 from the API server"]
    monkeypatch.setenv("AIRFLOW_CONN_C", json.dumps(FIELDS | {"extra": {"region": "cn-beijing"}}))
    match look_up():
        case Is(FoundConnection(found, extra)):
            assert (found.login, extra) == ("AK", {"region": "cn-beijing"})
        case other:
            pytest.fail(f"{other}")


@pytest.mark.usefixtures("airflow_home")
@each_way
def test_a_connection_is_unknown_if_a_backend_fails_and_no_other_has_it(
    request: pytest.FixtureRequest, backends: list[Any], look_up: Callable[[], Any]
) -> None:
    if not IS_AIRFLOW_2:
        request.getfixturevalue("supervisor")
    assert look_up() == IsNot()
    backends.append(Backend(error=ConnectionError("the vault at https://user:secret@vault")))
    fact = look_up()
    assert isinstance(fact, Unknown)
    assert "ConnectionError" in fact.why
    assert "secret" not in fact.why


@pytest.mark.usefixtures("airflow_home")
@each_way
def test_a_connection_of_a_later_backend_is_found_after_a_failed_one(
    request: pytest.FixtureRequest, backends: list[Any], look_up: Callable[[], Any]
) -> None:
    if not IS_AIRFLOW_2:
        request.getfixturevalue("supervisor")
    backends += [Backend(error=ConnectionError()), Backend(Connection(conn_id="c", conn_type="t", login="later"))]
    match look_up():
        case Is(FoundConnection(found, _)):
            assert found.login == "later"
        case other:
            pytest.fail(f"{other}")


@only_airflow_2
@pytest.mark.usefixtures("airflow_home")
@each_way
def test_a_connection_is_unknown_if_the_database_fails(
    monkeypatch: pytest.MonkeyPatch, look_up: Callable[[], Any]
) -> None:
    from airflow.secrets.metastore import MetastoreBackend

    assert look_up() == IsNot()
    monkeypatch.setattr(MetastoreBackend, "get_connection", _database_fails)
    assert isinstance(look_up(), Unknown)


@only_airflow_3
def test_a_look_up_that_hangs_is_unknown_after_a_while_and_is_not_cancelled(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.connections["c"] = FIELDS
    answered = []

    async def hangs(hook: Any, conn_id: str) -> Any:
        await released.wait()
        answered.append(conn_id)
        return IsNot()

    async def look_up() -> Any:
        nonlocal released
        released = asyncio.Event()
        fact = await aconnection(IceHook("c"), "c")
        released.set()
        await asyncio.gather(*airflow_facts._under_way)
        return fact

    released = asyncio.Event()
    monkeypatch.setattr(airflow_facts, "_alook_up", hangs)
    monkeypatch.setattr(airflow_facts, "_LOOK_UP_SECONDS", 0.01)
    assert asyncio.run(look_up()) == Unknown("TimeoutError")
    assert answered == ["c"]


@only_airflow_3
def test_a_variable_is_kept_found_and_forgotten(supervisor: Supervisor) -> None:
    assert variable("k") == IsNot()
    assert keep_variable("k", "v", "what it is") == Is("v")
    assert variable("k") == Is("v")
    assert forget_variable("k") == IsNot()
    assert variable("k") == IsNot()


@only_airflow_3
@each_fault
def test_a_failed_look_up_of_a_variable_is_unknown(supervisor: Supervisor, fault: str) -> None:
    supervisor.variables["k"] = "v"
    supervisor.faults["GetVariable"] = FAULTS[fault]
    assert isinstance(variable("k"), Unknown)
    assert isinstance(keep_variable("k", "v", ""), Unknown)


@only_airflow_3
def test_no_answer_at_all_is_unknown(supervisor: Supervisor) -> None:
    supervisor.variables["k"] = "v"
    supervisor.connections["c"] = FIELDS
    for message in ("GetVariable", "GetConnection"):
        supervisor.faults[message] = lambda: None
    assert isinstance(variable("k"), Unknown)
    assert isinstance(look_up(), Unknown)


@only_airflow_3
@each_fault
def test_a_variable_that_could_not_be_written_is_unknown_or_what_was_there(supervisor: Supervisor, fault: str) -> None:
    supervisor.faults["PutVariable"] = FAULTS[fault]
    assert keep_variable("k", "v", "") != Is("v")
    # The API server may have written it all the same.
    supervisor.variables["k"] = "v"
    assert keep_variable("k", "v", "") == Is("v")


@only_airflow_3
@each_fault
def test_a_variable_that_could_not_be_deleted_is_unknown(supervisor: Supervisor, fault: str) -> None:
    supervisor.variables["k"] = "v"
    supervisor.faults["DeleteVariable"] = FAULTS[fault]
    assert isinstance(forget_variable("k"), Unknown)


@only_airflow_3
def test_a_variable_is_unknown_if_the_api_server_finds_none_because_its_database_fails(supervisor: Supervisor) -> None:
    for message in ("GetDRCount", "GetVariableKeys"):
        supervisor.faults[message] = FAULTS["500 from the API server"]
    assert isinstance(variable("k"), Unknown)


@only_airflow_3
def test_a_variable_that_is_found_when_asked_again_is_there(supervisor: Supervisor) -> None:
    supervisor.variables["k"] = "v"
    answers = iter([refusal("VARIABLE_NOT_FOUND", 404)])

    def once() -> Any:
        answer = next(answers)
        del supervisor.faults["GetVariable"]
        return answer

    supervisor.faults["GetVariable"] = once
    assert variable("k") == Is("v")


@only_airflow_3
@pytest.mark.parametrize("map_index", [-1, 3])
def test_task_state_is_a_state_or_not_there(supervisor: Supervisor, map_index: int) -> None:
    task = SimpleNamespace(**vars(TASK) | {"map_index": map_index})
    assert asyncio.run(task_state(task)) == IsNot()
    supervisor.task_states["task" if map_index < 0 else f"task_{map_index}"] = "deferred"
    assert asyncio.run(task_state(task)) == Is("deferred")
    supervisor.task_states["task" if map_index < 0 else f"task_{map_index}"] = None
    assert asyncio.run(task_state(task)) == Is(None)
    supervisor.task_states = {"another": "failed"}
    assert asyncio.run(task_state(task)) == IsNot()


@only_airflow_3
@each_fault
def test_a_failed_look_up_of_a_task_state_is_unknown(supervisor: Supervisor, fault: str) -> None:
    supervisor.faults["GetTaskStates"] = FAULTS[fault]
    assert isinstance(asyncio.run(task_state(TASK)), Unknown)


@pytest.mark.usefixtures("airflow_home")
def test_a_variable_of_the_database_is_kept_found_and_forgotten() -> None:
    assert variable("k") == IsNot()
    assert keep_variable("k", "v", "what it is") == Is("v")
    assert variable("k") == Is("v")
    assert forget_variable("k") == IsNot()
    assert variable("k") == IsNot()


@pytest.mark.usefixtures("airflow_home")
def test_a_variable_of_a_failing_database_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.models.variable import Variable
    from airflow.secrets.metastore import MetastoreBackend

    with monkeypatch.context() as patched:
        patched.setattr(MetastoreBackend, "get_variable", _database_fails)
        assert isinstance(variable("k"), Unknown)
        assert isinstance(keep_variable("k", "v", ""), Unknown)
    with monkeypatch.context() as patched:
        patched.setattr(Variable, "set", _database_fails)
        assert isinstance(keep_variable("another", "v", ""), Unknown)
    with monkeypatch.context() as patched:
        patched.setattr(Variable, "delete", _database_fails)
        assert isinstance(forget_variable("k"), Unknown)
    forget_variable("k")


@pytest.mark.usefixtures("airflow_home")
def test_a_variable_of_the_database_that_cannot_be_decrypted_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.secrets.metastore import MetastoreBackend

    keep_variable("k", "v", "")
    # What Airflow returns for it, too.
    monkeypatch.setattr(MetastoreBackend, "get_variable", lambda *args, **more: None)
    assert isinstance(variable("k"), Unknown)
    forget_variable("k")
    assert variable("k") == IsNot()


@pytest.mark.usefixtures("airflow_home")
def test_a_task_state_of_the_database_is_not_there_without_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asyncio.run(task_state(TASK)) == IsNot()
    monkeypatch.setattr("airflow.utils.session.create_session", _database_fails)
    assert isinstance(asyncio.run(task_state(TASK)), Unknown)


def _database_fails(*args: Any, **more: Any) -> Any:
    raise ConnectionError("the database")


# One row of the table of DAG runs, as its tasks see it, one time after the other.
ROW = RunRow(run_after=100.0, started=101.0, clears=0, tries=1, task="a")


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        (ROW, ROW, True),
        # A retry, with a task instance of its own.
        (ROW, RunRow(run_after=100.0, started=101.0, tries=2, task="b"), True),
        # Cleared after the run ended: it starts anew.
        (ROW, RunRow(run_after=100.0, started=900.0, clears=1, tries=2, task="b"), True),
        # Another task of the run was cleared while this one waits.
        (ROW, RunRow(run_after=100.0, started=101.0, clears=1, tries=1, task="a"), True),
        # Deleted and triggered again.
        (ROW, RunRow(run_after=900.0, started=901.0, tries=1, task="z"), False),
        # Deleted, and made again by the schedule.
        (ROW, RunRow(run_after=100.0, started=901.0, tries=1, task="z"), False),
        (RunRow(run_after=100.0, started=101.0, tries=3, task="c"), RunRow(run_after=100.0, tries=2, task="z"), False),
        (RunRow(run_after=100.0, clears=1, tries=1), RunRow(run_after=100.0, clears=0, tries=2), False),
        (RunRow(run_after=100.0, started=101.0, tries=1), RunRow(run_after=100.0, started=901.0, tries=1), False),
        # Airflow 2.
        (RunRow(id=7, started=101.0, tries=1), RunRow(id=7, started=901.0, clears=1, tries=2), True),
        (RunRow(id=7, started=101.0, tries=1), RunRow(id=8, started=101.0, tries=2), False),
        # SQLite gave the id again.
        (RunRow(id=7, started=101.0, tries=2), RunRow(id=7, started=901.0, tries=1), False),
        (RunRow(id=7, started=101.0, tries=1), RunRow(id=7, started=901.0, tries=1), False),
        # Upgraded from Airflow 2 to 3 in between.
        (RunRow(id=7, started=101.0, tries=1), RunRow(run_after=100.0, started=101.0, tries=2, task="b"), True),
        (RunRow(id=7, started=101.0, tries=1), RunRow(run_after=100.0, started=901.0, tries=1, task="b"), False),
    ],
)
def test_tells_apart_rows_with_the_same_run_id(then: RunRow, now: RunRow, same: bool) -> None:
    kept = json.loads(json.dumps(then.as_dict()))
    assert now.wrote(kept, 101.5) is same


@pytest.mark.parametrize(
    ("now", "same"),
    [(ROW, True), (RunRow(started=900.0), False), (RunRow(started=900.0, clears=1), True), (RunRow(), True)],
)
def test_a_start_that_an_older_version_kept_is_another_rows_if_this_row_began_later(now: RunRow, same: bool) -> None:
    assert now.wrote(None, 101.5) is same


def test_run_identity_is_that_of_the_row() -> None:
    def identity(task: dict[str, Any] | None = None, **run: Any) -> str:
        dag_run = SimpleNamespace(run_after=datetime(2026, 1, 1, tzinfo=UTC), start_date=None, clear_number=0)
        context: Any = {
            "ti": SimpleNamespace(**vars(TASK) | {"id": "i", "try_number": 1} | (task or {})),
            "dag_run": SimpleNamespace(**vars(dag_run) | run),
        }
        return run_identity(context)

    same = identity()
    assert identity({"id": "j", "try_number": 2}, clear_number=1, start_date=datetime.now(UTC)) == same
    assert identity({"map_index": 0}) != same
    assert identity({"task_id": "another"}) != same
    assert identity(run_after=datetime(2026, 1, 2, tzinfo=UTC)) != same
    assert identity(id=7) == identity(id=7, run_after=None) != identity(id=8)


def test_sees_the_row_in_a_context_without_a_run() -> None:
    context: Any = {"ti": TASK}
    assert run_row(context) == RunRow()
