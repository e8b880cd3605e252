"""`airflow dags test` with the same date again: Airflow deletes the run and makes another row with the same run_id."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from running import returned, run_dag

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

DATE = datetime(2026, 1, 1, tzinfo=UTC)
API = "wedata.workflow_run"


@pytest.mark.usefixtures("airflow_home")
def test_another_run_of_the_same_date_is_another_start(emulator: Emulator) -> None:
    if IS_AIRFLOW_2:
        # Airflow's command has imported it when it deletes a run.
        import airflow.providers.fab.auth_manager.models  # noqa: F401
    for number in (1, 2):
        assert run_dag("one_start", logical_date=DATE) == {"start": "success"}
        started = emulator.started(API)
        assert len(started) == number
        assert returned("one_start")["start"]["id"] == started[-1]["id"]
