"""From the scheduler through the triggerer to success: `airflow standalone`, started and stopped by the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import returned
from scheduler import Scheduler, running_scheduler

DAG_ID = "five_deferrable"
# The emulator's tasks end this long after they were made: while Airflow starts up, they are all still running.
RUNNING_SECONDS = 1_000_000


@pytest.fixture
def scheduler(airflow_home: Path, emulator: Any, tmp_path: Path) -> Iterator[Scheduler]:
    with running_scheduler(DAG_ID, [airflow_home / "dags" / f"{DAG_ID}.py"], tmp_path) as running:
        yield running


def test_five_deferrable_sensors_go_from_the_scheduler_through_the_triggerer_to_success(
    scheduler: Scheduler, emulator: Any, airflow_home: Path
) -> None:
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

    scheduler.run()
    scheduler.until(lambda: [*scheduler.states().values()] == ["deferred"] * 5, "all five wait in the triggerer")
    own = {name: {name} for name in scheduler.states()}
    scheduler.until(lambda: told_by_triggers(airflow_home) == own, "each trigger logs to the log of its own task", 60)
    emulator.advance(RUNNING_SECONDS)

    scheduler.until_the_run_succeeds()
    results = returned(DAG_ID)
    assert sorted(task["api"] for task in results.values()) == sorted(ends)
    assert all(task["ok"] and task["state"] == "succeeded" for task in results.values())
    assert all(task["status"].strip() == ends[task["api"]][2] for task in results.values())


def told_by_triggers(airflow_home: Path) -> dict[str, set[str]]:
    """Of which products the log of each Airflow task speaks, as far as its trigger wrote it."""
    logs = (airflow_home / "logs" / f"dag_id={DAG_ID}").rglob("*.trigger.*.log")
    told = re.compile(r"(\w+)\.\w+ \S+ (?:\(\w+\) )?is (?:running|pending)")
    return {log.parent.name.removeprefix("task_id="): set(told.findall(log.read_text())) for log in logs}
