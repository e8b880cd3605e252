"""Each operator that has a product's own module, in a real `airflow standalone`: from its worker through the triggerer.

One run of one DAG. How operators fail, are killed and outlive a restart is the same for all: test_starts.py has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from faces_cases import CASES, Case
from scheduler import Scheduler
from standalone import Standalone
from statsd_listener import StatsdListener

from airflow_cloudtasks import operators
from airflow_cloudtasks.emulator import Emulator

# The emulator's tasks run until the test advances its clock.
RUNNING_SECONDS = 1_000_000
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.task_id)


@dataclass(frozen=True)
class Run:
    """What became of the DAG, and the tasks that it started."""

    states: dict[str, str]
    xcoms: dict[str, dict[str, Any]]
    started: list[dict[str, Any]]

    def start(self, case: Case) -> dict[str, Any]:
        """Return the only start of a case's request."""
        [found] = [
            each for each in self.started if each["api"] == case.api and case.sent.items() <= each["parameters"].items()
        ]
        return found


@pytest.fixture(scope="module")
def run(standalone: Standalone, scheduled_clouds: Emulator) -> Run:
    """One run, for all the tests."""
    clouds = scheduled_clouds
    for case in CASES:
        clouds.next_running(case.api, RUNNING_SECONDS, case.end, fields=case.fields, for_all=True)
    scheduler = Scheduler(standalone, "faces")
    scheduler.run()
    scheduler.until(lambda: set(scheduler.states().values()) == {"deferred"}, "all wait in the triggerer")
    clouds.advance(RUNNING_SECONDS)
    scheduler.until_the_run_succeeds()
    return Run(scheduler.states(), scheduler.xcoms(), clouds.started())


@each_case
def test_starts_the_task_once_waits_and_returns_it(run: Run, case: Case) -> None:
    start, parts = run.start(case), run.xcoms[case.task_id]
    result = parts["return_value"]
    [task] = result if isinstance(result, list) else [result]
    assert run.states[case.task_id] == "success"
    assert (task["api"], task["id"], task["state"]) == (case.api, start["id"], "succeeded")
    assert case.outputs.items() <= parts.items()
    assert case.outputs.items() <= task.items()


def test_workers_count_the_starts_and_triggerers_the_polls(run: Run, statsd_of_standalone: StatsdListener) -> None:
    for case in CASES:
        counts = [line.split(",")[0] for line in statsd_of_standalone.lines]
        assert f"airflow.cloudtasks.starts.{case.api}.started" in counts
        assert f"airflow.cloudtasks.polls.{case.api}" in counts
        assert f"airflow.cloudtasks.ended.{case.api}.succeeded" in counts


def test_every_operator_of_a_product_s_own_module_is_tried() -> None:
    others = {"alibaba", "cloud_task", "start_cloud_task", "tencent"}
    names = {file.name for file in iter_modules(operators.__path__) if not file.name.startswith("_")} - others
    modules = [import_module(f"{operators.__name__}.{name}") for name in names]
    own = {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and found.__module__ == module.__name__
    }
    assert own == {case.operator for case in CASES}
