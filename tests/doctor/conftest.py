"""What the tests of the doctor share: the emulator over http and https, and one connection to it that a test breaks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import pytest

from airflow_cloudtasks.clouds.credentials import shared
from airflow_cloudtasks.doctor.command import main
from airflow_cloudtasks.emulator import Emulator

for folder in (Path(__file__).parent, Path(__file__).parent.parent / "emulator"):
    sys.path.append(str(folder))

from certificates import Certificates, make_certificates  # noqa: E402 - its folder is no package

SECRETS = ("emulator-secret", "old-token", "proxy-password", "the-external-id")
LEADING_ASTRAY = (
    *("ALIBABA_CLOUD_", "ALICLOUD_", "TENCENTCLOUD_", "TKE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_COLOR"),
)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def _running(certificates: Certificates) -> Iterator[Emulator]:
    with Emulator(tls_cert=certificates.cert, tls_key=certificates.key, tls_port=0) as emulator:
        yield emulator


@pytest.fixture
def emulator(_running: Emulator) -> Iterator[Emulator]:
    _running.reset()
    yield _running
    _running.reset()


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
            "connect_timeout": 1,
            "read_timeout": 1,
        }
        self.connection = _without_none({**first, **changes, "extra": _without_none({**usual, **(extra or {})})})
        self.monkeypatch.setenv("AIRFLOW_CONN_PATIENT", json.dumps(self.connection))

    def environment(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


@pytest.fixture
def patient(emulator: Emulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Patient:
    for name in os.environ:
        if name.upper().startswith(LEADING_ASTRAY):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(shared, "_shared", WeakValueDictionary())
    sick = Patient(emulator, certificates, monkeypatch, tmp_path)
    sick.connect()
    return sick


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
