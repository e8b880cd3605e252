"""Ask Airflow for connections, Variables, the state of tasks and the identity of runs. Only this package does.

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
import os
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from airflow_cloudtasks.airflow_facts import database, supervisor
from airflow_cloudtasks.airflow_facts.conn_variable import unreadable_because, variable_name
from airflow_cloudtasks.airflow_facts.fact import Fact, Is, IsNot, Unknown, failure, unknown_on_error
from airflow_cloudtasks.airflow_facts.run_row import RunRow
from airflow_cloudtasks.airflow_facts.supervisor import has_supervisor
from airflow_cloudtasks.values import load_json
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseHook, Context

__all__ = [
    "Fact",
    "FoundConnection",
    "Is",
    "IsNot",
    "RunRow",
    "Unknown",
    "aconnection",
    "adag_runs",
    "akeep_variable",
    "avariable",
    "connection",
    "connection_outside_tasks",
    "forget_state",
    "forget_variable",
    "has_supervisor",
    "keep_state",
    "keep_variable",
    "kept_state",
    "run_identity",
    "run_row",
    "task_state",
    "variable",
]

_T = TypeVar("_T")

# The longest asynchronous question, in seconds.
_LOOK_UP_SECONDS = 30.0
# Airflow's NEVER_EXPIRE, compared by identity there. By default, the store drops a value after a month.
_NEVER = timedelta.max


@dataclass(frozen=True, slots=True)
class FoundConnection:
    """An Airflow connection.

    Args:
        connection: The connection.
        extra: Its field Extra, decoded; None if it is not a JSON object.
    """

    connection: Any
    extra: Mapping[str, Any] | None


@unknown_on_error
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
        facts = [_ask_backend(backend, conn_id) for backend in _backends()]
        if has_supervisor():
            facts.append(supervisor.ask(supervisor.connection(conn_id)))
        return _absent_connection(conn_id, facts)
    return Is(FoundConnection(found, extra))


def connection_outside_tasks(hook: BaseHook, conn_id: str) -> Fact[FoundConnection]:
    """Return a connection, like :func:`connection`, in a process that runs no task, such as a command.

    Airflow 3.0 and 3.1 ask their database in such a process, but do not say if it fails.

    Args:
        hook: The hook that needs it.
        conn_id: The connection's id.
    """
    from airflow.configuration import ensure_secrets_loaded

    found = connection(hook, conn_id)
    if not isinstance(found, IsNot) or found.why:
        return found
    return _absence([_ask_backend(backend, conn_id) for backend in ensure_secrets_loaded()])


async def aconnection(hook: BaseHook, conn_id: str) -> Fact[FoundConnection]:
    """Return a connection, like :func:`connection`, without blocking the event loop."""
    return await _uncanceled(_alook_up(hook, conn_id))


async def _uncanceled(question: Coroutine[Any, Any, _T]) -> _T | Unknown:
    """Return the answer to a question, or that there is none in time.

    Never cancel a question that has been sent: in Airflow 3.0 and 3.1, the next one would get its answer.
    """
    asked = asyncio.ensure_future(question)
    _under_way.add(asked)
    asked.add_done_callback(_under_way.discard)
    done, _ = await asyncio.wait({asked}, timeout=_LOOK_UP_SECONDS)
    return asked.result() if done else Unknown(TimeoutError.__name__)


_under_way: set[asyncio.Future[Any]] = set()


async def _alook_up(hook: BaseHook, conn_id: str) -> Fact[FoundConnection]:
    from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
    from asgiref.sync import sync_to_async

    try:
        found = await get_async_connection(conn_id, hook=hook)
        extra = await get_async_extra_dejson(found) if _is_json_object(found.extra) else None
    except AirflowNotFoundException:
        facts = [await sync_to_async(_ask_backend)(backend, conn_id) for backend in _backends()]
        if has_supervisor():
            facts.append(await supervisor.aask(supervisor.connection(conn_id)))
        return _absent_connection(conn_id, facts)
    except Exception as error:  # as in connection; nobody may be waiting any more
        return failure(error)
    return Is(FoundConnection(found, extra))


def variable(key: str) -> Fact[str]:
    """Return a Variable of Airflow's database.

    Args:
        key: The Variable's key.
    """
    return supervisor.ask(supervisor.variable(key)) if has_supervisor() else database.variable(key)


def keep_variable(key: str, value: str, description: str) -> Fact[str]:
    """Write a Variable into Airflow's database, and return what a look-up finds there afterwards.

    Args:
        key: The Variable's key.
        value: Its new value.
        description: What its list of Variables says to the user.
    """
    arguments = (key, value, description)
    refused = supervisor.ask(supervisor.put(*arguments)) if has_supervisor() else database.put(*arguments)
    # A write whose answer was lost may have been carried out.
    found = variable(key)
    return refused if refused and found != Is(value) else found


async def avariable(key: str) -> Fact[str]:
    """Return a Variable, like :func:`variable`, without blocking the event loop. Only a supervisor is asked."""
    return await _uncanceled(supervisor.aask(supervisor.variable(key)))


async def akeep_variable(key: str, value: str, description: str) -> Fact[str]:
    """Write a Variable, like :func:`keep_variable`, without blocking the event loop. Only a supervisor is asked."""
    refused = await _uncanceled(supervisor.aask(supervisor.put(key, value, description)))
    found = await avariable(key)
    return refused if refused and found != Is(value) else found


async def adag_runs(dag_id: str, states: list[str] | None = None) -> Fact[int]:
    """Return how many runs a DAG has. Only a supervisor is asked.

    Args:
        dag_id: The DAG.
        states: The states of the runs that count; None for all.
    """
    return await _uncanceled(supervisor.aask(supervisor.dag_runs(dag_id, states)))


def forget_variable(key: str) -> IsNot | Unknown:
    """Delete a Variable from Airflow's database; it may be missing.

    Args:
        key: The Variable's key.
    """
    return supervisor.ask(supervisor.delete(key)) if has_supervisor() else database.delete(key)


@unknown_on_error
def kept_state(context: Context, key: str) -> Fact[Any]:
    """Return a value from the state store that Airflow 3.3 and newer have for a task of a run.

    Args:
        context: Airflow's context, with ``task_state_store``.
        key: The value's key.
    """
    store: Any = context["task_state_store"]
    if type(store).__module__.startswith("airflow."):
        # Airflow's own store takes any answer that it cannot use for a missing value.
        stored = supervisor.ask(supervisor.state(context["ti"].id, key))
        if not isinstance(stored, Is):
            return stored
    # The store finds what a custom backend of the workers has kept elsewhere.
    found = store.get(key)
    return IsNot() if found is None else Is(found)


def keep_state(context: Context, key: str, value: Any) -> Fact[Any]:
    """Write a value into the task's state store, for good, and return what a look-up finds there afterwards.

    Args:
        context: As for :func:`kept_state`.
        key: The value's key.
        value: Plain JSON types.
    """
    refused = _set_state(context, key, value)
    found = kept_state(context, key)
    return refused if refused and found != Is(value) else found


@unknown_on_error
def _set_state(context: Context, key: str, value: Any) -> None:
    context["task_state_store"].set(key, value, retention=_NEVER)


@unknown_on_error
def forget_state(context: Context, key: str) -> IsNot | Unknown:
    """Delete a value from the task's state store; it may be missing.

    Args:
        context: As for :func:`kept_state`.
        key: The value's key.
    """
    context["task_state_store"].delete(key)
    # The store ignores what it is answered.
    found = kept_state(context, key)
    return Unknown("it is still there") if isinstance(found, Is) else found


async def task_state(task_instance: Any) -> Fact[str | None]:
    """Return the state of an Airflow task; it is not there if its run, or the task, has been deleted.

    Args:
        task_instance: The task instance, e.g. a trigger's.
    """
    from asgiref.sync import sync_to_async

    if has_supervisor():
        return await supervisor.aask(supervisor.task_state(task_instance))
    return await sync_to_async(database.task_state)(task_instance)


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

    - Airflow 2: the string holds the row's id. Only SQLite may give an id again, that of the last row.
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
    if type(backend).__name__ == "EnvironmentVariablesBackend":
        return IsNot()  # It never fails for a moment; see _absent_connection.
    try:
        return (
            IsNot() if backend.get_connection(conn_id=conn_id) is None else Unknown(f"{type(backend).__name__} failed")
        )
    except Exception as error:  # unlike unknown_on_error, name the backend
        return Unknown(f"{type(error).__name__} of {type(backend).__name__}")


def _absent_connection(conn_id: str, facts: list[IsNot | Unknown]) -> IsNot | Unknown:
    """Return that no place has a connection, or that it is unknown; say so if Airflow could not read its variable."""
    absent, name = _absence(facts), variable_name(conn_id)
    if not (value := os.environ.get(name)):
        return absent
    unread = f"environment variable {name} holds no Airflow connection: {unreadable_because(value)}"
    return IsNot(f"The {unread}.") if isinstance(absent, IsNot) else Unknown(f"{absent.why}; the {unread}")
