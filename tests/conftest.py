"""A fresh Airflow home for the whole run, set up before anything imports Airflow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOME = Path(tempfile.mkdtemp(prefix="cloudtasks-airflow-"))

os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__PARALLELISM": "8",
    # Airflow 2.11 warns of its own defaults otherwise.
    "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": "True",
    # `airflow standalone` starts its parts by the command's name.
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


@pytest.fixture(scope="session")
def airflow_home() -> Path:
    """An Airflow home with a database, and a DAG folder with the examples and the tests' own DAGs."""
    for folder in (ROOT / "example_dags", ROOT / "tests" / "integration" / "dags"):
        shutil.copytree(folder, HOME / "dags", dirs_exist_ok=True)
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True)
    return HOME


def pytest_sessionfinish() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
