"""Airflow's supervisor, API server and database, as far as the package asks them, with faults to inject."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from airflow_cloudtasks.version_compat import IS_AIRFLOW_2


class Supervisor:
    """The channel of a worker or a triggerer to a supervisor. It answers from dictionaries.

    Attributes:
        connections: Fields of each connection, by its id.
        variables: The value of each Variable.
        states: The values in the task's state store.
        task_states: The state of each task, by its name in the answer.
        faults: By the name of a message, what is done instead of answering it. A fault raises or returns an answer.
        runs: Returns how many runs a DAG has, in some states or in all.
        asked: How often each message was sent.
    """

    def __init__(self) -> None:
        self.connections: dict[str, dict[str, Any]] = {}
        self.variables: dict[str, str] = {}
        self.states: dict[str, Any] = {}
        self.task_states: dict[str, str | None] = {}
        self.faults: dict[str, Callable[[], Any]] = {}
        self.runs: Callable[[str, list[str] | None], int] = lambda dag_id, states: 0
        self.asked: Counter[str] = Counter()

    def send(self, message: Any) -> Any:
        kind = type(message).__name__
        self.asked[kind] += 1
        return self.faults[kind]() if kind in self.faults else getattr(self, f"_{kind}")(message)

    async def asend(self, message: Any) -> Any:
        await asyncio.sleep(0)
        return self.send(message)

    def _GetConnection(self, message: Any) -> Any:  # noqa: N802 - the message's name
        from airflow.sdk.execution_time.comms import ConnectionResult

        if message.conn_id not in self.connections:
            return refusal("CONNECTION_NOT_FOUND")
        fields = dict.fromkeys(("host", "login", "password", "port", "schema", "extra"))
        return ConnectionResult(conn_id=message.conn_id, **fields | self.connections[message.conn_id])

    def _GetVariable(self, message: Any) -> Any:  # noqa: N802
        from airflow.sdk.execution_time.comms import VariableResult

        if message.key not in self.variables:
            return refusal("VARIABLE_NOT_FOUND")
        return VariableResult(key=message.key, value=self.variables[message.key])

    def _GetVariableKeys(self, message: Any) -> Any:  # noqa: N802
        from airflow.sdk.execution_time.comms import VariableKeysResult

        keys = [key for key in self.variables if key.startswith(message.prefix)]
        return VariableKeysResult(keys=keys[: message.limit], total_entries=len(keys))

    def _PutVariable(self, message: Any) -> Any:  # noqa: N802
        self.variables[message.key] = message.value

    def _DeleteVariable(self, message: Any) -> Any:  # noqa: N802
        from airflow.sdk.execution_time.comms import OKResponse

        self.variables.pop(message.key, None)
        return OKResponse(ok=True)

    def _GetDRCount(self, message: Any) -> Any:  # noqa: N802
        from airflow.sdk.execution_time.comms import DRCount

        return DRCount(count=self.runs(message.dag_id, message.states))

    def _GetTaskStateStore(self, message: Any) -> Any:  # noqa: N802
        from airflow.sdk.execution_time.comms import TaskStateStoreResult

        if message.key not in self.states:
            return refusal("TASK_STORE_NOT_FOUND")
        return TaskStateStoreResult(value=self.states[message.key])

    def _SetTaskStateStore(self, message: Any) -> Any:  # noqa: N802
        self.states[message.key] = message.value

    def _DeleteTaskStateStore(self, message: Any) -> Any:  # noqa: N802
        self.states.pop(message.key, None)

    def _GetTaskStates(self, message: Any) -> Any:  # noqa: N802
        from airflow.sdk.execution_time.comms import TaskStatesResult

        return TaskStatesResult(task_states={"run": self.task_states} if self.task_states else {})

    def _MaskSecret(self, message: Any) -> Any:  # noqa: N802
        return None


def refusal(error: str, status: int | None = None) -> Any:
    """Return the supervisor's answer that it could not do something."""
    from airflow.sdk.exceptions import ErrorType
    from airflow.sdk.execution_time.comms import ErrorResponse

    return ErrorResponse(error=ErrorType[error], detail={"status_code": status})


def _raise(error: BaseException) -> Any:
    raise error


def _server_error(status: int) -> Any:
    import httpx
    from airflow.sdk.api.client import ServerResponseError

    request = httpx.Request("GET", "http://localhost/execution/variables/x")
    raise ServerResponseError("the server", request=request, response=httpx.Response(status, request=request))


def _time_out() -> Any:
    import httpx

    raise httpx.ReadTimeout("the server")


def _error_frame() -> Any:
    from airflow.sdk.exceptions import AirflowRuntimeError

    raise AirflowRuntimeError(refusal("API_SERVER_ERROR", 500))


def _other_answer() -> Any:
    from airflow.sdk.execution_time.comms import DagRunStateResult

    return DagRunStateResult(state="running")


def _other_variable() -> Any:
    from airflow.sdk.execution_time.comms import VariableResult

    return VariableResult(key="another", value='{"run": 7}')


def _half_variable() -> Any:
    from airflow.sdk.execution_time.comms import VariableResult

    return VariableResult.model_construct()


# What goes wrong between a worker and Airflow's database, by name. A write that is answered by nothing was accepted.
FAULTS: dict[str, Callable[[], Any]] = {
    "500 from the API server": lambda: refusal("API_SERVER_ERROR", 500),
    "500 as an error frame": _error_frame,
    "500 in this process": lambda: _server_error(500),
    "a generic error": lambda: refusal("GENERIC_ERROR"),
    "a time-out of the API server": _time_out,
    "a time-out": lambda: _raise(TimeoutError()),
    "a closed channel": lambda: _raise(EOFError("Request socket closed before length")),
    "a reset connection": lambda: _raise(ConnectionResetError()),
    "a frame out of order": lambda: _raise(RuntimeError("Response read out of order!")),
    "an answer to another question": _other_answer,
    "another Variable": _other_variable,
    "a Variable without fields": _half_variable,
}

only_airflow_3 = pytest.mark.skipif(IS_AIRFLOW_2, reason="Airflow 2 has no supervisor: its tasks read the database")
only_airflow_2 = pytest.mark.skipif(not IS_AIRFLOW_2, reason="Airflow 3's tasks have no database")
each_fault = pytest.mark.parametrize("fault", FAULTS)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """A supervisor of this process, on Airflow 3."""
    from airflow.sdk.execution_time import task_runner

    running = Supervisor()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", running, raising=False)
    return running
