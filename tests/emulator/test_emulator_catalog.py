"""The emulator serves every API of the catalog: this package and the vendors' own clients read its tasks."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from alibaba_packages import imported
from api_examples import facts
from vendor_clients import alibaba_config, tencent

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.doctor.permissions import needed
from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.spec import Percentages

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.spec import TaskApi

TASK_ID = "7"
PERCENTAGES = {Percentages.INCOMPLETE: "60/50", Percentages.COMPLETE: "100/100", Percentages.FAILURES: "100/40"}
# The last status of a task that the emulator shows as ended.
STATUSES = [
    pytest.param(name, PERCENTAGES.get(status, status), state, id=f"{name}-{status}")
    for name, api in APIS.items()
    for status, state in api.states.items()
]
MAY_BE_SUCCESSES = facts("success_statuses.json")
EVERY_API = pytest.mark.parametrize("name", APIS)


def emulated(emulator: Emulator, api: TaskApi) -> tuple[str, dict[str, str]]:
    """The API that an API's tasks belong to in the emulator, and the fields by which ``TASK_ID`` names such a task.

    They are the API itself and no fields, except where the API reads the newest entry of another API's list.
    """
    for other in APIS.values():
        lists = [listed.action.name for listed in (other.list_tasks, other.read_many) if listed]
        if other.service == api.service and api.read.name in lists:
            return other.name, {api.id_param: TASK_ID}
    file = f"airflow_cloudtasks/emulator/products/{api.service.name}.py"
    assert api.name in emulator.registry.task_apis, (
        f"The emulator does not serve {api.name}: declare its tasks in {file}."
    )
    return api.name, {}


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
    content = CloudClient(account).call(api.service, api.read, parameters(api))
    return normalise(api, content, parameters=parameters(api))


def read_by_vendor(emulator: Emulator, api: TaskApi) -> Any:
    """The answer, as the vendor's own client reads it."""
    request = api.read.request(parameters(api), region="cn-shanghai")
    if api.cloud == "tencent":
        return tencent(emulator, api.service.name, api.service.version)(api.read.name, request)
    client = imported(api.service.name, api.service.version, "client").Client(alibaba_config(emulator))
    # The client's methods are named as the action is, in snake case.
    [method] = [
        method
        for name, method in inspect.getmembers(client, inspect.ismethod)
        if name.replace("_", "") == api.read.name.lower() and not inspect.iscoroutinefunction(method)
    ]
    arguments = [request.pop(name) for name in api.read.path_params]
    # Some requests whose parameters are all in the path have no model.
    model = getattr(imported(api.service.name, api.service.version, "models"), f"{api.read.name}Request", None)
    if model is not None:
        arguments.append(model().from_map(request))
    return method(*arguments).body.to_map()


@EVERY_API
def test_serves_every_action_of_an_api(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    served = {action.name for action in cloudtasks_emulator.registry.actions if action.service == api.service.name}
    assert {each.action.name for each in needed(api)} <= served


@pytest.mark.parametrize(("name", "status", "state"), STATUSES)
def test_shows_each_status_of_the_catalog(
    cloudtasks_emulator: Emulator, name: str, status: str, state: TaskState
) -> None:
    owner, fields = emulated(cloudtasks_emulator, APIS[name])
    cloudtasks_emulator.add_task(owner, TASK_ID, status, fields=fields)
    assert read(cloudtasks_emulator, APIS[name]).state is state


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


@pytest.mark.parametrize("end", ["failed", "canceled"])
@EVERY_API
def test_shows_a_task_that_fails_or_is_canceled(cloudtasks_emulator: Emulator, name: str, end: str) -> None:
    owner, fields = emulated(cloudtasks_emulator, APIS[name])
    if end in cloudtasks_emulator.registry.shape(owner).endings:
        cloudtasks_emulator.add_finished(owner, TASK_ID, end, fields=fields)
        task = read(cloudtasks_emulator, APIS[name])
        assert (task.done, task.ok) == (True, False)


@EVERY_API
def test_refuses_a_task_that_does_not_exist(cloudtasks_emulator: Emulator, name: str) -> None:
    emulated(cloudtasks_emulator, APIS[name])
    with pytest.raises(NotFound):
        read(cloudtasks_emulator, APIS[name])


@EVERY_API
def test_the_vendors_own_client_reads_a_task(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    owner, fields = emulated(cloudtasks_emulator, api)
    cloudtasks_emulator.add_running(owner, TASK_ID, fields=fields)
    theirs = normalise(api, read_by_vendor(cloudtasks_emulator, api), parameters=parameters(api))
    assert (theirs.id, theirs.status) == (TASK_ID, read(cloudtasks_emulator, api).status)
