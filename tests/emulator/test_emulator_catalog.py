"""The emulator serves every API of the catalog. tests/clients has the vendors' own clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from api_examples import facts
from task_owners import owner_of

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.doctor.permissions import needed
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.protocol.reading import Reading
from airflow_cloudtasks.spec import Percentages

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.spec import TaskApi

TASK_ID = "7"
PERCENTAGES = {Percentages.INCOMPLETE: "60/50", Percentages.COMPLETE: "100/100", Percentages.FAILURES: "100/40"}
MAY_BE_SUCCESSES = facts("success_statuses.json")
EVERY_API = pytest.mark.parametrize("name", APIS)


def emulated(emulator: Emulator, api: TaskApi) -> tuple[str, dict[str, str]]:
    """The API that an API's tasks belong to in the emulator, and the fields by which ``TASK_ID`` names such a task."""
    owner, fields = owner_of(api, TASK_ID)
    file = f"airflow_cloudtasks/emulator/products/{api.service.name}.py"
    assert owner in emulator.registry.task_apis, f"The emulator does not serve {api.name}: declare its tasks in {file}."
    return owner, fields


def parameters(api: TaskApi) -> dict[str, Any]:
    return api.parameters(TASK_ID, dict.fromkeys(api.task_params, "1"))


def read(emulator: Emulator, api: TaskApi) -> CloudTask:
    """The task, as this package reads it."""
    account = Account(
        cloud=api.cloud,
        credentials=StaticCredentials(Credentials("emulator-id", "emulator-secret")),
        location=Location("cn-shanghai"),
        endpoints={"*": Endpoint.parse(emulator.url)},
    )
    client, reading = CloudClient(account), Reading(api, parameters(api))
    while reading.request is not None:
        reading.take(client.call(api.service, api.read, reading.request))
    return normalise(api, reading.answer, parameters=parameters(api))


@EVERY_API
def test_serves_every_action_of_an_api(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    served = {action.name for action in cloudtasks_emulator.registry.actions if action.service == api.service.name}
    assert {each.action.name for each in needed(api)} <= served


@EVERY_API
def test_shows_each_status_of_the_catalog(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    owner, fields = emulated(cloudtasks_emulator, api)
    for status, state in api.states.items():
        # The last status of a task that the emulator shows as ended.
        cloudtasks_emulator.add_task(owner, TASK_ID, PERCENTAGES.get(status, status), fields=fields)
        assert read(cloudtasks_emulator, api).state is state, status


@EVERY_API
def test_shows_a_task_that_runs_and_then_succeeds(cloudtasks_emulator: Emulator, name: str) -> None:
    owner, fields = emulated(cloudtasks_emulator, APIS[name])
    cloudtasks_emulator.add_running(owner, TASK_ID, fields=fields)
    running = read(cloudtasks_emulator, APIS[name])
    assert running.state in (TaskState.PENDING, TaskState.RUNNING)
    assert running.id == TASK_ID
    cloudtasks_emulator.finish(TASK_ID)
    ended = read(cloudtasks_emulator, APIS[name])
    assert ended.ok or (ended.done and ended.status in MAY_BE_SUCCESSES[name])


@EVERY_API
def test_shows_a_task_that_fails_or_is_canceled(cloudtasks_emulator: Emulator, name: str) -> None:
    owner, fields = emulated(cloudtasks_emulator, APIS[name])
    for end in ("failed", "canceled"):
        if end in cloudtasks_emulator.registry.shape(owner).endings:
            cloudtasks_emulator.add_finished(owner, TASK_ID, end, fields=fields)
            task = read(cloudtasks_emulator, APIS[name])
            assert (task.done, task.ok) == (True, False), end


@EVERY_API
def test_refuses_a_task_that_does_not_exist(cloudtasks_emulator: Emulator, name: str) -> None:
    emulated(cloudtasks_emulator, APIS[name])
    with pytest.raises(NotFound):
        read(cloudtasks_emulator, APIS[name])
