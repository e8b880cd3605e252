"""What the tests of the doctor share: the emulator over http and https, and a connection to it that a test breaks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from weakref import WeakValueDictionary

import pytest

from airflow_cloudtasks.clouds.credentials import shared
from airflow_cloudtasks.emulator import Emulator

for folder in (Path(__file__).parent, Path(__file__).parent.parent / "emulator"):
    sys.path.append(str(folder))

from certificates import Certificates  # noqa: E402 - its folder is no package
from patients import Patient  # noqa: E402 - the same

LEADING_ASTRAY = (
    *("ALIBABA_CLOUD_", "ALICLOUD_", "TENCENTCLOUD_", "TKE_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NO_COLOR"),
)


@pytest.fixture
def emulator(tls_emulator: Emulator) -> Emulator:
    return tls_emulator


@pytest.fixture
def patient(emulator: Emulator, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Patient:
    for name in os.environ:
        if name.upper().startswith(LEADING_ASTRAY):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    # The doctor sets it for its own process.
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")
    monkeypatch.setattr(shared, "_shared", WeakValueDictionary())
    sick = Patient(emulator, certificates, monkeypatch, tmp_path)
    sick.connect()
    return sick
