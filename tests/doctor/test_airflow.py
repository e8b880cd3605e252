"""Where the doctor finds connections, and the same commands in Airflow's own command line."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patients import Patient, examine

from airflow_cloudtasks.commands.main import main
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

# Airflow takes commands of providers since this version.
AIRFLOW_COMMAND = AIRFLOW_VERSION >= (3, 2)


@pytest.fixture
def stored(airflow_home: Path, patient: Patient) -> Iterator[Patient]:
    """A connection in Airflow's database alone."""
    from airflow.models import Connection
    from airflow.utils.session import create_session

    patient.monkeypatch.delenv("AIRFLOW_CONN_PATIENT")
    values = {**patient.connection, "extra": json.dumps(patient.connection["extra"])}
    with create_session() as session:
        session.add(Connection(conn_id="patient", **values))
    yield patient
    with create_session() as session:
        session.query(Connection).filter(Connection.conn_id == "patient").delete()


def test_finds_a_connection_in_airflows_database(stored: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    assert examine(capsys, "--api", "wedata.task", "--project-id", "5").code == 0


def test_an_unknown_connection_is_a_red_line_that_says_how_to_add_one(
    airflow_home: Path, patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--conn-id", "nobody", "--api", "ice.workflow_task", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    line = report["sections"][0]["lines"][0]
    assert (line["outcome"], line["text"]) == ("failed", "there is no Airflow connection 'nobody'")
    assert "airflow connections add nobody --conn-type cloudtasks_alibaba" in line["mend"]
    assert "AIRFLOW_CONN_NOBODY" in line["mend"]
    assert {line["outcome"] for line in report["sections"][1]["lines"]} == {"not tried"}


def test_a_variable_that_airflow_cannot_read_is_a_red_line(
    airflow_home: Path, patient: Patient, capsys: pytest.CaptureFixture[str]
) -> None:
    patient.environment(AIRFLOW_CONN_PATIENT='{"conn_type": "cloudtasks_tencent", "password": emulator-secret}')
    examined = examine(capsys, "--api", "wedata.task")
    assert examined.code == 1
    assert (
        "AIRFLOW_CONN_PATIENT holds no Airflow connection: it is not valid JSON" in examined.line("connection")["text"]
    )


def run(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ""}
    environ = {name: value for name, value in environ.items() if value and name != "_AIRFLOW_PROCESS_CONTEXT"}
    return subprocess.run([sys.executable, "-m", *arguments], env=environ, capture_output=True, text=True, check=False)


def test_the_process_prints_json_and_nothing_else(patient: Patient, tmp_path: Path) -> None:
    ended = run(["airflow_cloudtasks", "check", "--conn-id", "patient", "--api", "wedata.task", "--json"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["ok"]


def test_a_database_that_cannot_be_read_is_told_from_a_connection_that_is_missing(
    patient: Patient, tmp_path: Path
) -> None:
    """By Airflow's own command line, where it takes commands of providers. It names a variable with an error, too."""
    patient.environment(AIRFLOW_CONN_PATIENT='{"conn_type": "cloudtasks_tencent", "password": emulator-secret}')
    command = ["airflow", "cloudtasks"] if AIRFLOW_COMMAND else ["airflow_cloudtasks"]
    ended = run([*command, "check", "--conn-id", "patient", "--json"], tmp_path)
    assert ended.returncode == 1, ended.stderr
    [line] = json.loads(ended.stdout[ended.stdout.index("{\n") :])["sections"][0]["lines"]
    assert "it is unknown whether there is such a connection: a look-up failed (OperationalError" in line["text"]
    assert "AIRFLOW_CONN_PATIENT holds no Airflow connection: it is not valid JSON" in line["text"]
    assert "run `airflow db check`" in line["mend"]
    assert "emulator-secret" not in ended.stdout + ended.stderr


@pytest.mark.skipif(not AIRFLOW_COMMAND, reason="this Airflow takes no commands of providers")
def test_a_command_of_airflow_prints_and_ends_as_the_same_one_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.cli import cli_parser

    for arguments, code in ((["catalog", "--json", "--cloud", "tencent", "lke.task"], 0), (["catalog", "nothing"], 1)):
        monkeypatch.setattr(sys, "argv", ["airflow", "cloudtasks", *arguments])
        # Airflow asks for the commands when its parser is imported.
        given = importlib.reload(cli_parser).get_parser().parse_args(sys.argv[1:])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            given.func(given)
        assert (ended.value.code, main(arguments)) == (code, code)
        printed = capsys.readouterr().out
        assert printed[: len(printed) // 2] * 2 == printed
        assert ('"api": "lke.task"' in printed) is (code == 0)


def test_airflow_has_the_commands_where_it_takes_those_of_providers() -> None:
    from airflow.providers_manager import ProvidersManager

    found = getattr(ProvidersManager(), "cli_command_functions", ())
    own = [each for each in found if each.__module__ == "airflow_cloudtasks.commands.airflow_command"]
    assert len(own) == AIRFLOW_COMMAND


def test_other_commands_of_airflow_import_no_more_than_one_module() -> None:
    source = (
        "import sys, airflow_cloudtasks.commands.airflow_command as it\n"
        "print(*sorted(name for name in sys.modules if name.startswith('airflow')))"
    )
    ended = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == [
        "airflow_cloudtasks",
        "airflow_cloudtasks.commands",
        "airflow_cloudtasks.commands.airflow_command",
    ]
