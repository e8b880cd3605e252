"""The control plane over HTTP and through the methods of Emulator."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.emulator.control.errors import BadInputError

if TYPE_CHECKING:
    from conftest import Client

SCRIPT = [{"status": "Processing", "seconds": 60}, {"status": "Succeed"}]
TASK = {"api": "ice.workflow_task", "id": "t1", "script": SCRIPT}


def status_of(client: Client, task_id: str = "t1") -> str:
    status: str = client.ice(task_id).json["WorkflowTask"]["Status"]
    return status


def test_health_returns_the_version(client: Client) -> None:
    assert set(client.control("GET", "health").json) == {"ok", "version"}


def test_serves_a_posted_task_that_goes_by_the_clock(client: Client) -> None:
    assert client.control("POST", "tasks", TASK).json["tasks"][0]["status"] == "Processing"
    assert status_of(client) == "Processing"
    client.emulator.advance(60)
    assert status_of(client) == "Succeed"
    assert client.control("GET", "tasks").json["tasks"][0]["status"] == "Succeed"


def test_adds_all_tasks_of_a_list_or_none(client: Client) -> None:
    assert client.control("POST", "tasks", [TASK, {**TASK, "id": "t2", "script": []}]).status == 400
    assert client.control("GET", "tasks").json == {"tasks": []}
    assert client.control("POST", "tasks", [TASK, {**TASK, "id": "t2"}]).status == 200
    assert [task["id"] for task in client.control("GET", "tasks").json["tasks"]] == ["t1", "t2"]


def test_restarts_a_task_that_is_posted_again(client: Client) -> None:
    client.control("POST", "tasks", TASK)
    client.emulator.advance(60)
    client.control("POST", "tasks", TASK)
    assert status_of(client) == "Processing"


def test_removes_tasks(client: Client) -> None:
    client.control("POST", "tasks", TASK)
    client.control("DELETE", "tasks")
    assert client.ice().code == "InvalidTaskId.NotFound"


def test_answers_a_null_status_as_null(client: Client) -> None:
    client.control("POST", "tasks", {"api": "lke.task", "id": "8", "script": [{"status": None}]})
    assert client.lke().json["Response"]["Status"] is None


def test_sets_and_lifts_limits_faults_and_keys(client: Client) -> None:
    assert client.control("POST", "limits", {"requests_per_second": 20}).json == {"requests_per_second": 20}
    assert client.control("POST", "limits", {"requests_per_second": None}).json == {"requests_per_second": None}
    faults = client.control("POST", "faults", {"kind": ["hang", "reset"], "rate": 0.5, "count": 3, "seconds": 2}).json
    assert faults == {
        "faults": [{"kind": ["hang", "reset"], "rate": 0.5, "count": 3, "seconds": 2.0, "api": None, "hits": 0}],
    }
    assert client.control("DELETE", "faults").json == {"ok": True}
    assert client.control("GET", "faults").json == {"faults": []}
    client.control("POST", "keys", {"id": "k", "secret": "hush", "token": "hush-too", "cloud": "alibaba"})
    shown = client.control("GET", "keys")
    assert {"cloud": "alibaba", "id": "k", "account": "default", "temporary": True} in shown.json["keys"]
    assert b"hush" not in shown.body
    assert client.control("DELETE", "keys/k").status == 200
    assert client.control("DELETE", "keys/k").status == 404


def test_lists_requests_without_secrets(client: Client) -> None:
    client.emulator.add_key("sts", "hush", token="hush-too")
    client.key_id, client.secret, client.token = "sts", "hush", "hush-too"
    client.ice()
    client.wedata()
    client.send(client.prepare_alibaba("Nothing"))
    answer = client.control("GET", "requests")
    assert b"hush" not in answer.body
    assert b"ignature" not in answer.body
    first, second, third = answer.json["requests"]
    assert {name: first[name] for name in ("sequence", "cloud", "api", "service", "action", "version")} == {
        "sequence": first["sequence"],
        "cloud": "alibaba",
        "api": "ice.workflow_task",
        "service": "ice",
        "action": "GetWorkflowTask",
        "version": "2020-11-09",
    }
    assert (first["key_id"], first["parameters"], first["outcome"], first["status"]) == (
        "sts",
        {"TaskId": "t1"},
        "InvalidTaskId.NotFound",
        404,
    )
    assert (second["region"], second["parameters"]) == ("ap-guangzhou", {"ProjectId": "p1", "TaskId": "t1"})
    assert (third["api"], third["outcome"]) == (None, "InvalidAction.NotFound")
    assert set(answer.json["totals"]) == {"ice.workflow_task", "wedata.task", "unknown"}


def test_filters_requests_by_api_and_by_sequence(client: Client) -> None:
    client.ice()
    client.wedata()
    client.ice()
    everything = client.control("GET", "requests").json["requests"]
    since = everything[0]["sequence"]
    assert len(client.control("GET", "requests?api=wedata.task").json["requests"]) == 1
    later = client.control("GET", f"requests?api=ice.workflow_task&since={since}").json["requests"]
    assert [entry["sequence"] for entry in later] == [since + 2]
    client.control("DELETE", "requests")
    assert client.control("GET", "requests").json == {"requests": [], "totals": {}}


def test_reset_restores_everything(client: Client) -> None:
    emulator = client.emulator
    client.control("POST", "tasks", TASK)
    emulator.limit(0.02)
    emulator.fault("reset")
    emulator.add_key("k", "s")
    emulator.revoke_key("emulator-id")
    emulator.advance(60)
    client.control("POST", "reset")
    assert [client.ice().code for _ in range(2)] == ["InvalidTaskId.NotFound"] * 2
    assert {key["id"] for key in client.control("GET", "keys").json["keys"]} == {"emulator-id"}
    client.control("POST", "tasks", TASK)
    assert status_of(client) == "Processing"


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("tasks", {"id": "t", "script": SCRIPT}, "api is missing"),
        ("tasks", {**TASK, "api": "ice"}, "api: expected one of "),
        ("tasks", {**TASK, "id": 7}, "id: expected a string that is not empty, got 7"),
        ("tasks", {**TASK, "colour": 1}, "unknown 'colour'"),
        ("tasks", {**TASK, "script": []}, "at least one step"),
        ("tasks", {**TASK, "script": [{"status": "A"}, {"status": "B"}]}, "script[0]: expected seconds"),
        ("tasks", {**TASK, "script": [{"status": "A", "seconds": 1}]}, "script[0]: expected no seconds"),
        ("tasks", {**TASK, "script": [{"status": "A", "seconds": -1}, "B"]}, "from 0, got -1"),
        ("tasks", {**TASK, "script": [{"status": 1}]}, "script[0].status: expected a string or null, got 1"),
        ("tasks", {**TASK, "script": [{"state": "A"}]}, "status is missing"),
        ("tasks", {**TASK, "script": [["A", 1, 2]]}, "a pair of status and seconds"),
        ("tasks", {**TASK, "fields": []}, "fields: expected an object, got list"),
        ("tasks", 7, "a task: expected an object, got int"),
        ("limits", {}, "requests_per_second is missing"),
        ("limits", {"requests_per_second": 0}, "a number above 0 or null, got 0"),
        ("limits", {"requests_per_second": "20"}, "expected a number, got '20'"),
        ("limits", {"requests_per_second": True}, "expected a number, got True"),
        ("limits", {"requests_per_second": 1, "window": "round"}, "window: expected one of sliding, fixed, bucket"),
        ("limits", {"requests_per_second": 1, "counts_refused": 1}, "counts_refused: expected"),
        ("limits", {"requests_per_second": 1, "retry_after": 0.5}, "a whole number of seconds from 0 or null, got 0.5"),
        ("faults", {"kind": "reset", "retry_after": 5}, "only where kind is or lists throttle or http_500"),
        ("faults", {"kind": "flood"}, "kind: expected one of throttle"),
        ("faults", {"kind": []}, "at least one"),
        ("faults", {"kind": "reset", "rate": 2}, "rate: expected a number from 0 to 1, got 2"),
        ("faults", {"kind": "reset", "count": 0}, "count: expected a whole number from 1 or null, got 0"),
        ("faults", {"kind": "reset", "seconds": 5}, "only where kind is or lists 'hang'"),
        ("keys", {"id": "k"}, "secret is missing"),
        ("keys", {"id": "k", "secret": 5}, "secret: expected a string that is not empty, got int"),
        ("keys", {"id": "k", "secret": "s", "cloud": "aws"}, "cloud: expected one of alibaba, tencent"),
    ],
)
def test_says_what_was_expected_instead_of_bad_input(client: Client, path: str, value: Any, expected: str) -> None:
    answer = client.control("POST", path, value)
    assert answer.status == 400
    assert expected in answer.json["error"]


def test_says_what_is_wrong_with_a_query_path_or_body(client: Client) -> None:
    assert "expected JSON" in client.plain("POST", "/_control/tasks", b"{").json["error"]
    assert "expected JSON" in client.plain("POST", "/_control/tasks", b"\xff").json["error"]
    assert "since: expected" in client.control("GET", "requests?since=x").json["error"]
    assert "api: expected one of" in client.control("GET", "requests?api=x").json["error"]
    for method, path, status in (("GET", "nothing", 404), ("PUT", "tasks", 405)):
        answer = client.control(method, path)
        assert answer.status == status
        assert "POST /_control/tasks" in answer.json["error"]


@pytest.mark.parametrize(
    "steps",
    [
        (("Processing", 60), "Succeed"),
        ([("Processing", 60), "Succeed"],),
        ({"status": "Processing", "seconds": 60}, ("Succeed", None)),
    ],
)
def test_accepts_short_forms_of_steps(client: Client, steps: Any) -> None:
    client.emulator.add_task("ice.workflow_task", "t1", *steps)
    client.emulator.add_task("ice.workflow_task", "t2", script=list(steps[0] if len(steps) == 1 else steps))
    assert status_of(client) == status_of(client, "t2") == "Processing"
    client.emulator.advance(60)
    assert status_of(client) == status_of(client, "t2") == "Succeed"
    assert [task["status"] for task in client.emulator.tasks()] == ["Succeed", "Succeed"]


def test_methods_refuse_invalid_arguments(cloudtasks_emulator: Emulator) -> None:
    with pytest.raises(BadInputError, match="steps or script"):
        cloudtasks_emulator.add_task("ice.workflow_task", "t1")
    with pytest.raises(ValueError, match="rate"):
        cloudtasks_emulator.fault("reset", rate=7)
    with pytest.raises(ValueError, match="api"):
        cloudtasks_emulator.requests("ice")


def test_returns_airflow_connections_to_the_emulator(cloudtasks_emulator: Emulator) -> None:
    connections = {name: json.loads(value) for name, value in cloudtasks_emulator.connections().items()}
    assert connections["AIRFLOW_CONN_ALIBABA_DEFAULT"] == {
        "conn_type": "cloudtasks_alibaba",
        "login": "emulator-id",
        "password": "emulator-secret",
        "host": cloudtasks_emulator.url,
        "extra": {"region": "cn-shanghai"},
    }
    assert connections["AIRFLOW_CONN_TENCENT_DEFAULT"]["conn_type"] == "cloudtasks_tencent"
    assert connections["AIRFLOW_CONN_TENCENT_DEFAULT"]["extra"] == {"region": "ap-guangzhou"}
    assert '"ap-jakarta"' in cloudtasks_emulator.connections(region="ap-jakarta")["AIRFLOW_CONN_TENCENT_DEFAULT"]


def test_keeps_its_memory_when_it_is_stopped_and_started_again() -> None:
    emulator = Emulator()
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    with emulator:
        emulator.add_task("ice.workflow_task", "t1", "Succeed")
        with pytest.raises(RuntimeError, match="running already"):
            emulator.start()
        assert emulator.url == f"http://127.0.0.1:{emulator.port}"
    emulator.stop()
    with emulator:
        assert len(emulator.tasks()) == 1


def test_refuses_to_serve_on_other_than_a_loopback_address() -> None:
    for host in ("0.0.0.0", "192.168.1.1", "example.com", ""):
        with pytest.raises(ValueError, match="loopback"):
            Emulator(host)


def test_many_threads_can_use_it_at_once(client: Client) -> None:
    emulator, failures = client.emulator, []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                emulator.add_task("ice.workflow_task", f"{number}-{turn}", "Succeed")
                assert client.ice(f"{number}-{turn}").status == 200
                emulator.requests()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert emulator.totals()["ice.workflow_task"]["total"] == 100
