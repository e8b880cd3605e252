"""The emulator answers every batch of the catalog: several tasks by their ids in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.errors import CloudApiError
from airflow_cloudtasks.protocol.normalise import normalise_object
from airflow_cloudtasks.spec import ManyIds
from airflow_cloudtasks.waiting.triggerer.batch import entries

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator import Emulator

EVERY_BATCH = pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.read_many])


def read(emulator: Emulator, name: str, ids: list[str]) -> Any:
    """Return the answer to a batch."""
    api = APIS[name]
    account = Account(
        cloud=api.cloud,
        credentials=StaticCredentials(Credentials("emulator-id", "emulator-secret")),
        location=Location("cn-shanghai"),
        endpoints={"*": Endpoint.parse(emulator.url)},
    )
    together = together_of(name)
    parameters = {**dict.fromkeys(together.shared, "1"), together.ids_param: ids}
    return CloudClient(account).call(api.service, together.action, parameters)


def together_of(name: str) -> ManyIds:
    together = APIS[name].read_many
    assert together is not None
    return together


@EVERY_BATCH
def test_shows_the_tasks_of_the_ids_as_far_as_they_exist_and_no_other(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    by_state = {state: status for status, state in reversed(api.states.items())}
    for task_id, status in (("7", by_state["running"]), ("8", by_state["succeeded"]), ("9", by_state["failed"])):
        cloudtasks_emulator.add_task(name, task_id, status)
    answer = read(cloudtasks_emulator, name, ["8", "404", "7"])
    found = entries(api, answer, {"7", "8", "9", "404"})
    tasks = {
        task_id: normalise_object(api, row, answer, parameters={api.id_param: task_id})
        for task_id, row in found.items()
    }
    assert {task_id: task.state for task_id, task in tasks.items()} == {"7": "running", "8": "succeeded"}


@EVERY_BATCH
def test_shows_as_many_tasks_as_the_spec_asks_for(cloudtasks_emulator: Emulator, name: str) -> None:
    running = next(status for status, state in APIS[name].states.items() if state == "running")
    ids = [str(number) for number in range(1, together_of(name).most + 1)]
    for task_id in ids:
        cloudtasks_emulator.add_task(name, task_id, running)
    assert set(entries(APIS[name], read(cloudtasks_emulator, name, ids), ids)) == set(ids)


@pytest.mark.parametrize("name", ["dlc.task", "tat.invocation"])
def test_refuses_more_ids_than_tencent_allows(cloudtasks_emulator: Emulator, name: str) -> None:
    ids = [str(number) for number in range(together_of(name).most + 1)]
    with pytest.raises(CloudApiError, match="ids"):
        read(cloudtasks_emulator, name, ids)
