"""Each operator that starts a task, in a real `airflow standalone`: it succeeds, fails, is killed, outlives a restart.

One run of one DAG. The started tasks run until the test lets them end. Meanwhile the triggerer is stopped and replaced;
then the user marks tasks as failed, on workers and in the triggerer. The tasks that fail by themselves start last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from scheduler import Scheduler
from standalone import Standalone
from starts_cases import (
    CASES,
    ENDS,
    FAILS,
    KEPT,
    KEPT_TASKS,
    KILLED_IN_TRIGGERER,
    KILLED_ON_WORKER,
    KILLS,
    LEFT,
    LEFT_TASK,
    PROJECT,
    ROWS,
    RUNNING_APIS,
    SUCCEEDS,
    Case,
)

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.links.console import CloudConsoleLink

DAG_ID = "starts"
# BPStudio forgets an operation an hour after its start.
RUNNING_SECONDS = 1_800
CANCEL_SECONDS = 2.5
KILLED = {case.task_id(kill): case for case in CASES for kill in KILLS}
ON_WORKERS = [KEPT_TASKS[0], *(case.task_id(KILLED_ON_WORKER) for case in CASES)]
DEFERRED = [KEPT_TASKS[1], *(case.task_id(end) for case in CASES for end in (KILLED_IN_TRIGGERER, SUCCEEDS))]

APIS = {case.api for case in CASES}
RESULTS = {
    "Results": [
        {
            "Columns": [{"ColumnName": name, "ColumnType": "string"} for name in ROWS[0]],
            "Rows": [{"Values": [*row.values()]} for row in ROWS],
        }
    ]
}
CANCELED, NOT_CANCELED, KEPT_SAYS = (
    "at the cloud.",
    "has no action that cancels such a task.",
    "Killed: the cloud task goes on, because of cancel_on_kill=False.",
)

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_kill = pytest.mark.parametrize("kill", KILLS)


def processes_that_wait(scheduler: Scheduler, case: Case, task_id: str) -> int:
    """Count the processes that have logged, for a task, that what it started goes on."""
    goes_on = re.compile(rf"{re.escape(case.named or case.api)} \S+ (\([^)]*\) )?is (running|pending)")
    return sum(goes_on.search(text) is not None for text in scheduler.log_files(task_id))


@dataclass(frozen=True)
class Run:
    """What became of the DAG, and of what it started."""

    states: dict[str, str]
    xcoms: dict[str, dict[str, Any]]
    logs: dict[str, str]
    started: list[dict[str, Any]]
    canceled_by_stopping: list[dict[str, Any]]
    canceled: list[dict[str, Any]]

    def ids(self, case: Case, task_id: str) -> list[str]:
        """Return the ids of what an Airflow task started, each of which must have been started once."""
        sent = case.sent_by(task_id)
        found = [
            start
            for start in self.started
            if {name: value for name, value in start["parameters"].items() if name not in case.marks} == sent
            # The job that reruns instances is noted too.
            and start["api"] == case.api
        ]
        assert len(found) == max(len(case.instances_of(task_id)), 1), self.started
        return [start["id"] for start in found]

    def cancellations(self, ids: list[str]) -> list[tuple[str, bool]]:
        """Return the cancellation requests: which task, and whether that ended it."""
        return [(each["id"], each["ended"]) for each in self.canceled if each["id"] in ids]


@pytest.fixture(scope="module")
def run(standalone: Standalone, scheduled_clouds: Emulator) -> Run:
    """One run, for all the tests."""
    clouds = scheduled_clouds
    _plan_what_goes_on(clouds)
    cases = KILLED | {case.task_id(SUCCEEDS): case for case in CASES} | dict.fromkeys(KEPT_TASKS, KEPT)
    scheduler = Scheduler(standalone, DAG_ID)

    def all_wait(triggerers: int) -> bool:
        """Whether each task has logged so: on its worker and, if it is to be deferred, in so many triggerers."""
        needed = dict.fromkeys(ON_WORKERS, 1) | dict.fromkeys(DEFERRED, 1 + triggerers)
        return all(
            processes_that_wait(scheduler, cases[task_id], task_id) >= count for task_id, count in needed.items()
        )

    scheduler.run()
    scheduler.until(lambda: all_wait(triggerers=1), "all wait")
    scheduler.until(lambda: scheduler.states()["canceled"] == "success", "an operator cancels what another started")

    before = clouds.canceled()
    canceled_by_stopping: list[dict[str, Any]] = []
    standalone.restart_triggerer(lambda: canceled_by_stopping.extend(clouds.canceled()[len(before) :]))
    scheduler.until(lambda: all_wait(triggerers=2), "all that are deferred wait in another triggerer")

    # A real cloud may need longer than Airflow waits before it stops a trigger.
    clouds.latency(CANCEL_SECONDS)
    # Those that cancel nothing come first: once the others have noticed, these have.
    for task_id in (*KEPT_TASKS, *KILLED):
        scheduler.mark_failed(task_id)
    scheduler.until(lambda: _have_noticed(scheduler), "all that the user killed have noticed it")

    clouds.latency(None)
    _plan_what_fails(clouds)
    clouds.advance(RUNNING_SECONDS)
    scheduler.until_the_run_ends()
    task_ids = [case.task_id(end) for case in CASES for end in ENDS]
    return Run(
        scheduler.states(),
        scheduler.xcoms(),
        {task_id: scheduler.log(task_id) for task_id in (*task_ids, *KEPT_TASKS)},
        clouds.started(),
        canceled_by_stopping,
        clouds.canceled(),
    )


def _plan_what_goes_on(emulator: Any) -> None:
    for api in RUNNING_APIS:
        fields = RESULTS if api == "wedata.sql_run" else {}
        emulator.next_running(api, RUNNING_SECONDS, fields=fields, for_all=True)
    for case in CASES:
        for end in ENDS:
            for key in case.instances_of(case.task_id(end)):
                emulator.add_finished(case.api, key, fields={"ProjectId": PROJECT})


def _plan_what_fails(emulator: Any) -> None:
    for case in CASES:
        for api, status, fields in case.fails:
            emulator.next_script(api, status, fields=fields)


def _have_noticed(scheduler: Scheduler) -> bool:
    says = {task_id: CANCELED if case.cancels else NOT_CANCELED for task_id, case in KILLED.items()}
    # In the triggerer, a task that cancels nothing logs nothing.
    says[KEPT_TASKS[0]] = KEPT_SAYS
    return all(words in scheduler.log(task_id) for task_id, words in says.items())


@each_case
def test_deferred_wait_succeeds_and_xcom_has_the_task_and_its_parts(run: Run, case: Case) -> None:
    task_id = case.task_id(SUCCEEDS)
    ids = run.ids(case, task_id)
    xcom = run.xcoms[task_id]
    assert run.states[task_id] == "success", run.logs[task_id]
    tasks = xcom["return_value"] if case.is_list else [xcom["return_value"]]
    assert [task["id"] for task in tasks] == ids
    api = case.named or case.api
    for task in tasks:
        assert (task["api"], task["state"], task["done"], task["ok"]) == (api, "succeeded", True, True)
        assert isinstance(task["detail"], dict)
        assert task["detail"]
    assert {"id", "detail", *case.outputs} <= set(xcom) or case.is_list


@each_case
def test_next_task_gets_the_parts_that_it_names(run: Run, case: Case) -> None:
    parts = run.xcoms["next_task"]["return_value"]
    if case.is_list:
        assert case.name not in parts
        return
    task = run.xcoms[case.task_id(SUCCEEDS)]["return_value"]
    outputs = {name: _with_id(value, task["id"]) for name, value in case.outputs.items()}
    assert parts[case.name] == {"id": task["id"], "detail": task["detail"], **outputs}
    assert {name: task[name] for name in outputs} == outputs


@each_case
def test_log_explains_a_failure(run: Run, case: Case) -> None:
    task_id = case.task_id(FAILS)
    assert run.states[task_id] == "failed"
    log = run.logs[task_id]
    assert "CloudTaskFailed" in log
    assert all(words in log for words in case.why), log
    assert "return_value" not in run.xcoms[task_id]


@each_kill
@each_case
def test_kill_cancels_if_the_vendor_can_and_logs_it_otherwise(run: Run, case: Case, kill: str) -> None:
    task_id = case.task_id(kill)
    ids = run.ids(case, task_id)
    log = run.logs[task_id]
    assert run.states[task_id] == "failed"
    assert run.cancellations(ids) == [(each, True) for each in ids if case.cancels], log
    assert (CANCELED in log) == case.cancels
    assert (NOT_CANCELED in log) == (not case.cancels)


@pytest.mark.parametrize("task_id", KEPT_TASKS)
def test_kill_cancels_nothing_with_cancel_on_kill_false(run: Run, task_id: str) -> None:
    assert run.states[task_id] == "failed"
    assert run.cancellations(run.ids(KEPT, task_id)) == []


def test_stopping_the_triggerer_cancels_nothing(run: Run) -> None:
    assert run.canceled_by_stopping == []
    # Another one went on with all of these.
    lived_on = [each for case in CASES for each in run.ids(case, case.task_id(SUCCEEDS))]
    assert run.cancellations(lived_on) == []


def test_cancel_operator_cancels_the_task_of_another_operator(run: Run) -> None:
    (run_id,) = run.ids(LEFT, LEFT_TASK)
    assert (run.states[LEFT_TASK], run.states["canceled"], run.states["read"]) == ("success", "success", "success")
    left = run.xcoms[LEFT_TASK]["return_value"]
    assert (left["id"], left["state"], left["done"]) == (run_id, "running", False)
    assert run.cancellations([run_id]) == [(run_id, True)]
    read = run.xcoms["read"]["return_value"]
    assert (read["id"], read["done"], read["ok"]) == (run_id, True, False)


@pytest.mark.parametrize("end", [SUCCEEDS, FAILS])
@each_case
def test_stores_the_link_to_the_console_after_success_and_failure(run: Run, case: Case, end: str) -> None:
    # Airflow 3 shows what stands there; Airflow 2 asks the link itself.
    assert run.xcoms[case.task_id(end)][CloudConsoleLink().xcom_key].startswith("https://")


def test_starts_nothing_twice(run: Run) -> None:
    known = [each for case in CASES for end in ENDS for each in run.ids(case, case.task_id(end))]
    known += [each for task_id in KEPT_TASKS for each in run.ids(KEPT, task_id)] + run.ids(LEFT, LEFT_TASK)
    assert sorted(known) == sorted({start["id"] for start in run.started if start["api"] in APIS})


def _with_id(value: Any, cloud_task_id: str) -> Any:
    return value.format(id=cloud_task_id) if isinstance(value, str) else value
