"""A watcher in a real `airflow standalone`: each end makes exactly one DAG run, over a kill of the triggerer."""

from __future__ import annotations

import json

import pytest
from airflow.models.dagrun import DagRun
from ended_cases import API, CONNECTION, DAG_ID, killed_note
from scheduler import Scheduler
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from standalone import Standalone

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2


@pytest.mark.skipif(IS_AIRFLOW_2, reason="Airflow 2 has no event triggers")
def test_each_end_makes_one_run_over_a_kill_between_storing_and_acknowledging(
    standalone: Standalone, request: pytest.FixtureRequest
) -> None:
    ends = [f"end-{number:03}" for number in range(request.config.getoption("--ends"))]
    note = killed_note(standalone.home)

    def is_there(count: int) -> bool:
        return len(consumed(standalone)) >= count

    with Emulator() as clouds:
        connect(standalone, clouds, CONNECTION)
        for each in ends:
            clouds.add_task(API, each, script=[{"status": "SUCCESS"}])
        standalone.until(note.exists, "the triggerer is killed")
        standalone.replace_triggerer()
        standalone.until(lambda: is_there(len(ends)), "each end has made a run")
        # Another event would make another run within a second.
        standalone.sleep(5)
        runs = consumed(standalone)
        assert sorted(runs) == [[each] for each in ends], json.dumps(runs)


def consumed(standalone: Standalone, dag_id: str = DAG_ID) -> list[list[str]]:
    """Return the ids of the tasks whose ends each run of the DAG was made of."""
    with Session(create_engine(standalone.database)) as session:
        runs = session.query(DagRun).filter_by(dag_id=dag_id).all()
        return [[event.extra["payload"]["id"] for event in run.consumed_asset_events] for run in runs]


@pytest.mark.skipif(IS_AIRFLOW_2, reason="Airflow 2 has no event triggers")
def test_the_example_reports_on_the_runs_of_its_workflow(standalone: Standalone) -> None:
    project, workflow = "1460947878944567296", "7d0f2a52-9a0b-4d53-8a6e-0c1d2e3f4a5b"
    with Emulator() as clouds:
        connect(standalone, clouds, "wedata")
        for task_id, of in (("other", "another-workflow"), ("ours", workflow)):
            fields = {"ProjectId": project, "WorkflowId": of}
            clouds.add_task(API, task_id, script=[{"status": "FAILED"}], fields=fields)
        dag_id = "report_after_wedata"
        standalone.until(lambda: bool(consumed(standalone, dag_id)), "the example runs")
        (run_id,) = run_ids(standalone, dag_id)
        scheduler = Scheduler(standalone, dag_id, run_id)
        scheduler.until_the_run_succeeds()
        (line,) = scheduler.result("report")
        assert line.startswith("ours failed at 20")
        assert consumed(standalone, dag_id) == [["ours"]]


def connect(standalone: Standalone, clouds: Emulator, conn_id: str) -> None:
    """Add a connection to the emulator, and wait until a watcher uses it; before, it has found none."""
    uri = clouds.connections()["AIRFLOW_CONN_TENCENT_DEFAULT"]
    standalone.command("connections", "add", conn_id, "--conn-json", uri)
    standalone.until(lambda: bool(clouds.requests()), f"the watcher with connection {conn_id} reads the list")


def run_ids(standalone: Standalone, dag_id: str) -> list[str]:
    """Return the ids of the runs of a DAG."""
    with Session(create_engine(standalone.database)) as session:
        return [run.run_id for run in session.query(DagRun).filter_by(dag_id=dag_id)]
