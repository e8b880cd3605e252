"""From the scheduler through the triggerer to success: `airflow standalone`, started and stopped by the test."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from airflow import __version__ as airflow_version
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from running import returned
from standalone import running_standalone

DAG_ID = "five_deferrable"
# The emulator's tasks end this long after they were made: while Airflow starts up, they are all still running.
RUNNING_SECONDS = 1_000_000


@pytest.fixture
def standalone(airflow_home: Path, emulator: Any, tmp_path: Path) -> Iterator[Path]:
    """A running `airflow standalone`; gives its log."""
    log = tmp_path / "standalone.log"
    dags = tmp_path / "dags"
    dags.mkdir()
    shutil.copy(airflow_home / "dags" / f"{DAG_ID}.py", dags)
    with running_standalone(log, {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}) as address:
        # A task that starts before there is an API server to talk to fails.
        health = f"{address}{'/health' if airflow_version.startswith('2.') else '/api/v2/monitor/health'}"
        _until(lambda: _answers(health), log, "its API server answers")
        yield log


def test_five_deferrable_sensors_go_from_the_scheduler_through_the_triggerer_to_success(standalone, emulator) -> None:
    ends = {
        "bpstudio.task": ("five-1", "BINDING", "FINISH", {"ErrorMessage": ""}),
        "bdrc.task": ("five-2", "RUNNING", "COMPLETE", {}),
        "ice.workflow_task": ("five-3", "Processing", "Succeed", {}),
        "wedata.task": ("five-4", "N", "Y", {}),
        "lke.task": ("five-5", "RUNNING", "SUCCESS", {}),
    }
    for api, (task_id, running, done, fields) in ends.items():
        script = [{"status": running, "seconds": RUNNING_SECONDS}, {"status": done}]
        emulator.add_task(api, task_id, script=script, fields=fields)

    _until(lambda: _known(DAG_ID), standalone, "the DAG is parsed")
    subprocess.run([sys.executable, "-m", "airflow", "dags", "trigger", DAG_ID], check=True, capture_output=True)
    _until(lambda: _states() == ["deferred"] * 5, standalone, "all five wait in the triggerer")
    emulator.advance(RUNNING_SECONDS)
    _until(lambda: _run_state() in ("success", "failed"), standalone, "the DAG run ends")

    assert _run_state() == "success"
    results = returned(DAG_ID)
    assert sorted(task["api"] for task in results.values()) == sorted(ends)
    assert all(task["ok"] and task["state"] == "succeeded" for task in results.values())
    assert all(task["status"].strip() == ends[task["api"]][2] for task in results.values())


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=10):
            return True
    except OSError:
        return False


def _known(dag_id: str) -> bool:
    with create_session() as session:
        return session.query(DagModel).filter_by(dag_id=dag_id).count() > 0


def _states() -> list[str]:
    with create_session() as session:
        return [str(task.state) for task in session.query(TaskInstance).filter_by(dag_id=DAG_ID)]


def _run_state() -> str:
    with create_session() as session:
        return str(session.query(DagRun).filter_by(dag_id=DAG_ID).one().state)


def _until(true: Callable[[], bool], log: Path, what: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, (
            f"Airflow {airflow_version}: not within {seconds} s: {what}. Its tasks: {_states()}. The end of its log:\n"
            f"{log.read_text()[-4000:]}"
        )
        time.sleep(0.5)
