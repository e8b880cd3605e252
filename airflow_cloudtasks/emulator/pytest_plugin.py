"""The ``cloudtasks_emulator`` fixture, which pytest offers wherever the provider is installed.

pytest imports this module in every run, so it imports nothing heavy before a test uses the fixture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_cloudtasks.emulator import extra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_cloudtasks.emulator.server.emulator import Emulator


@pytest.fixture(scope="session")
def _cloudtasks_emulator_server() -> Iterator[Emulator]:
    try:
        from airflow_cloudtasks.emulator.server.emulator import Emulator
    except ModuleNotFoundError as error:
        if not extra.is_missing(error):
            raise
        pytest.fail(extra.MISSING, pytrace=False)
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def cloudtasks_emulator(_cloudtasks_emulator_server: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Both clouds on localhost, empty for each test, and Airflow's default connections to them.

    ``AIRFLOW_CONN_ALIBABA_DEFAULT`` and ``AIRFLOW_CONN_TENCENT_DEFAULT`` are set during the test.

    Yields:
        The running emulator.
    """
    emulator = _cloudtasks_emulator_server
    emulator.reset()
    for name, value in emulator.connections().items():
        monkeypatch.setenv(name, value)
    yield emulator
    emulator.reset()
