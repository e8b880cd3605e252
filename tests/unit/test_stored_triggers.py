"""Triggers that version 0.1.0 stored are still built, and their events still end the Airflow task.

Triggers outlive an upgrade of this package: Airflow builds them from the class path and the arguments in its database.
"""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.models.trigger import Trigger
from airflow.providers.common.compat.sdk import AirflowSensorTimeout
from state_store import StateStore

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import (
    CloudTaskFailed,
    InvalidArguments,
    InvalidConnection,
    MalformedAnswer,
    PermissionDenied,
    WaitTimedOut,
)
from airflow_cloudtasks.operators.cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.starting.on_kill import OnKill
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

from .stored_rows import CUSTOM_API, is_kept, stored, with_current_names

# Newer Airflow also reads what Airflow 2 wrote: both may be upgraded at once. Older Airflow cannot read the rows of
# 3.3, which serialises arguments in another way.
ROWS = {
    (release, name): row
    for release in ("airflow_2", "airflow_3")
    for name, row in stored(f"triggers_{release}").items()
    if release == "airflow_2" or AIRFLOW_VERSION >= (3, 3)
}
EVENTS, START_EVENTS = stored("events"), stored("start_events")
rows = pytest.mark.parametrize("row", ROWS.values(), ids=[f"{release}: {name}" for release, name in ROWS])


def arguments(row: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments as Airflow reads them from its database."""
    return dict(Trigger._decrypt_kwargs(json.dumps(row["kwargs"])))


def rebuild(row: dict[str, Any]) -> CloudTaskTrigger:
    """Build the trigger as Airflow's triggerer does."""
    module, _, name = row["classpath"].rpartition(".")
    trigger: CloudTaskTrigger = getattr(importlib.import_module(module), name)(**arguments(row))
    return trigger


@rows
def test_rebuilds_a_stored_trigger_that_stores_the_same_again(row: dict[str, Any]) -> None:
    path, kwargs = rebuild(row).serialize()
    assert path == row["classpath"]
    before, after = (json.loads(json.dumps(value)) for value in (arguments(row), kwargs))
    assert is_kept({**before, "api": with_current_names(before["api"])}, after)


@rows
def test_a_rebuilt_trigger_waits_on_the_stored_api(row: dict[str, Any]) -> None:
    api = arguments(row)["api"]
    assert rebuild(row).api == (APIS[api] if isinstance(api, str) else CUSTOM_API)


@rows
def test_a_rebuilt_trigger_cancels_what_was_stored(row: dict[str, Any]) -> None:
    trigger, cancel = rebuild(row), arguments(row)["cancel"]
    if cancel is None:
        assert trigger.cancel is None
    else:
        assert trigger.cancel is not None
        on_kill = OnKill.from_dict(trigger.cancel)
        assert on_kill.api == trigger.api or on_kill.api.name == "wedata.task_instance"
        assert (list(on_kill.ids), list(on_kill.requests)) == (cancel["ids"], cancel["requests"])


@rows
def test_the_stored_method_still_resumes_the_task(row: dict[str, Any]) -> None:
    assert row["next_kwargs"] is None
    for resumed in (CloudTaskSensor, StartCloudTaskOperator):
        assert callable(getattr(resumed, row["next_method"]))


def test_the_rows_cover_every_api_of_0_1_0() -> None:
    names = {arguments(row)["api"] for row in ROWS.values() if isinstance(arguments(row)["api"], str)}
    assert len(names) == 14


@pytest.mark.usefixtures("cloudtasks_emulator")
def test_a_sensor_returns_the_task_of_a_stored_event() -> None:
    event = EVENTS["a task that succeeded"]
    sensor = BdrcTaskSensor(task_id="wait", cloud_task_id="7", deferrable=True)
    assert sensor.execute_complete({}, event) == event["task"]


@pytest.mark.usefixtures("cloudtasks_emulator")
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("a task that failed", CloudTaskFailed),
        ("an error", PermissionDenied),
        ("a malformed answer", MalformedAnswer),
        ("a timeout after an error", AirflowSensorTimeout),
        ("an invalid connection", InvalidConnection),
        ("invalid arguments", InvalidArguments),
    ],
)
def test_a_sensor_raises_the_error_of_a_stored_event(name: str, error: type[Exception]) -> None:
    sensor = BdrcTaskSensor(task_id="wait", cloud_task_id="7", deferrable=True)
    with pytest.raises(error):
        sensor.execute_complete({}, EVENTS[name])


@pytest.mark.usefixtures("cloudtasks_emulator")
def test_a_sensor_concludes_the_stored_event_of_a_list() -> None:
    sensor = BdrcTaskSensor(task_id="wait", cloud_task_id=["7", "8", "9", "10"], wait_for="any", deferrable=True)
    tasks = sensor.execute_complete({}, EVENTS["a list"])
    assert [task and task["state"] for task in tasks] == ["succeeded", None, "running", None]


def resume(event: dict[str, Any]) -> tuple[StartCloudTaskOperator, Any]:
    """Return an operator that 0.1.0 deferred, and a function that resumes it with an event."""
    operator = StartCloudTaskOperator(
        task_id="start",
        api="wedata.workflow_run",
        parameters={"ProjectId": "1", "WorkflowId": "w"},
        deferrable=True,
        multiple_outputs=False,
    )
    context = {"ti": SimpleNamespace(xcom_push=lambda **_: None), "task_state_store": StateStore()}
    return operator, lambda: operator.execute_complete(context, event)  # type: ignore[arg-type]


@pytest.mark.usefixtures("cloudtasks_emulator")
@pytest.mark.parametrize("name", ["a run that succeeded", "without a cancel"])
def test_an_operator_returns_the_task_of_a_stored_event(name: str) -> None:
    _, complete = resume(START_EVENTS[name])
    assert complete() == START_EVENTS[name]["task"]


@pytest.mark.usefixtures("cloudtasks_emulator")
def test_an_operator_raises_the_failure_of_a_stored_event() -> None:
    _, complete = resume(START_EVENTS["a run that failed"])
    with pytest.raises(CloudTaskFailed, match="e-1 ended as failed"):
        complete()


def test_an_operator_cancels_a_run_that_timed_out_by_its_stored_event(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_running("wedata.workflow_run", "e-1", fields={"WorkflowId": "w"})
    _, complete = resume(START_EVENTS["a run that took too long"])
    with pytest.raises(WaitTimedOut):
        complete()
    assert [each["id"] for each in cloudtasks_emulator.canceled("wedata.workflow_run")] == ["e-1"]
