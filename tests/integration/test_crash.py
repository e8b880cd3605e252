"""Workers that die by SIGKILL, and answers that are lost, in a real `airflow standalone`: nothing is started twice.

One run of one DAG. The first try of each task writes down its process id and waits. Then the test lets the tasks go on,
one moment after the other, and kills them.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crash_cases import ANSWERED, BETWEEN, CASES, DURING, HANGING, LOST, PROJECT, Case, notes_in
from scheduler import IS_AIRFLOW_2, Scheduler
from standalone import Standalone

from airflow_cloudtasks.emulator import Emulator

DAG_ID = "crash"
# BPStudio forgets an operation an hour after its start.
RUNNING_SECONDS = 1_800
# The tasks of these run until the test ends them.
RUNNING = (
    *("wedata.workflow_run", "wedata.sql_run", "wedata.backfill", "wedata.async_job", "wedata.task_instance"),
    *("ice.workflow_task", "ice.ai_workflow_task"),
    *("bpstudio.task", "bpstudio.operation", "bdrc.task", "lke.task"),
)
# Longer than the test lives.
NEVER = 3600


class Crash:
    """The moments at which workers die, in the order of the test.

    Args:
        scheduler: Airflow.
        emulator: The clouds.
        notes: The folder where the tasks write their process ids and wait for their moments.
    """

    def __init__(self, scheduler: Scheduler, emulator: Emulator, notes: Path) -> None:
        self._scheduler, self._emulator, self._notes = scheduler, emulator, notes

    def until_there(self, *moments: str) -> None:
        """Wait until the first tries of a wave wait for their moments."""
        wave = {case.task_id for case in CASES if case.moment in moments}
        self._until(lambda: wave <= {path.stem for path in self._notes.glob("*.pid")}, f"there are: {moments}")

    def during(self) -> None:
        """Kill the workers whose request is carried out, before the answer."""
        self._emulator.latency(NEVER)
        self._let(DURING)
        self._until(lambda: all(self._starts(case) for case in _of(DURING)), "all requests are carried out")
        self._kill(DURING)
        self._emulator.latency(None)
        self._until_ended(DURING)

    def hanging(self) -> None:
        """Kill the workers whose request is not carried out."""
        for case in _of(HANGING):
            self._emulator.fault("hang", count=1, seconds=NEVER, api=f"{case.api}_{case.strikes}")
        self._let(HANGING)

        def all_hang() -> bool:
            outcomes = [request["outcome"] for request in self._emulator.requests()]
            return outcomes.count("hang") == len(_of(HANGING))

        self._until(all_hang, "all requests hang")
        self._kill(HANGING)
        self._until_ended(HANGING)

    def lost(self) -> None:
        """Lose the answers to requests that are carried out."""
        for case in _of(LOST):
            self._emulator.fault("lost_answer", count=1, api=f"{case.api}_start")
        self._let(LOST)
        self._until_ended(LOST)

    def between(self) -> None:
        """Start the tasks that kill themselves just before they are deferred."""
        self._let_what_is_started_go_on()
        self._let(BETWEEN)
        self._until_tried_again(BETWEEN, "deferred")
        self._until(self._all_deferrals_are_read, "the scheduler has read all deferrals")
        self._emulator.advance(RUNNING_SECONDS)

    def answered(self) -> None:
        """Kill the tasks that wait for what they started."""
        self._let_what_is_started_go_on()
        self._let(ANSWERED)
        self._until(lambda: all(self._is_waited_for(case) for case in _of(ANSWERED)), "all wait")
        self._kill(ANSWERED)
        self._until_tried_again(ANSWERED, "running")
        self._emulator.advance(RUNNING_SECONDS)

    def _let_what_is_started_go_on(self) -> None:
        for api in RUNNING:
            self._emulator.next_running(api, RUNNING_SECONDS, for_all=True)

    def _until_tried_again(self, moment: str, state: str) -> None:
        ids = [case.task_id for case in _of(moment)]

        def all_are() -> bool:
            states, tries = self._scheduler.states(), self._scheduler.tries()
            return all(tries[each] >= 2 and states[each] == state for each in ids)

        self._until(all_are, f"all are {state} again: {moment}")

    def _all_deferrals_are_read(self) -> bool:
        tries = self._scheduler.tries()
        return all(self._scheduler.has_read_the_end_of(case.task_id, tries[case.task_id]) for case in _of(BETWEEN))

    def _starts(self, case: Case) -> list[dict[str, Any]]:
        return starts_of(case, self._emulator.started())

    def _is_waited_for(self, case: Case) -> bool:
        """Whether the operator has read what it started last: its job, if there is one."""
        api = "wedata.async_job" if case.api == "wedata.task_instance" else case.api
        ids = [start["id"] for start in self._starts(case) if start["api"] == api]
        read = [str(value) for request in self._emulator.requests(api) for value in request["parameters"].values()]
        return bool(ids) and ids[0] in read

    def _let(self, moment: str) -> None:
        (self._notes / moment).touch()

    def _kill(self, moment: str) -> None:
        for case in _of(moment):
            os.kill(int((self._notes / f"{case.task_id}.pid").read_text()), signal.SIGKILL)

    def _until_ended(self, moment: str) -> None:
        ids = [case.task_id for case in _of(moment)]

        def all_ended() -> bool:
            states = self._scheduler.states()
            return all(states[each] in ("success", "failed") for each in ids)

        self._until(all_ended, f"those end that were struck: {moment}")

    def _until(self, true: Callable[[], bool], what: str) -> None:
        self._scheduler.until(true, what)


@dataclass(frozen=True)
class Run:
    """What became of the DAG, and what it started."""

    states: dict[str, str]
    tries: dict[str, int]
    returned: dict[str, Any]
    started: list[dict[str, Any]]
    logs: dict[str, str]


@pytest.fixture(scope="module")
def run(standalone: Standalone, scheduled_clouds: Emulator) -> Run:
    """One run, for all the tests."""
    for case in CASES:
        if case.api == "wedata.task_instance":
            (key,) = case.arguments["instance_keys"]
            scheduled_clouds.add_finished(case.api, key, fields={"ProjectId": PROJECT})
    notes = notes_in(standalone.home)
    notes.mkdir()
    scheduler = Scheduler(standalone, DAG_ID)
    scheduler.run()
    crash = Crash(scheduler, scheduled_clouds, notes)
    crash.until_there(DURING, HANGING)
    crash.during()
    crash.hanging()
    crash.until_there(LOST, BETWEEN)
    crash.lost()
    crash.between()
    crash.until_there(ANSWERED)
    crash.answered()
    scheduler.until_the_run_ends()
    return Run(
        scheduler.states(),
        scheduler.tries(),
        scheduler.returned(),
        scheduled_clouds.started(),
        {case.task_id: scheduler.log(case.task_id) for case in CASES},
    )


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.task_id)


@each_case
def test_starts_a_task_once_or_fails_as_unknown(run: Run, case: Case) -> None:
    log = run.logs[case.task_id]
    assert run.states[case.task_id] == ("success" if case.is_known else "failed"), log
    # Airflow 2 may count a worker as dead once more after the next one has begun.
    again = IS_AIRFLOW_2 and case.tries > 1
    assert case.tries <= run.tries[case.task_id] <= case.tries + again, log
    starts = [start for start in starts_of(case, run.started) if start["api"] == case.api]
    assert len(starts) == case.starts
    assert ("Nobody can tell whether" in log) is not case.is_known
    if case.is_known:
        result = run.returned[case.task_id]
        (task,) = result if isinstance(result, list) else [result]
        assert (task["id"], task["ok"]) == (starts[0]["id"], True)


def test_reruns_the_instances_with_one_job(run: Run) -> None:
    jobs = [start for start in run.started if start["api"] == "wedata.async_job"]
    assert len(jobs) == sum(case.name == "rerun" for case in CASES)


def test_executes_a_created_task_once(run: Run) -> None:
    executed = [start["id"] for start in run.started if start["action"] == "ExecuteTask"]
    created = [starts_of(case, run.started)[0]["id"] for case in CASES if case.name == "created" and case.is_known]
    assert executed == created


def starts_of(case: Case, started: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the cloud has started for a case. No other case has the same parameters."""
    return [
        start
        for start in started
        if start["action"] == case.action and case.task_id in json.dumps(start["parameters"], ensure_ascii=False)
    ]


def _of(moment: str) -> list[Case]:
    return [case for case in CASES if case.moment == moment]
