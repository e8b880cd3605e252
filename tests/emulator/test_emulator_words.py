"""Tasks in their product's own words: a test says "running" or "failed", and the emulator knows the status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_cloudtasks.emulator.control.errors import BadInputError, NotThereError

if TYPE_CHECKING:
    from conftest import Client

    from airflow_cloudtasks.emulator import Emulator

# The words for running, succeeded, failed and canceled. test_emulator_catalog.py checks what they mean.
WORDS = {
    "bdrc.task": ("RUNNING", "COMPLETE", "FAILED", "CANCELED"),
    "bpstudio.operation": ("RUNNING", "SUCCESS", "FAILURE", None),
    "bpstudio.task": ("BINDING", "FINISH", None, None),
    "ice.ai_workflow_task": ("running", "succeeded", "failed", "stopped"),
    "ice.workflow_task": ("Processing", "Succeed", "Failed", "Canceled"),
    "lke.task": ("RUNNING", "SUCCESS", "FAILED", None),
    "wedata.async_job": ("RUNNING", "SUCCESS", "FAIL", None),
    "wedata.backfill": ("50/50", "100/100", "100/0", "100/0"),
    "wedata.sql_run": ("RUNNING", "SUCCESS", "FAILED", "TERMINATED"),
    "wedata.task": ("O", "Y", "F", None),
    "wedata.task_instance": ("RUNNING", "COMPLETED", "EXPIRED", "EXPIRED"),
    "wedata.task_run": ("RUNNING", "SUCCESS", "FAILED", "FAILED"),
    "wedata.workflow_run": ("RUNNING", "SUCCESS", "FAILED", "FAILED"),
}


def status_of(emulator: Emulator, task_id: str = "t1") -> str:
    (status,) = [task["status"] for task in emulator.tasks() if task["id"] == task_id]
    return str(status)


@pytest.mark.parametrize("api", WORDS)
def test_each_api_has_its_own_words(cloudtasks_emulator: Emulator, api: str) -> None:
    running, *ends = WORDS[api]
    for end, status in zip(("succeeded", "failed", "canceled"), ends, strict=True):
        cloudtasks_emulator.add_running(api, "t1")
        assert status_of(cloudtasks_emulator) == running
        if status is None:
            with pytest.raises(BadInputError, match=f"end: {api} has no status for '{end}'"):
                cloudtasks_emulator.finish("t1", end)
            continue
        cloudtasks_emulator.finish("t1", end)
        assert status_of(cloudtasks_emulator) == status
        cloudtasks_emulator.add_finished(api, "t1", end)
        assert status_of(cloudtasks_emulator) == status


def test_a_running_task_runs_until_it_is_finished(client: Client) -> None:
    client.emulator.add_running("ice.workflow_task", "t1", fields={"UserData": "mine"})
    client.emulator.advance(86_400)
    task = client.ice().json["WorkflowTask"]
    assert (task["Status"], task["UserData"], "FinishTime" in task) == ("Processing", "mine", False)
    client.emulator.finish("t1", fields={"UserData": "yours"})
    task = client.ice().json["WorkflowTask"]
    assert (task["Status"], task["UserData"], "FinishTime" in task) == ("Succeed", "yours", True)
    assert [one["id"] for one in client.emulator.noticed()] == ["t1"]


def test_a_running_task_ends_after_its_seconds(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_running("lke.task", "t1", 2, "failed")
    assert status_of(cloudtasks_emulator) == "RUNNING"
    cloudtasks_emulator.advance(2)
    assert status_of(cloudtasks_emulator) == "FAILED"


def test_a_planned_task_runs_and_ends_in_its_own_words(client: Client) -> None:
    start = client.prepare_alibaba
    client.emulator.next_running("ice.workflow_task", 5, "failed", fields={"UserData": "planned"})
    client.emulator.next_running("ice.workflow_task", for_all=True)
    first, second = (client.send(start("StartWorkflow")).json["TaskId"] for _ in "12")
    assert [status_of(client.emulator, one) for one in (first, second)] == ["Processing", "Processing"]
    assert client.ice(first).json["WorkflowTask"]["UserData"] == "planned"
    client.emulator.advance(5)
    client.emulator.finish(second)
    assert [status_of(client.emulator, one) for one in (first, second)] == ["Failed", "Succeed"]


def test_finish_ends_the_tasks_of_an_id_in_every_scope(cloudtasks_emulator: Emulator) -> None:
    for project in ("p1", "p2"):
        cloudtasks_emulator.add_running("wedata.sql_run", "t1", fields={"ProjectId": project})
    cloudtasks_emulator.finish("t1", "canceled")
    assert [task["status"] for task in cloudtasks_emulator.tasks()] == ["TERMINATED"] * 2


def test_finish_needs_the_api_if_several_have_a_task_of_the_id(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_running("lke.task", "t1")
    cloudtasks_emulator.add_running("bdrc.task", "t1")
    with pytest.raises(BadInputError, match=r"api: expected one of bdrc\.task, lke\.task, since each has a task 't1'"):
        cloudtasks_emulator.finish("t1")
    cloudtasks_emulator.finish("t1", api="bdrc.task")
    assert {task["api"]: task["status"] for task in cloudtasks_emulator.tasks()} == {
        "lke.task": "RUNNING",
        "bdrc.task": "COMPLETE",
    }


def test_finish_refuses_an_unknown_task(client: Client) -> None:
    client.emulator.add_running("lke.task", "t1")
    with pytest.raises(NotThereError, match="There is no task 'none'"):
        client.emulator.finish("none")
    with pytest.raises(KeyError):
        client.emulator.finish("t1", api="bdrc.task")
    assert client.control("POST", "finish", {"id": "none"}).status == 404


def test_the_control_plane_adds_and_finishes_tasks(client: Client) -> None:
    for path, value in (
        ("running", {"api": "lke.task", "id": "t1"}),
        ("running", {"api": "lke.task", "id": "t2", "seconds": 5, "end": "failed"}),
        ("finished", {"api": "lke.task", "id": "t3", "fields": {"Message": "done"}}),
        ("finish", {"id": "t1", "end": "failed"}),
        ("scripts/running", {"api": "lke.task", "seconds": 3}),
        ("advance", {"seconds": 5}),
    ):
        assert client.control("POST", path, value).json == {"ok": True}
    tasks = client.control("GET", "tasks").json["tasks"]
    assert [(task["id"], task["status"]) for task in tasks] == [("t1", "FAILED"), ("t2", "FAILED"), ("t3", "SUCCESS")]
    assert tasks[2]["fields"] == {"Message": "done"}
    (plan,) = client.control("GET", "scripts").json["scripts"]
    assert [step["status"] for step in plan["script"]] == ["RUNNING", "SUCCESS"]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("running", {"api": "lke.task"}, "a running task: id is missing; expected api, id, seconds, end, fields"),
        ("running", {"api": "lke", "id": "t"}, "api: expected one of "),
        ("running", {"api": "lke.task", "id": "t", "seconds": -1}, "from 0, got -1"),
        ("running", {"api": "lke.task", "id": ""}, "id: expected a string that is not empty"),
        ("finished", {"api": "lke.task", "id": "t", "end": "done"}, "end: expected one of succeeded, failed, canceled"),
        ("scripts/running", {"api": "wedata.task"}, "api: expected one of "),
        ("scripts/running", {"api": "lke.task", "for_all": 1}, "for_all: expected true or false, got 1"),
        ("finish", {"end": "failed"}, "the end of a task: id is missing; expected id, end, api, fields"),
        ("advance", {"seconds": "5"}, "seconds: expected a number, got '5'"),
    ],
)
def test_the_control_plane_refuses_an_invalid_argument(client: Client, path: str, value: object, expected: str) -> None:
    answer = client.control("POST", path, value)
    assert (answer.status, expected in answer.json["error"]) == (400, True)
