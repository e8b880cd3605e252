"""What the tests of credentials share: the emulator over http and https, and connections of every kind to it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import pytest
from certificates import Certificates

from airflow_cloudtasks.clouds.credentials import shared
from airflow_cloudtasks.emulator import Emulator

sys.path.append(str(Path(__file__).parent))

from kinds import Machine

# The default chains read these; a test must not be led astray by the machine that it runs on.
LEADING_ASTRAY = (
    *(
        "ALIBABA_CLOUD_",
        "ALICLOUD_",
        "TENCENTCLOUD_",
        "TCCLI_",
        "TKE_",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"),
)


@pytest.fixture
def emulator(tls_emulator: Emulator) -> Emulator:
    tls_emulator.add_finished("ice.workflow_task", "t1")
    tls_emulator.add_finished("wedata.task", "t1")
    return tls_emulator


@pytest.fixture(autouse=True)
def plain_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of this machine, and none that another test fetched."""
    for name in os.environ:
        if name.upper().startswith(LEADING_ASTRAY):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(shared, "_shared", WeakValueDictionary())


@pytest.fixture
def machine(emulator: Emulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """The machine that Airflow runs on, with the emulator for its clouds and for its metadata service."""
    token_file = tmp_path / "oidc-token"
    token_file.write_text("the-oidc-token")

    def connect(conn_id: str, connection: dict[str, Any]) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))

    return Machine(emulator, certificates, token_file, connect)
