"""Templated times name the right day in a DAG whose time zone is not UTC, in real Airflow against the emulator."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from running import returned, run_dag

from airflow_cloudtasks.emulator import Emulator

TASK = "20250714200130106"
# Midnight in Shanghai. The day in UTC, Airflow's {{ ds }}, is the 30th.
MIDNIGHT = datetime(2026, 1, 30, 16, tzinfo=UTC)


@pytest.fixture
def cloud(airflow_home, emulator: Emulator) -> Emulator:
    emulator.reset()
    return emulator


def test_templates_name_the_local_day(cloud: Emulator) -> None:
    for day in ("2026-01-30", "2026-01-31"):
        cloud.add_finished("wedata.task_instance", f"{TASK}_{day} 00:00:00", fields={"ProjectId": "p1"})
    cloud.add_finished("wedata.workflow_run", "r1", fields={"ProjectId": "p1", "WorkflowId": "w1"})
    cloud.next_running("wedata.backfill", 0)
    assert set(run_dag("local_days", logical_date=MIDNIGHT).values()) == {"success"}
    results = returned("local_days")
    ids = {name: results[name]["id"].partition("_")[2] for name in ("by_interval", "by_local_day", "by_utc_day")}
    assert ids == {
        "by_interval": "2026-01-31 00:00:00",
        "by_local_day": "2026-01-31 00:00:00",
        "by_utc_day": "2026-01-30 00:00:00",
    }
    assert results["since"]["id"] == "r1"
    assert [task["id"] for task in results["rerun"]] == [f"{TASK}_2026-01-31 00:00:00"]
    (backfill,) = [start for start in cloud.started() if start["api"] == "wedata.backfill"]
    assert backfill["parameters"]["DataBackfillRangeList"] == [{"StartDate": "2026-01-31", "EndDate": "2026-01-31"}]
