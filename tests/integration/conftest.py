"""What tests in real Airflow need: the emulator, and its connections in the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_cloudtasks.emulator import Emulator

# Airflow's own processes have the DAG folder there.
sys.path.append(str(Path(__file__).parent / "dags"))


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        os.environ |= running.connections()
        os.environ["CLOUDTASKS_EMULATOR"] = running.url
        yield running
