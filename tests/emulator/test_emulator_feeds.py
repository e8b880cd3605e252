"""The emulator serves every feed of the catalog: lists that it sorts itself by the time of the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.client import Account, CloudClient
from airflow_cloudtasks.clouds.credentials.source import StaticCredentials
from airflow_cloudtasks.clouds.wire import Credentials, Endpoint, Location
from airflow_cloudtasks.protocol.normalise import normalise_object
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.waiting.feed import End, FeedCursor

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator import Emulator

EVERY_FEED = pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.feed])
# Those whose wait is known by the id of a workflow, not of a run.
OF_ANOTHER_ID = {
    "wedata.newest_workflow_run": "wedata.workflow_run",
    "dataworks.scheduled_instance": "dataworks.task_instance",
}


def client(emulator: Emulator, api: TaskApi) -> CloudClient:
    account = Account(
        cloud=api.cloud,
        credentials=StaticCredentials(Credentials("emulator-id", "emulator-secret")),
        location=Location("cn-shanghai"),
        endpoints={"*": Endpoint.parse(emulator.url)},
    )
    return CloudClient(account)


def add(emulator: Emulator, name: str, ends: dict[str, float | None]) -> None:
    """Add tasks that run for some seconds, or on and on."""
    api = APIS[name]
    words = {state: status for status, state in reversed(api.states.items())}
    done, kept = words["succeeded"], OF_ANOTHER_ID.get(name, name)
    tasks: list[dict[str, Any]] = []
    for task_id, seconds in ends.items():
        fields = {"WorkflowId": task_id} if name == "wedata.newest_workflow_run" else {}
        fields |= {"TaskId": int(task_id)} if name == "dataworks.scheduled_instance" else {}
        running = {"status": words["running"], "seconds": seconds}
        script = [running, {"status": done}] if seconds is not None else [{"status": words["running"]}]
        tasks.append({"api": kept, "id": task_id, "script": script, "fields": fields})
    emulator.add_tasks(tasks)


def look(emulator: Emulator, cursor: FeedCursor, pages: list[int] | None = None) -> list[End]:
    api, feed = cursor.api, cursor.feed
    known = dict.fromkeys((*api.task_params, *api.carried_params), "1")
    scope = api.feed_params(known | ({"Bizdate": "1764000000000"} if "dataworks" in api.name else {}))
    assert scope is not None
    one = cursor.look(scope, time.time())
    found: list[End] = []
    while (parameters := one.next_page) is not None:
        found += one.take(client(emulator, api).call(api.service, feed.tasks.action, parameters))
    assert one.is_ordered
    if pages is not None:
        pages.append(one.pages)
    return found


@EVERY_FEED
def test_ends_come_newest_first_whatever_the_order_of_creation(cloudtasks_emulator: Emulator, name: str) -> None:
    add(cloudtasks_emulator, name, {"1": 30.0, "2": 10.0, "3": 20.0, "4": None})
    cloudtasks_emulator.advance(60)
    ends = look(cloudtasks_emulator, FeedCursor(APIS[name]))
    assert [end.task_id for end in ends] == ["1", "3", "2"]
    assert ends[0].ended_at > ends[1].ended_at > ends[2].ended_at


@EVERY_FEED
def test_more_ends_than_a_page_are_found_once(cloudtasks_emulator: Emulator, name: str) -> None:
    cursor, pages = FeedCursor(APIS[name]), []
    add(cloudtasks_emulator, name, {str(number): 10.0 + number / 10 for number in range(1, 251)} | {"999": None})
    cloudtasks_emulator.advance(1)
    assert look(cloudtasks_emulator, cursor) == []
    cloudtasks_emulator.advance(60)
    found = [end.task_id for end in look(cloudtasks_emulator, cursor, pages)]
    assert (sorted(found, key=int), pages) == ([str(number) for number in range(1, 251)], [3])
    assert look(cloudtasks_emulator, cursor) == []


@EVERY_FEED
def test_a_complete_entry_is_a_task_that_has_ended(cloudtasks_emulator: Emulator, name: str) -> None:
    api = APIS[name]
    add(cloudtasks_emulator, name, {"7": 10.0})
    cloudtasks_emulator.advance(60)
    (end,) = look(cloudtasks_emulator, FeedCursor(api))
    assert api.feed is not None
    if api.feed.tasks.complete:
        task = normalise_object(api, end.entry, {}, parameters={})
        assert (task.id, task.state) == ("7", "succeeded")
        assert task.finished_at is not None


def test_a_stale_answer_shows_the_tasks_as_they_were(cloudtasks_emulator: Emulator) -> None:
    name = "wedata.workflow_run"
    add(cloudtasks_emulator, name, {"1": 10.0, "2": 50.0})
    cloudtasks_emulator.advance(60)
    cloudtasks_emulator.fault("stale", seconds=30, api="wedata.workflow_run_list", count=1)
    cursor = FeedCursor(APIS[name])
    assert [end.task_id for end in look(cloudtasks_emulator, cursor)] == ["1"]
    assert [end.task_id for end in look(cloudtasks_emulator, cursor)] == ["2"]
