"""Where the doctor finds connections, and the same commands in Airflow's own command line."""

from __future__ import annotations

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


def test_a_variable_that_airflow_cannot_read_is_named_although_the_database_fails(
    patient: Patient, tmp_path: Path
) -> None:
    patient.environment(AIRFLOW_CONN_PATIENT='{"conn_type": "cloudtasks_tencent", "password": emulator-secret}')
    ended = run(["airflow_cloudtasks", "check", "--conn-id", "patient", "--json"], tmp_path / "airflow")
    [line] = json.loads(ended.stdout)["sections"][0]["lines"]
    assert "it is unknown whether there is such a connection" in line["text"]
    assert "AIRFLOW_CONN_PATIENT holds no Airflow connection: it is not valid JSON" in line["text"]
    assert "emulator-secret" not in ended.stdout + ended.stderr


def run(arguments: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": ""}
    environ = {name: value for name, value in environ.items() if value and name != "_AIRFLOW_PROCESS_CONTEXT"}
    return subprocess.run([sys.executable, "-m", *arguments], env=environ, capture_output=True, text=True, check=False)


def test_the_process_prints_json_and_nothing_else(patient: Patient, tmp_path: Path) -> None:
    ended = run(["airflow_cloudtasks", "check", "--conn-id", "patient", "--api", "wedata.task", "--json"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["ok"]


def test_a_database_that_cannot_be_read_is_told_from_a_connection_that_is_missing(tmp_path: Path) -> None:
    """By Airflow's own command line, where it takes commands of providers."""
    command = ["airflow", "cloudtasks"] if AIRFLOW_COMMAND else ["airflow_cloudtasks"]
    ended = run([*command, "check", "--conn-id", "nobody"], tmp_path)
    assert ended.returncode == 1, ended.stderr
    words = " ".join(ended.stdout.split())
    assert "it is unknown whether there is such a connection: a look-up failed (OperationalError" in words
    assert "run `airflow db check`" in words


def test_airflow_lists_the_catalog_where_it_takes_commands_of_providers(tmp_path: Path) -> None:
    command = ["airflow", "cloudtasks"] if AIRFLOW_COMMAND else ["airflow_cloudtasks"]
    ended = run([*command, "catalog", "--json", "--cloud", "tencent", "lke.task"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    [api] = json.loads(ended.stdout[ended.stdout.index("[\n") :])
    assert api["api"] == "lke.task"


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
