"""A machine with a connection to the emulator that works until a test breaks it, and what the doctor says of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from certificates import Certificates

from airflow_cloudtasks.commands.main import main
from airflow_cloudtasks.emulator import Emulator

SECRETS = ("emulator-secret", "old-token", "proxy-password", "the-external-id")


@dataclass
class Patient:
    """A machine with a connection to the emulator that works until a test breaks it."""

    emulator: Emulator
    certificates: Certificates
    monkeypatch: pytest.MonkeyPatch
    home: Path
    connection: dict[str, Any] = field(default_factory=dict)

    def connect(self, cloud: str = "tencent", *, extra: dict[str, Any] | None = None, **changes: Any) -> None:
        """Change the connection; None removes a field."""
        first = {
            "conn_type": f"cloudtasks_{cloud}",
            "login": "emulator-id",
            "password": "emulator-secret",
            "host": self.emulator.url,
        }
        usual = {
            "region": {"alibaba": "cn-shanghai", "tencent": "ap-guangzhou"}[cloud],
            "connect_timeout": 20,
            "read_timeout": 20,
        }
        self.connection = _without_none({**first, **changes, "extra": _without_none({**usual, **(extra or {})})})
        self.monkeypatch.setenv("AIRFLOW_CONN_PATIENT", json.dumps(self.connection))

    def environment(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class Examined:
    """What the doctor has said, in both forms."""

    code: int
    report: dict[str, Any]
    table: str

    def lines(self, outcome: str) -> list[dict[str, Any]]:
        return [
            {**line, "section": section["title"], "kind": section["kind"]}
            for section in self.report["sections"]
            for line in section["lines"]
            if line["outcome"] == outcome
        ]

    def line(self, name: str, kind: str | None = None) -> dict[str, Any]:
        """The first line of a name."""
        return next(
            line
            for section in self.report["sections"]
            for line in section["lines"]
            if line["name"] == name and kind in (None, section["kind"])
        )


def examine(capsys: pytest.CaptureFixture[str], *arguments: str) -> Examined:
    """Run ``check`` twice, for the JSON object and for the table."""
    command = ["check", "--conn-id", "patient", *arguments]
    code = main([*command, "--json"])
    report = json.loads(capsys.readouterr().out)
    assert main(command) == code
    table = capsys.readouterr().out
    for secret in SECRETS:
        assert secret not in json.dumps(report) + table
    assert report["ok"] is (code == 0)
    return Examined(code, report, table)
