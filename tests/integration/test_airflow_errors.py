"""Airflow's API server or database fails: waits go on, and no start is sent that a retry could not find."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from airflow.providers.common.compat.sdk import Connection
from in_process import fired
from running import run_dag
from supervisor import FAULTS, Supervisor, only_airflow_2, only_airflow_3, supervisor

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import TransientError
from airflow_cloudtasks.operators.tencent import WeDataRunWorkflowOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.version_compat import MUST_FORGET_STARTS

__all__ = ["supervisor"]

API = "wedata.workflow_run"
CONN_ID = "tencent_default"
PROJECT = "1"
READS, WRITES = ("GetVariable", "PutVariable") if MUST_FORGET_STARTS else ("GetTaskStateStore", "SetTaskStateStore")

# One fault of each kind: test_airflow_facts.py and test_memory.py have all of them.
each_fault = pytest.mark.parametrize(
    "fault",
    [
        "500 from the API server",
        "500 as an error frame",
        "a time-out",
        "a closed channel",
        "an answer to another question",
    ],
)


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


@pytest.fixture
def asked(supervisor: Supervisor, cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    """A supervisor that has the connection; the environment has it no more."""
    written = json.loads(os.environ[f"AIRFLOW_CONN_{CONN_ID.upper()}"])
    monkeypatch.delenv(f"AIRFLOW_CONN_{CONN_ID.upper()}")
    supervisor.connections[CONN_ID] = {**written, "extra": json.dumps(written["extra"])}
    return supervisor


def fails_first(times: int, fault: Callable[[], Any], then: Callable[[], Any]) -> Callable[[], Any]:
    """Return a fault that ends after some questions. From then on, each question is answered."""
    left: Iterator[None] = iter([None] * times)

    def answer() -> Any:
        for _ in left:
            return fault()
        return then()

    return answer


async def payloads(cloud: Emulator, count: int) -> list[Any]:
    """Return what triggers fire that wait for tasks which have ended."""
    for number in range(count):
        cloud.add_finished(API, str(number), fields={"ProjectId": PROJECT})
    triggers = [
        CloudTaskTrigger(api=API, cloud_task_id=str(number), api_params={"ProjectId": PROJECT}, poke_interval=0.2)
        for number in range(count)
    ]
    async with asyncio.timeout(60):
        return await asyncio.gather(*map(fired, triggers))


@only_airflow_3
@each_fault
def test_waits_go_on_after_a_failed_first_look_up_of_their_connection(
    asked: Supervisor, cloud: Emulator, fault: str
) -> None:
    asked.faults["GetConnection"] = fails_first(
        1, FAULTS[fault], lambda: asked._GetConnection(SimpleNamespace(conn_id=CONN_ID))
    )
    seen = asyncio.run(payloads(cloud, 50))
    assert {payload.get("task", payload).get("state") for payload in seen} == {"succeeded"}


@only_airflow_3
def test_waits_go_on_while_the_api_server_finds_no_connection_because_its_database_fails(
    asked: Supervisor, cloud: Emulator
) -> None:
    found = asked.connections.pop(CONN_ID)

    def database_is_back() -> Any:
        asked.connections[CONN_ID] = found
        return asked._GetDRCount(None)

    asked.faults["GetDRCount"] = fails_first(1, FAULTS["500 from the API server"], database_is_back)
    seen = asyncio.run(payloads(cloud, 50))
    assert {payload.get("task", payload).get("state") for payload in seen} == {"succeeded"}


@only_airflow_3
@each_fault
def test_a_sensor_on_a_worker_pokes_on_after_a_failed_look_up_of_its_connection(
    asked: Supervisor, cloud: Emulator, fault: str
) -> None:
    cloud.add_finished(API, "1", fields={"ProjectId": PROJECT})
    sensor = CloudTaskSensor(task_id="wait", api=API, cloud_task_id="1", api_params={"ProjectId": PROJECT})
    asked.faults["GetConnection"] = FAULTS[fault]
    assert not sensor.poke(context())
    asked.faults.clear()
    assert sensor.poke(context())


@only_airflow_2
@pytest.mark.usefixtures("airflow_home")
def test_waits_go_on_after_a_failed_look_up_in_the_database(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.secrets.metastore import MetastoreBackend

    variable = f"AIRFLOW_CONN_{CONN_ID.upper()}"
    found = Connection(conn_id=CONN_ID, **json.loads(os.environ[variable]))
    monkeypatch.delenv(variable)
    answer = fails_first(4, FAULTS["a reset connection"], lambda: found)
    monkeypatch.setattr(MetastoreBackend, "get_connection", lambda *args, **more: answer())
    seen = asyncio.run(payloads(cloud, 50))
    assert {payload.get("task", payload).get("state") for payload in seen} == {"succeeded"}


def context(try_number: int = 1, **row: Any) -> Any:
    """Return Airflow's context of a task, in the way of its version."""
    names = {"dag_id": "dag", "run_id": "run", "task_id": "start", "map_index": -1}
    task = SimpleNamespace(**names, id=UUID(int=try_number), try_number=try_number, max_tries=3)
    task.xcom_push = lambda key, value: None
    found: Any = {"ti": task, "dag_run": SimpleNamespace(**{"clear_number": 0, "start_date": None} | row)}
    if not MUST_FORGET_STARTS:
        from airflow.sdk.execution_time.context import TaskStateStoreAccessor

        found["task_state_store"] = TaskStateStoreAccessor(task.id, SimpleNamespace())  # type: ignore[arg-type]
    return found


def operator(workflow: str = "w") -> WeDataRunWorkflowOperator:
    return WeDataRunWorkflowOperator(
        task_id="start", project_id=PROJECT, workflow_id=workflow, poke_interval=0.1, timeout=30
    )


def started_by(cloud: Emulator) -> int:
    return len(cloud.started(API))


def dies(cloud: Emulator, monkeypatch: pytest.MonkeyPatch, **row: Any) -> None:
    """Run a first try, whose worker dies while it waits for what it has started."""
    with monkeypatch.context() as patched:
        patched.setattr(WeDataRunWorkflowOperator, "_finish", lambda *args, **more: FAULTS["a closed channel"]())
        with pytest.raises(EOFError):
            operator().execute(context(**row))
    assert started_by(cloud) == 1


@only_airflow_3
@each_fault
def test_a_retry_that_cannot_look_up_the_first_start_sends_no_second_one(
    asked: Supervisor, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    dies(cloud, monkeypatch)
    asked.faults[READS] = FAULTS[fault]
    with pytest.raises(TransientError, match="Looking up what an earlier try started in Airflow failed"):
        operator().execute(context(2))
    asked.faults.clear()
    assert operator().execute(context(3))["state"] == "succeeded"
    assert started_by(cloud) == 1


@only_airflow_3
@each_fault
def test_a_start_that_cannot_be_kept_is_not_sent(asked: Supervisor, cloud: Emulator, fault: str) -> None:
    asked.faults[WRITES] = FAULTS[fault]
    with pytest.raises(TransientError, match="Keeping what this try starts in Airflow failed"):
        operator().execute(context())
    assert started_by(cloud) == 0
    asked.faults.clear()
    assert operator().execute(context(2))["state"] == "succeeded"
    assert started_by(cloud) == 1


@only_airflow_3
def test_a_start_that_is_not_found_after_it_was_kept_is_not_sent(asked: Supervisor, cloud: Emulator) -> None:
    # The supervisor answers that it was written.
    asked.faults[WRITES] = lambda: None
    with pytest.raises(TransientError, match="Keeping what this try starts in Airflow failed"):
        operator().execute(context())
    assert started_by(cloud) == 0


@only_airflow_3
def test_a_retry_after_an_upgrade_of_airflow_finds_the_start(
    asked: Supervisor, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every Airflow before 3.3 keeps it so.
    dies(cloud, monkeypatch)
    kept = next(iter(starts_in(asked.variables).values()), None) or json.dumps(asked.states.pop("cloud_task_start"))
    asked.variables = {variable_of_older_airflow(): kept}
    assert operator().execute(context(2))["state"] == "succeeded"
    assert started_by(cloud) == 1
    assert MUST_FORGET_STARTS or starts_in(asked.variables) == {}


def starts_in(variables: Mapping[str, str]) -> dict[str, str]:
    """Return those Variables that keep a start."""
    return {key: value for key, value in variables.items() if key.startswith("cloud_task_start_")}


def variable_of_older_airflow() -> str:
    """Return the key that version 0.2.0 computed for the task of :func:`context`."""
    return "cloud_task_start_" + OLD_KEY


# sha256 of ["dag", "run", "start", "-1"].
OLD_KEY = "eb32a5ff09762b5e8592053064b689c1"


@only_airflow_3
@pytest.mark.usefixtures("airflow_home")
@pytest.mark.parametrize("operation", ["get", "set"])
def test_a_dag_starts_nothing_while_the_api_server_answers_500(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    from airflow.sdk.api import client

    kept_in = client.VariableOperations if MUST_FORGET_STARTS else client.TaskStateStoreOperations
    with monkeypatch.context() as patched:
        # In this process, no supervisor makes an error frame of it: Airflow's SDK raises it.
        patched.setattr(kept_in, operation, lambda *args, **more: FAULTS["500 in this process"]())
        assert run_dag("one_start") == {"start": "failed"}
    assert started_by(cloud) == 0
    assert run_dag("one_start") == {"start": "success"}
    assert started_by(cloud) == 1


@only_airflow_2
@pytest.mark.usefixtures("airflow_home")
def test_a_failing_database_neither_hides_nor_loses_a_start(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.models.variable import Variable
    from airflow.secrets.metastore import MetastoreBackend

    def fails(*args: Any, **more: Any) -> Any:
        raise ConnectionError("the database")

    with monkeypatch.context() as patched:
        patched.setattr(Variable, "set", fails)
        with pytest.raises(TransientError):
            operator().execute(context(id=1))
    assert started_by(cloud) == 0
    dies(cloud, monkeypatch, id=1)
    with monkeypatch.context() as patched:
        patched.setattr(MetastoreBackend, "_fetch_variable", staticmethod(fails))
        with pytest.raises(TransientError):
            operator().execute(context(2, id=1))
    assert operator().execute(context(3, id=1))["state"] == "succeeded"
    assert started_by(cloud) == 1


@pytest.mark.usefixtures("airflow_home")
@pytest.mark.skipif(not MUST_FORGET_STARTS, reason="the store of a task goes with the row, see test_user_kills.py")
def test_another_row_with_the_same_run_id_is_another_start(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    dies(cloud, monkeypatch, id=71)
    operator().execute(context(id=72))
    assert started_by(cloud) == 2
