"""An emulator on http and https at once, with its certificates, as fixtures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from certificates import Certificates, make_certificates

from airflow_cloudtasks.emulator import Emulator


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def running_tls_emulator(certificates: Certificates) -> Iterator[Emulator]:
    with Emulator(tls_cert=certificates.cert, tls_key=certificates.key, tls_port=0) as emulator:
        yield emulator


@pytest.fixture
def tls_emulator(running_tls_emulator: Emulator) -> Iterator[Emulator]:
    """The emulator, without what earlier tests left in it."""
    running_tls_emulator.reset()
    yield running_tls_emulator
    running_tls_emulator.reset()
