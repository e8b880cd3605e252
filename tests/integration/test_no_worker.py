"""Waits that begin or end in the triggerer, or both: in a real `airflow standalone`, with its workers counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from no_worker_cases import CAN_START, CASES, DAY, MAPPED, PARTS, STATUSES, Case
from scheduler import Scheduler
from standalone import Standalone

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.version_compat import AIRFLOW_VERSION

DAG_ID = "no_worker"
# The emulator's tasks end when the test says so.
RUNNING_SECONDS = 1_000_000
# Whether Airflow logs an event when a worker begins a task, which the test counts. Airflow 3.0 and 3.1 log none.
NOTES_STARTS = AIRFLOW_VERSION not in ((3, 0), (3, 1))
BUSY = {"None", "scheduled", "queued", "running", "up_for_retry", "restarting"}


@dataclass(frozen=True)
class Run:
    """What became of the DAG."""

    states: dict[str, str]
    tries: dict[str, int]
    workers: dict[str, int]
    returned: dict[str, Any]
    logs: dict[str, str]
    links_meanwhile: dict[str, str | None]
    links: dict[str, str | None]


@pytest.fixture(scope="module")
def run(standalone: Standalone, scheduled_clouds: Emulator) -> Run:
    """One run, for all the tests."""
    clouds = scheduled_clouds
    known = set()
    for case in CASES:
        running, done = STATUSES[case.api]
        for task_id in set(case.ids) - known:
            known.add(task_id)
            script = [{"status": running, "seconds": RUNNING_SECONDS}, {"status": case.status or done}]
            clouds.add_task(case.api, task_id, script=script, fields=case.fields)
    for task_id in MAPPED:
        clouds.add_running("bdrc.task", task_id, RUNNING_SECONDS)
    scheduler = Scheduler(standalone, DAG_ID)
    scheduler.run(f"{DAY}T00:00:00Z", {"name": "conf"})

    def all_wait() -> bool:
        states = {task_id: state for task_id, state in scheduler.states().items() if task_id not in ("kinds", "parts")}
        return bool(states) and not BUSY.intersection(states.values())

    scheduler.until(all_wait, "all sensors wait in the triggerer")
    # The others may fail before they wait.
    linked = [case.name for case in CASES if case.ends == "success"]

    def links() -> dict[str, str | None]:
        return {name: scheduler.extra_links(name).get("Cloud console") for name in linked}

    scheduler.until(lambda: all(links().values()), "all that wait have their link")
    links_meanwhile = links()
    clouds.advance(RUNNING_SECONDS)
    scheduler.until_the_run_ends()
    return Run(
        scheduler.states(),
        scheduler.tries(),
        scheduler.starts_on_workers(),
        scheduler.returned(),
        {case.name: scheduler.log(case.name) for case in CASES},
        links_meanwhile,
        links(),
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wait_ends_as_on_a_worker_with_the_expected_number_of_workers(run: Run, case: Case) -> None:
    log = run.logs[case.name]
    assert run.states[case.name] == case.ends, log
    assert run.tries[case.name] == case.tries
    assert run.workers.get(case.name, 0) == (case.workers if NOTES_STARTS else 0)
    assert case.log in log


@pytest.mark.parametrize("case", [case for case in CASES if case.ends == "success"], ids=lambda case: case.name)
def test_next_task_gets_the_same_object_from_every_kind_of_wait(run: Run, case: Case) -> None:
    if case.wait.get("do_xcom_push") is False:
        assert case.name not in run.returned
        return
    result = run.returned[case.name]
    tasks = result if isinstance(result, list) else [result]
    assert [task["id"] for task in tasks] == [*case.ids] or case.name == "any"
    assert all((task["api"], task["done"], task["ok"]) == (case.api, True, True) for task in tasks)
    assert run.returned["kinds"][case.name] == f"{type(result).__name__} of {len(result)}"
    assert isinstance(result, list) == isinstance(case.wait.get("cloud_task_id"), list | tuple)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.ends == "success" and case.is_single], ids=lambda case: case.name
)
def test_next_task_gets_the_parts_of_every_kind_of_wait(run: Run, case: Case) -> None:
    if case.wait.get("do_xcom_push") is False:
        assert case.name not in run.returned
    else:
        result = run.returned[case.name]
        assert run.returned["parts"][case.name] == {part: result[part] for part in PARTS}


def test_every_wait_has_its_link_while_it_is_deferred_and_after(run: Run) -> None:
    apis = {case.name: case.api for case in CASES}
    expected = {name: APIS[apis[name]].service.console for name in run.links}
    assert len(expected) > 2
    assert run.links_meanwhile == run.links == expected


def test_mapped_waits_begin_on_a_worker(run: Run) -> None:
    assert [run.states[f"mapped[{index}]"] for index in range(len(MAPPED))] == ["success"] * len(MAPPED)
    assert [run.returned[f"mapped[{index}]"]["id"] for index in range(len(MAPPED))] == [*MAPPED]
    assert run.workers.get("mapped") == (len(MAPPED) if NOTES_STARTS else None)


def test_waits_that_need_no_worker_use_none(run: Run) -> None:
    assert run.workers.get("hand_over") == (1 if NOTES_STARTS else None), "starts on workers are not counted"
    alone = {case.name for case in CASES if not case.workers}
    assert (len(alone) > 10) == CAN_START
    assert alone.isdisjoint(run.workers)
