"""``record`` writes the answers about a task, from which a test gets the same state, and nothing of its owner."""

from __future__ import annotations

import json

import pytest
from patients import SECRETS, Patient
from recorded import Recorded
from servers import closed_port
from task_owners import owner_of

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.commands.main import main
from airflow_cloudtasks.doctor.options import option
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.spec import TaskApi

PRIVATE = ("nightly_orders", "alice", "secret-text")
TASK_ID = "20250714200130106_2025-10-01 00:00:00"


def record(patient: Patient, api: TaskApi, task_id: str, *arguments: str) -> Recorded:
    patient.connect(api.cloud, extra={"max_tries": 1})
    output = patient.home / "recorded.json"
    given = [argument for name in api.task_params for argument in (option(name), parameter(api, name))]
    command = ["record", "--conn-id", "patient", "--api", api.name, "--id", task_id, "--output", str(output)]
    assert main([*command, *given, *arguments]) == 0
    written = output.read_text("utf-8")
    for private in (*SECRETS, *PRIVATE, "emulator-id"):
        assert private not in written
    return Recorded.load(output)


def parameter(api: TaskApi, name: str) -> str:
    return next((start.names[name] for start in api.starts if name in start.names), f"private-{name}")


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if owner_of(api, TASK_ID)[0] == name])
def test_a_recorded_answer_is_normalised_to_the_same_state(name: str, patient: Patient) -> None:
    api = APIS[name]
    task_id = TASK_ID if api.time_in_id else "77777"
    params = {name: parameter(api, name) for name in api.task_params}
    patient.emulator.add_finished(api.name, task_id, fields=params)
    recorded = record(patient, api, task_id)
    read = hook_for(api, "patient").read_task(api, task_id, params)
    assert recorded.task.state is read.state
    assert recorded.task.status == read.status
    assert recorded.task.finished_at == read.finished_at
    assert recorded.task.id != read.id
    assert len(recorded.of("list")) == (api.list_tasks is not None and not api.find_in_list)


def test_the_recorded_list_shows_the_recorded_task(patient: Patient) -> None:
    patient.emulator.add_finished("wedata.workflow_run", "77777", fields={"WorkflowName": "nightly_orders"})
    recorded = record(patient, APIS["wedata.workflow_run"], "77777")
    [listed] = recorded.of("list")
    assert recorded.task.id in [item["ExecutionId"] for item in listed["answer"]["Response"]["Data"]["Items"]]
    assert listed["parameters"]["ProjectId"] == recorded.of("read")[0]["parameters"]["ProjectId"]


def test_a_failed_task_is_recorded_with_what_explains_it(patient: Patient) -> None:
    fields = {"JobErrorMsg": "alice has no table nightly_orders", "LogInfo": "a<br>secret-text at 10.0.0.1<br>"}
    patient.emulator.add_finished("wedata.task_instance", TASK_ID, end="failed", fields=fields)
    recorded = record(patient, APIS["wedata.task_instance"], TASK_ID)
    [log] = recorded.of("explain")
    assert log["action"] == "GetTaskInstanceLog"
    assert "10.0.0.1" not in json.dumps(recorded.calls)
    assert recorded.task.state.value == "failed"
    assert recorded.task.message


def test_a_refusal_is_recorded_with_its_code(patient: Patient) -> None:
    recorded = record(patient, APIS["ice.workflow_task"], "77777")
    [read] = recorded.of("read")
    assert read["error"]["kind"] == "NotFound"
    assert read["error"]["code"] == "InvalidTaskId.NotFound"


@pytest.mark.parametrize("kind", ["bad_json", "throttle", "html", "http_502"])
def test_a_broken_answer_is_recorded_too(kind: str, patient: Patient) -> None:
    patient.emulator.fault(kind, api="wedata.task")
    [read] = record(patient, APIS["wedata.task"], "77777").of("read")
    assert read["error"]["http_status"]


def test_the_recording_is_printed_without_a_file(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    patient.emulator.add_finished("lke.task", "77777")
    arguments = ["--bot-biz-id", "b", "--task-type", "ExportAttributeLabel"]
    assert main(["record", "--conn-id", "patient", "--api", "lke.task", "--id", "77777", *arguments]) == 0
    written = json.loads(capsys.readouterr().out)
    assert list(written) == ["format", "api", "version", "task", "calls"]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--api", "lke.task"], 2, "lke.task needs --task-type and --bot-biz-id."),
        (["--api", "lke.nothing"], 2, "Unknown api 'lke.nothing'"),
        (["--api", "wedata.task", "--project-id", "1", "--conn-id", "elsewhere"], 1, "cannot be used: its type is"),
        (["--api", "wedata.task", "--project-id", "1", "--id", " "], 2, "is no id"),
        (["--api", "wedata.task", "--project-id", "1", "--conn-id", "unreached"], 1, "the connection failed"),
        (["--api", "wedata.task", "--project-id", "1", "--output", "/no/such/folder/file"], 1, "/no/such/folder/file"),
    ],
)
def test_what_cannot_be_recorded_is_said(
    arguments: list[str], code: int, text: str, patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.environment(AIRFLOW_CONN_ELSEWHERE='{"conn_type": "http"}')
    patient.connect(host=f"http://{closed_port()}", extra={"max_tries": 1})
    patient.environment(AIRFLOW_CONN_UNREACHED=json.dumps(patient.connection))
    patient.connect()
    assert main(["record", "--conn-id", "patient", "--id", "1", *arguments]) == code
    assert text in capsys.readouterr().err
