"""Waits that reach a limit of their try, in a real `airflow standalone`: they end alike in every mode, and cancel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from limits_cases import OPERATORS, PROJECT, SENSORS, STAGE_SECONDS, TWO_STAGES, Case
from scheduler import Scheduler
from standalone import Standalone

from airflow_cloudtasks.emulator import Emulator

CASES = [*SENSORS, *OPERATORS, *TWO_STAGES]


@dataclass(frozen=True)
class Run:
    """What became of the DAG, and of what it started."""

    states: dict[str, str]
    tries: dict[str, int]
    logs: dict[str, str]
    started: list[dict[str, Any]]
    ended_by_cancellation: list[str]


@pytest.fixture(scope="module")
def run(standalone: Standalone, scheduled_clouds: Emulator) -> Run:
    """One run, for all the tests."""
    clouds = scheduled_clouds
    for case in SENSORS:
        clouds.add_running("bdrc.task", case.name)
    for case in TWO_STAGES:
        key = f"{case.name}_2026-01-02 00:00:00"
        clouds.add_finished("wedata.task_instance", key, "failed", fields={"ProjectId": PROJECT})
    clouds.next_running("wedata.workflow_run", for_all=True)
    clouds.next_running("wedata.async_job", STAGE_SECONDS, for_all=True)
    clouds.next_running("wedata.task_instance", for_all=True)
    scheduler = Scheduler(standalone, "limits")
    scheduler.run()
    scheduler.until_the_run_ends()
    return Run(
        scheduler.states(),
        scheduler.tries(),
        {case.name: scheduler.log(case.name) for case in CASES},
        clouds.started(),
        [each["id"] for each in clouds.canceled() if each["ended"]],
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_limit_ends_the_try_with_the_error_that_airflow_retries_or_not(run: Run, case: Case) -> None:
    log = run.logs[case.name]
    assert run.states[case.name] == "failed", log
    assert case.error in log
    assert run.tries[case.name] == case.tries, log


@pytest.mark.parametrize("case", OPERATORS, ids=lambda case: case.name)
def test_a_limit_cancels_what_the_tries_started(run: Run, case: Case) -> None:
    runs = [each["id"] for each in run.started if each["parameters"].get("WorkflowId") == case.name]
    # On a loaded machine, a try may be over before it has started anything.
    assert 1 <= len(runs) <= case.tries
    assert sorted(each for each in run.ended_by_cancellation if each in runs) == sorted(runs), run.logs[case.name]


@pytest.mark.parametrize("case", TWO_STAGES, ids=lambda case: case.name)
def test_stages_share_one_limit_and_the_last_one_is_canceled(run: Run, case: Case) -> None:
    assert f"{case.name}_2026-01-02 00:00:00" in run.ended_by_cancellation, run.logs[case.name]
