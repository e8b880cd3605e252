"""Questions to the supervisor of this process, on Airflow 3.

Each is a generator that yields messages, is sent the answers, and returns a fact, so that the same one serves a worker
and an event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from airflow_cloudtasks.airflow_facts.fact import Fact, Is, IsNot, Unknown
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2, LISTS_VARIABLE_KEYS

_T = TypeVar("_T")

Question: TypeAlias = Generator[Any, Any, _T]

_NO_SUPERVISOR = Unknown("this process has no supervisor")


def has_supervisor() -> bool:
    """Return whether this process has a supervisor, as Airflow 3's workers and triggerers do."""
    return _channel() is not None


def ask(question: Question[_T]) -> _T | Unknown:
    """Ask the supervisor, and return the fact."""
    if (channel := _channel()) is None:
        return _NO_SUPERVISOR
    step = _advance(question, None)
    while not isinstance(step, _End):
        answer: Any
        try:
            answer = channel.send(step)
        except Exception as error:
            answer = error
        step = _advance(question, answer)
    return step.fact


async def aask(question: Question[_T]) -> _T | Unknown:
    """Ask the supervisor, like :func:`ask`, without blocking the event loop."""
    from asgiref.sync import sync_to_async

    if (channel := _channel()) is None:
        return _NO_SUPERVISOR
    # The channel of `dag.test` has no asend.
    send = getattr(channel, "asend", None) or sync_to_async(channel.send)
    step = _advance(question, None)
    while not isinstance(step, _End):
        answer: Any
        try:
            answer = await send(step)
        except Exception as error:
            answer = error
        step = _advance(question, answer)
    return step.fact


@dataclass(frozen=True, slots=True)
class _End(Generic[_T]):
    """The end of a question, with its fact."""

    fact: _T


def _advance(question: Question[_T], answer: Any) -> _End[_T] | Any:
    """Pass on an answer; return the next message, or the end.

    An exception is an answer too: a closed channel, an answer that cannot be decoded, or the API server's error.
    """
    try:
        return question.send(getattr(answer, "error", answer) if isinstance(answer, Exception) else answer)
    except StopIteration as end:
        return _End(end.value)


def _channel() -> Any:
    if IS_AIRFLOW_2:
        return None
    from airflow.sdk.execution_time import task_runner

    return getattr(task_runner, "SUPERVISOR_COMMS", None)


def connection(conn_id: str) -> Question[IsNot | Unknown]:
    """Ask whether there is no connection of this id, after Airflow's SDK has found none."""
    from airflow.sdk.execution_time.comms import GetConnection

    fact: Fact[Any] = yield from _sure(
        GetConnection(conn_id=conn_id), lambda answer: _read(answer, "CONNECTION_NOT_FOUND")
    )
    return fact if isinstance(fact, IsNot | Unknown) else Unknown("the supervisor failed")


def variable(key: str) -> Question[Fact[str]]:
    """Ask for a Variable."""
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


def put(key: str, value: str, description: str) -> Question[Unknown | None]:
    """Ask to write a Variable; return why it could not be written, as far as the answer says."""
    from airflow.sdk.execution_time.comms import PutVariable

    return _refused((yield PutVariable(key=key, value=value, description=description)))


def delete(key: str) -> Question[IsNot | Unknown]:
    """Ask to delete a Variable, if there is one."""
    from airflow.sdk.execution_time.comms import DeleteVariable

    return _refused((yield DeleteVariable(key=key))) or IsNot()


def state(task_instance_id: Any, key: str) -> Question[Fact[None]]:
    """Ask whether the store for the state of a task has a value. The store's own method returns the value."""
    from airflow.sdk.execution_time.comms import GetTaskStateStore, TaskStateStoreResult

    answer = yield GetTaskStateStore(ti_id=task_instance_id, key=key)
    return Is(None) if isinstance(answer, TaskStateStoreResult) else _read(answer, "TASK_STORE_NOT_FOUND")


def task_state(task: Any) -> Question[Fact[str | None]]:
    """Ask for the state of an Airflow task."""
    from airflow.sdk.execution_time.comms import GetTaskStates, TaskStatesResult

    answer = yield GetTaskStates(
        dag_id=task.dag_id, task_ids=[task.task_id], run_ids=[task.run_id], map_index=task.map_index
    )
    if not isinstance(answer, TaskStatesResult) or not isinstance(answer.task_states, Mapping):
        return _unusable(answer)
    of_run = answer.task_states.get(task.run_id, {})
    name = task.task_id if task.map_index is None or task.map_index < 0 else f"{task.task_id}_{task.map_index}"
    return Is(of_run[name]) if name in of_run else IsNot()


def dag_runs(dag_id: str, states: list[str] | None) -> Question[Fact[int]]:
    """Ask how many runs a DAG has."""
    from airflow.sdk.execution_time.comms import DRCount, GetDRCount

    answer = yield GetDRCount(dag_id=dag_id, states=states)
    return Is(answer.count) if isinstance(answer, DRCount) else _unusable(answer)


def _sure(message: Any, read: Callable[[Any], Fact[_T]]) -> Question[Fact[_T]]:
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
