"""Ask Airflow for connections, Variables, the state of tasks and the identity of runs. Only this module does.

Every answer is a :data:`Fact`: it is there, it is not there, or it is unknown. The last two never share a type, because
taking an error for "it is not there" starts a second remote task, or ends waits that should go on.

Airflow's SDK blurs the two in 3.0 to 3.3: it reports any error of the API server as a missing connection or Variable,
and only logs a Variable that could not be written. So this module asks the supervisor of the process itself where the
SDK blurs (``airflow/sdk/execution_time/context.py``, ``secrets/execution_api.py``). The API server blurs as well: it
answers 404 if its database fails (``Variable.get_variable_from_secrets`` catches every error). So a 404 counts only if
the API server can read its database. On Airflow 2, this module asks the database and the secrets backends.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_cloudtasks.values import load_json
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2, LISTS_VARIABLE_KEYS

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseHook, Context

_T = TypeVar("_T")

# The longest asynchronous look-up of a connection, in seconds.
_LOOK_UP_SECONDS = 30.0
# Airflow's NEVER_EXPIRE, compared by identity there. By default, the store drops a value after a month.
_NEVER = timedelta.max


@dataclass(frozen=True, slots=True)
class Is(Generic[_T]):
    """It is there, with this value."""

    value: _T


@dataclass(frozen=True, slots=True)
class IsNot:
    """It is not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be asked.

    Args:
        why: The kind of the failure, without any value that Airflow holds.
    """

    why: str


Fact: TypeAlias = Is[_T] | IsNot | Unknown


@dataclass(frozen=True, slots=True)
class FoundConnection:
    """An Airflow connection.

    Args:
        connection: The connection.
        extra: Its field Extra, decoded; None if it is not a JSON object.
    """

    connection: Any
    extra: Mapping[str, Any] | None


def connection(hook: BaseHook, conn_id: str) -> Fact[FoundConnection]:
    """Return a connection from the secrets backends, the environment or Airflow's database, in the configured order.

    Args:
        hook: The hook that needs it.
        conn_id: The connection's id.
    """
    try:
        found = hook.get_connection(conn_id)
        extra = found.extra_dejson if _is_json_object(found.extra) else None
    except AirflowNotFoundException:
        channel = _supervisor()
        facts = [_ask_backend(backend, conn_id) for backend in _backends()]
        return _absence(facts if channel is None else [*facts, _run(channel, _connection(conn_id))])
    except Exception as error:  # the database, the API server and each secrets backend raise their own errors
        return _failure(error)
    return Is(FoundConnection(found, extra))


async def aconnection(hook: BaseHook, conn_id: str) -> Fact[FoundConnection]:
    """Return a connection, like :func:`connection`, without blocking the event loop."""
    # Never cancel a question that has been sent: in Airflow 3.0 and 3.1, the next one would get its answer.
    look_up = asyncio.ensure_future(_alook_up(hook, conn_id))
    _under_way.add(look_up)
    look_up.add_done_callback(_under_way.discard)
    done, _ = await asyncio.wait({look_up}, timeout=_LOOK_UP_SECONDS)
    return look_up.result() if done else Unknown(TimeoutError.__name__)


_under_way: set[asyncio.Future[Any]] = set()


async def _alook_up(hook: BaseHook, conn_id: str) -> Fact[FoundConnection]:
    from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
    from asgiref.sync import sync_to_async

    try:
        found = await get_async_connection(conn_id, hook=hook)
        extra = await get_async_extra_dejson(found) if _is_json_object(found.extra) else None
    except AirflowNotFoundException:
        channel = _supervisor()
        facts = [await sync_to_async(_ask_backend)(backend, conn_id) for backend in _backends()]
        return _absence(facts if channel is None else [*facts, await _arun(channel, _connection(conn_id))])
    except Exception as error:  # as in connection
        return _failure(error)
    return Is(FoundConnection(found, extra))


def variable(key: str) -> Fact[str]:
    """Return a Variable of Airflow's database.

    Args:
        key: The Variable's key.
    """
    channel = _supervisor()
    return _variable_of_database(key) if channel is None else _run(channel, _variable(key))


def keep_variable(key: str, value: str, description: str) -> Fact[str]:
    """Write a Variable into Airflow's database, and return what a look-up finds there afterwards.

    Args:
        key: The Variable's key.
        value: Its new value.
        description: What its list of Variables says to the user.
    """
    channel = _supervisor()
    if channel is None:
        failure = _write_to_database(key, value, description)
    else:
        failure = _run(channel, _put(key, value, description))
    found = variable(key)
    return failure if failure and found != Is(value) else found


def forget_variable(key: str) -> IsNot | Unknown:
    """Delete a Variable from Airflow's database; it may be missing.

    Args:
        key: The Variable's key.
    """
    channel = _supervisor()
    return _delete_from_database(key) if channel is None else _run(channel, _delete(key))


def kept_state(context: Context, key: str) -> Fact[Any]:
    """Return a value from the state store that Airflow 3.3 and newer have for a task of a run.

    Args:
        context: Airflow's context, with ``task_state_store``.
        key: The value's key.
    """
    store: Any = context["task_state_store"]
    if type(store).__module__.startswith("airflow."):
        # Airflow's own store takes any answer that it cannot use for a missing value.
        channel = _supervisor()
        stored = Unknown("there is no supervisor") if channel is None else _run(channel, _state(context["ti"].id, key))
        if not isinstance(stored, Is):
            return stored
    try:
        # The store finds what a custom backend of the workers has kept elsewhere.
        found = store.get(key)
    except Exception as error:
        return _failure(error)
    return IsNot() if found is None else Is(found)


def keep_state(context: Context, key: str, value: Any) -> Fact[Any]:
    """Write a value into the task's state store, for good, and return what a look-up finds there afterwards.

    Args:
        context: As for :func:`kept_state`.
        key: The value's key.
        value: Plain JSON types.
    """
    failure: Unknown | None = None
    try:
        context["task_state_store"].set(key, value, retention=_NEVER)
    except Exception as error:
        failure = _failure(error)
    found = kept_state(context, key)
    return failure if failure and found != Is(value) else found


def forget_state(context: Context, key: str) -> IsNot | Unknown:
    """Delete a value from the task's state store; it may be missing.

    Args:
        context: As for :func:`kept_state`.
        key: The value's key.
    """
    try:
        context["task_state_store"].delete(key)
    except Exception as error:
        return _failure(error)
    # The store ignores what it is answered.
    found = kept_state(context, key)
    return Unknown("it is still there") if isinstance(found, Is) else found


async def task_state(task_instance: Any) -> Fact[str | None]:
    """Return the state of an Airflow task; it is not there if its run, or the task, has been deleted.

    Args:
        task_instance: The task instance, e.g. a trigger's.
    """
    from asgiref.sync import sync_to_async

    channel = _supervisor()
    if channel is None:
        return await sync_to_async(_state_of_database)(task_instance)
    return await _arun(channel, _task_state(task_instance))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """What a task can see of the row of its DAG run. It tells apart the rows that had the same run_id, one by one.

    Args:
        id: The row's id. Tasks see it on Airflow 2 only.
        run_after: ``run_after`` in Unix seconds. It is the moment when a manual run was created.
        started: When the run began to run, in Unix seconds. A clear of a run that has ended sets it anew.
        clears: How often the run was cleared.
        tries: The number of the try.
        task: The id of the task instance, which each try has anew.
    """

    id: int | None = None
    run_after: float | None = None
    started: float | None = None
    clears: int = 0
    tries: int = 0
    task: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return asdict(self)

    def wrote(self, kept: Mapping[str, Any] | None, sent_at: float | None) -> bool:
        """Return whether this row, in this or an earlier try, may have kept something. False: another row did.

        In doubt, it is this row: a second start is worse than the result of the first one.

        Args:
            kept: What :meth:`as_dict` returned then; None if a version of this package before 0.3 kept it.
            sent_at: When the start was sent for the first time, in Unix seconds.
        """
        if kept is None:
            # Then only a start from before this row began to run is another row's.
            return not (sent_at and self.started and self.clears == 0 and sent_at < self.started)
        known: dict[str, Any] = {name: kept[name] for name in RunRow.__slots__ if kept.get(name) is not None}
        then = RunRow(**known)
        if then.id is not None and self.id is not None:
            return then.id == self.id
        if None not in (then.run_after, self.run_after) and then.run_after != self.run_after:
            return False
        if self.clears < then.clears or self.tries < then.tries:
            return False
        if self.tries > then.tries:
            return True
        if then.task is not None and self.task is not None:
            return then.task == self.task
        return self.clears > then.clears or None in (then.started, self.started) or then.started == self.started


def run_row(context: Context) -> RunRow:
    """Return what a task can see of the row of its DAG run.

    Args:
        context: Airflow's context.
    """
    run: Any = context.get("dag_run")
    task: Any = context["ti"]
    return RunRow(
        id=getattr(run, "id", None),
        run_after=_seconds(getattr(run, "run_after", None)),
        started=_seconds(getattr(run, "start_date", None)),
        clears=getattr(run, "clear_number", None) or 0,
        tries=getattr(task, "try_number", None) or 0,
        task=None if IS_AIRFLOW_2 or getattr(task, "id", None) is None else str(task.id),
    )


def run_identity(context: Context) -> str:
    """Return a string that identifies an Airflow task within one row of Airflow's table of DAG runs.

    All tries and deferrals of the row have the same string, also after the user clears the task. A run that is deleted
    and triggered again with the same run_id is another row:

    - Airflow 2: the string holds the row's id, which no other row ever has.
    - Airflow 3: tasks do not see the row's id. The string holds the row's ``run_after``. For a manual run, a run by an
      asset and ``dags test``, that is the moment when Airflow created the row. For a scheduled run it is the schedule's
      time, so a scheduled run that is deleted and created again has the same string. :class:`RunRow` tells such rows
      apart.

    Args:
        context: Airflow's context.
    """
    row, task = run_row(context), context["ti"]
    names = [task.dag_id, task.run_id, task.task_id, task.map_index, row.run_after if row.id is None else row.id]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]


def _seconds(time: Any) -> float | None:
    return None if time is None else float(time.timestamp())


def _is_json_object(extra: str | None) -> bool:
    return not extra or isinstance(load_json(extra), dict)


def _absence(facts: list[IsNot | Unknown]) -> IsNot | Unknown:
    """Return that something is not there if no place failed that may have it."""
    return next((fact for fact in facts if isinstance(fact, Unknown)), IsNot())


def _failure(error: Exception) -> Unknown:
    # Not the text: it may hold what was asked for.
    return Unknown(type(error).__name__)


# The places that may have a connection: secrets backends, which include Airflow's database in a process that may read
# it, and the supervisor.


def _backends() -> list[Any]:
    """Return the secrets backends of this process, without the one that asks the supervisor."""
    if IS_AIRFLOW_2:
        from airflow.configuration import ensure_secrets_loaded

        return list(ensure_secrets_loaded())
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    return [each for each in ensure_secrets_backend_loaded() if type(each).__name__ != "ExecutionAPISecretsBackend"]


def _ask_backend(backend: Any, conn_id: str) -> IsNot | Unknown:
    """Return whether a backend has no such connection. One that has it now failed a moment ago."""
    try:
        return (
            IsNot() if backend.get_connection(conn_id=conn_id) is None else Unknown(f"{type(backend).__name__} failed")
        )
    except Exception as error:
        return Unknown(f"{type(error).__name__} of {type(backend).__name__}")


# Airflow 3: questions to the supervisor. Each is a generator that yields messages, is sent the answers, and returns the
# fact, so that the same one serves a worker and an event loop.

_Question: TypeAlias = Generator[Any, Any, _T]


def has_supervisor() -> bool:
    """Return whether this process asks a supervisor, as Airflow 3's workers and triggerers do, and not the database."""
    return _supervisor() is not None


def _supervisor() -> Any:
    """Return the channel to the supervisor; None if this process has none, and may read the database instead."""
    if IS_AIRFLOW_2:
        return None
    from airflow.sdk.execution_time import task_runner

    return getattr(task_runner, "SUPERVISOR_COMMS", None)


def _run(channel: Any, question: _Question[_T]) -> _T:
    answer: Any = None
    while True:
        try:
            message = question.send(answer)
        except StopIteration as end:
            fact: _T = end.value
            return fact
        try:
            answer = channel.send(message)
        except Exception as error:  # a closed channel, an answer that cannot be decoded, or the API server's error
            answer = getattr(error, "error", error)


async def _arun(channel: Any, question: _Question[_T]) -> _T:
    """Ask like :func:`_run`, without blocking the event loop."""
    from asgiref.sync import sync_to_async

    # The channel of `dag.test` has no asend.
    send = getattr(channel, "asend", None) or sync_to_async(channel.send)
    answer: Any = None
    while True:
        try:
            message = question.send(answer)
        except StopIteration as end:
            fact: _T = end.value
            return fact
        try:
            answer = await send(message)
        except Exception as error:  # as in _run
            answer = getattr(error, "error", error)


def _connection(conn_id: str) -> _Question[IsNot | Unknown]:
    from airflow.sdk.execution_time.comms import GetConnection

    fact: Fact[Any] = yield from _sure(
        GetConnection(conn_id=conn_id), lambda answer: _read(answer, "CONNECTION_NOT_FOUND")
    )
    return fact if isinstance(fact, IsNot | Unknown) else Unknown("the supervisor failed")


def _variable(key: str) -> _Question[Fact[str]]:
    from airflow.sdk.execution_time import comms

    if LISTS_VARIABLE_KEYS:
        # Unlike a look-up, the list comes from the database itself, so an empty one is sure.
        listed = yield comms.GetVariableKeys(prefix=key, limit=1)
        if isinstance(listed, comms.VariableKeysResult) and listed.keys == []:
            return IsNot()

    def read(answer: Any) -> Fact[str]:
        match answer:
            case comms.VariableResult(key=named, value=str(value)) if named == key:
                return Is(value)
        return _read(answer, "VARIABLE_NOT_FOUND")

    return (yield from _sure(comms.GetVariable(key=key), read))


def _put(key: str, value: str, description: str) -> _Question[Unknown | None]:
    from airflow.sdk.execution_time.comms import PutVariable

    return _refused((yield PutVariable(key=key, value=value, description=description)))


def _delete(key: str) -> _Question[IsNot | Unknown]:
    from airflow.sdk.execution_time.comms import DeleteVariable

    return _refused((yield DeleteVariable(key=key))) or IsNot()


def _state(task_instance_id: Any, key: str) -> _Question[Fact[None]]:
    from airflow.sdk.execution_time.comms import GetTaskStateStore, TaskStateStoreResult

    answer = yield GetTaskStateStore(ti_id=task_instance_id, key=key)
    return Is(None) if isinstance(answer, TaskStateStoreResult) else _read(answer, "TASK_STORE_NOT_FOUND")


def _task_state(task: Any) -> _Question[Fact[str | None]]:
    from airflow.sdk.execution_time.comms import GetTaskStates, TaskStatesResult

    answer = yield GetTaskStates(
        dag_id=task.dag_id, task_ids=[task.task_id], run_ids=[task.run_id], map_index=task.map_index
    )
    if not isinstance(answer, TaskStatesResult) or not isinstance(answer.task_states, Mapping):
        return _unusable(answer)
    of_run = answer.task_states.get(task.run_id, {})
    name = task.task_id if task.map_index is None or task.map_index < 0 else f"{task.task_id}_{task.map_index}"
    return Is(of_run[name]) if name in of_run else IsNot()


def _sure(message: Any, read: Callable[[Any], Fact[_T]]) -> _Question[Fact[_T]]:
    """Ask, and believe that something is not there only if the API server can read its database."""
    from airflow.sdk.execution_time.comms import GetDRCount

    fact = read((yield message))
    if not isinstance(fact, IsNot):
        return fact
    count = yield GetDRCount(dag_id="airflow_cloudtasks")
    if isinstance(count, Exception) or not (_error_of(count) or "_NOT_FOUND").endswith("_NOT_FOUND"):
        return _unusable(count)
    return read((yield message))


def _read(answer: Any, not_there: str) -> IsNot | Unknown:
    """Return what an answer says that does not have what was asked for."""
    return IsNot() if _error_of(answer) == not_there else _unusable(answer)


def _unusable(answer: Any) -> Unknown:
    """Return why an answer cannot be used: an error, or an answer to something else."""
    if isinstance(answer, Exception):
        return Unknown(type(answer).__name__)
    return Unknown(_error_of(answer) or f"the answer is a {type(answer).__name__}")


def _error_of(answer: Any) -> str | None:
    """Return the name of the supervisor's error, if the answer is one."""
    from airflow.sdk.execution_time.comms import ErrorResponse

    return str(answer.error.value) if isinstance(answer, ErrorResponse) else None


def _refused(answer: Any) -> Unknown | None:
    """Return why a request to write was not carried out, as far as its answer says."""
    from airflow.sdk.execution_time.comms import OKResponse

    return None if answer is None or isinstance(answer, OKResponse) else _unusable(answer)


# Airflow 2, and processes without a supervisor: questions to the database. Airflow's own Variable.get takes a failing
# database for an empty one.


def _variable_of_database(key: str) -> Fact[str]:
    from airflow.models.variable import Variable as Row
    from airflow.secrets.metastore import MetastoreBackend
    from airflow.utils.session import create_session

    try:
        value = MetastoreBackend().get_variable(key)
        with create_session() as session:
            is_there = value is not None or session.query(Row.key).filter(Row.key == key).one_or_none() is not None
    except Exception as error:
        return _failure(error)
    if isinstance(value, str):
        return Is(value)
    return Unknown("its value cannot be decrypted") if is_there else IsNot()


def _write_to_database(key: str, value: str, description: str) -> Unknown | None:
    from airflow.models.variable import Variable as Row

    try:
        Row.set(key, value, description=description)
    except Exception as error:
        return _failure(error)
    return None


def _delete_from_database(key: str) -> IsNot | Unknown:
    from airflow.models.variable import Variable as Row

    try:
        Row.delete(key)
    except Exception as error:
        return _failure(error)
    return IsNot()


def _state_of_database(task: Any) -> Fact[str | None]:
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    named = {name: getattr(task, name) for name in ("dag_id", "task_id", "run_id", "map_index")}
    try:
        with create_session() as session:
            row = session.query(TaskInstance.state).filter_by(**named).one_or_none()
    except Exception as error:
        return _failure(error)
    return IsNot() if row is None else Is(row[0])
