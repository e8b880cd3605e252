"""What ``check`` asks, what it never sends, what it says of permissions, and how it ends."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from patients import Examined, Patient, examine

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.commands.main import main
from airflow_cloudtasks.doctor.options import naming_options
from airflow_cloudtasks.doctor.permissions import needed, permissions

CLOUDS_IDS = {
    cloud: tuple(
        word for name in naming_options(api for api in APIS.values() if api.cloud == cloud) for word in (name, "5")
    )
    for cloud in ("alibaba", "tencent")
}
IDS = CLOUDS_IDS["tencent"]
CLOUDS = {"alibaba": "acs:ram::1000000000000001:user/emulator-id", "tencent": "qcs::cam:100000000001:uin/"}


def permitted(examined: Examined) -> dict[str, str]:
    """The outcome by permission."""
    return {
        line["permission"]: line["outcome"]
        for section in examined.report["sections"]
        for line in section["lines"]
        if line["permission"]
    }


def line_of(examined: Examined, permission: str) -> dict[str, Any]:
    """The line of a permission."""
    sections = examined.report["sections"]
    [line] = [line for section in sections for line in section["lines"] if line["permission"] == permission]
    return line


@pytest.mark.parametrize("cloud", CLOUDS)
def test_asks_what_each_api_needs_and_starts_and_cancels_nothing(
    cloud: str, patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.connect(cloud)
    examined = examine(capsys, *CLOUDS_IDS[cloud])
    assert examined.code == 0
    apis = [api for api in APIS.values() if api.cloud == cloud]
    acting = {
        f"{api.service.name}:{each.action.name}"
        for api in apis
        for each in needed(api)
        if each.use in ("start", "cancel")
    }
    told = permitted(examined)
    assert told == {name: "not tried" if name in acting else "ok" for api in apis for name in permissions(api)}
    assert patient.emulator.started() == patient.emulator.canceled() == []
    assert {entry["action"] for entry in patient.emulator.requests()} & {
        name.partition(":")[2] for name in acting
    } == set()
    assert CLOUDS[cloud] in examined.line("identity")["text"]


def test_asks_each_action_once_although_several_apis_need_it(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--conn-id", "patient", "--json", *IDS]) == 0
    capsys.readouterr()
    asked = [(entry["service"], entry["action"]) for entry in patient.emulator.requests()]
    assert len(asked) == len(set(asked)) > 10


def test_an_api_whose_parameters_are_missing_is_not_asked_about_and_is_not_red(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    examined = examine(capsys)
    assert examined.code == 0
    read = line_of(examined, "lke:GetTaskStatus")
    assert read["outcome"] == "not tried"
    assert "it needs --bot-biz-id" in read["text"]
    assert "GetTaskStatus" not in [entry["action"] for entry in patient.emulator.requests()]


@pytest.mark.parametrize(
    ("cloud", "api", "allowed", "missing"),
    [
        ("tencent", "wedata.workflow_run", ["wedata:List*"], ["wedata:GetTriggerWorkflowRun"]),
        ("tencent", "wedata.workflow_run", [], ["wedata:GetTriggerWorkflowRun", "wedata:ListTriggerWorkflowRuns"]),
        ("alibaba", "ice.workflow_task", ["ice:GetWorkflowTask"], ["ice:ListWorkflowTasks"]),
        ("alibaba", "bdrc.task", ["ice:*"], ["bdrc:DescribeTask", "bdrc:DescribeTasks"]),
    ],
)
def test_the_policy_grants_what_is_missing_and_no_more(
    cloud: str, api: str, allowed: list[str], missing: list[str], patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.emulator.add_key("emulator-id", "emulator-secret", actions=allowed)
    patient.connect(cloud)
    ids = ("--project-id", "5") if cloud == "tencent" else ()
    examined = examine(capsys, "--api", api, *ids)
    assert {name for name, outcome in permitted(examined).items() if outcome == "failed"} == set(missing)
    [policy] = examined.report["policies"]
    assert CLOUDS[cloud] in policy["attach_to"]
    document = policy["document"]
    assert json.dumps(document, indent=2) in examined.table
    [statement] = document["Statement" if cloud == "alibaba" else "statement"]
    granted = statement["Action" if cloud == "alibaba" else "action"]
    assert granted == missing
    # It mends what is missing.
    patient.emulator.add_key("emulator-id", "emulator-secret", actions=[*allowed, *granted])
    assert examine(capsys, "--api", api, *ids).code == 0


def test_a_key_that_may_not_assume_its_role_gets_the_policy_for_it(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    role = "qcs::cam::uin/100015158414:roleName/airflow"
    patient.emulator.add_key("emulator-id", "emulator-secret", actions=["wedata:*"])
    patient.connect(extra={"auth_type": "role_arn", "role_arn": role})
    [policy] = examine(capsys).report["policies"]
    assert policy["document"]["statement"] == [{"effect": "allow", "action": ["sts:AssumeRole"], "resource": [role]}]


def test_a_product_that_cannot_be_reached_does_not_keep_the_others_from_being_asked(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.connect(host=None, extra={"endpoints": dict.fromkeys(("sts", "wedata"), patient.emulator.url)})
    look_up = socket.getaddrinfo

    def look_up_here(host: str, *args: Any, **more: Any) -> Any:
        if host.endswith(".com"):  # a real look-up of each host would take seconds to fail
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *args, **more)

    patient.monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    examined = examine(capsys, *IDS)
    assert examined.code == 1
    told = permitted(examined)
    assert told["wedata:GetTask"] == "ok"
    assert told["lke:GetTaskStatus"] == "not tried"
    assert "because DNS to lke.tencentcloudapi.com failed" in line_of(examined, "lke:GetTaskStatus")["text"]


def test_each_setting_is_shown_with_its_source_and_without_secrets(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    examined = examine(capsys, "--api", "wedata.task")
    assert examined.line("region")["text"] == "ap-guangzhou (Extra)"
    assert examined.line("secret_id")["text"] == "emulator-id (Login)"
    assert examined.line("secret_key")["text"] == "*** (Password)"


def test_a_route_through_a_proxy_is_shown_with_its_source(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    patient.environment(HTTP_PROXY=patient.emulator.url.replace("//", "//user:proxy-password@"))
    assert examine(capsys).line("proxy")["text"] == f"{patient.emulator.url}, from HTTP_PROXY"
    patient.environment(NO_PROXY="127.0.0.1")
    assert examine(capsys).line("proxy")["text"] == "none: NO_PROXY lists 127.0.0.1"


def test_the_path_over_tls_is_walked_to_its_end(patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    patient.connect(host=patient.emulator.tls_url, extra={"ca_bundle": patient.certificates.ca})
    examined = examine(capsys, "--api", "wedata.task", "--project-id", "5")
    assert examined.code == 0
    network = [section["lines"] for section in examined.report["sections"] if section["kind"] == "network"]
    [lines] = network
    assert [line["name"] for line in lines] == ["proxy", "CA", "DNS", "TCP", "TLS", "HTTP"]
    assert "from ca_bundle" in lines[1]["text"]
    assert "issued by Emulator's throw-away CA" in lines[4]["text"]
    assert all(line["milliseconds"] >= 0 for line in lines)


def test_the_default_connection_of_the_apis_cloud_is_examined(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_TENCENT_DEFAULT", json.dumps(patient.connection))
    assert main(["check", "--api", "wedata.task", "--project-id", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["conn_id"] == "tencent_default"


def test_the_region_of_the_command_line_replaces_that_of_the_connection(
    patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.connect(extra={"region": None})
    assert examine(capsys, "--api", "wedata.task", "--project-id", "5", "--region", "ap-nanjing").code == 0
    assert {entry["region"] for entry in patient.emulator.requests()} == {"ap-nanjing"}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "check needs --conn-id, or --api"),
        (["--api", "wedata.nothing"], "Unknown api 'wedata.nothing'. Did you mean wedata."),
        (["--api", "wedata.task", "--bot-biz-id", "1"], "wedata.task takes no BotBizId; it takes --project-id"),
        (["--conn-id", "patient", "--param", "x"], "--param is 'x'; expected NAME=VALUE"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *arguments]) == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["chekc"], ["check", "--nothing"], ["record"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m airflow_cloudtasks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "terminal", "colored"),
    [({}, True, True), ({}, False, False), ({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, True, False)],
)
def test_colors_are_for_terminals_that_want_them(
    variables: dict[str, str],
    terminal: bool,
    colored: bool,
    patient: Patient,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    patient.environment(TERM="xterm")
    patient.environment(**variables)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    main(["check", "--conn-id", "patient", "--api", "wedata.task"])
    assert ("\x1b[" in capsys.readouterr().out) is colored


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_into_the_terminal(columns: int, patient: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    patient.environment(COLUMNS=str(columns))
    patient.connect(password="wrong", extra={"role_session_name": "x" * 200})
    table = examine(capsys, *IDS).table
    assert max(map(len, table.splitlines())) <= columns


def test_a_terminal_without_an_encoding_for_a_message_gets_the_rest_of_it(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient.connect(extra={"role_session_name": "每日"})
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["check", "--conn-id", "patient", "--api", "wedata.task"]) == 0
    terminal.flush()
    assert "role_session_name  ?? (Extra)" in terminal.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.fixture
def json_of(patient: Patient, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return examine(capsys, *IDS).report


def test_the_json_object_has_the_documented_members(json_of: dict[str, Any]) -> None:
    assert list(json_of) == ["conn_id", "cloud", "ok", "sections", "policies"]
    kinds = list(dict.fromkeys(section["kind"] for section in json_of["sections"]))
    assert kinds == ["connection", "network", "clock", "caller", "permissions"]
    for section in json_of["sections"]:
        assert list(section) == ["kind", "title", "lines"]
        for line in section["lines"]:
            assert list(line) == ["name", "outcome", "text", "expected", "mend", "milliseconds", "permission"]
            assert line["outcome"] in ("ok", "failed", "unknown", "not tried", "info")


def test_ctrl_c_ends_the_command_without_a_traceback(patient: Patient, capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    patient.monkeypatch.setattr("airflow_cloudtasks.doctor.examination.examine", interrupted)
    assert main(["check", "--conn-id", "patient"]) == 130
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "check.md").read_text()
    assert "ends with 0 if" in page
    assert "with 130 after Ctrl-C" in " ".join(page.split())
    os.write(1, b"standard output is back\n")
    assert capfd.readouterr() == ("standard output is back\n", "")
