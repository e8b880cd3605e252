"""A user clears running tasks, or deletes their run, in a real `airflow standalone`: no remote task is left behind.

`test_starts.py` has the tasks that the user marks as failed.
"""

from __future__ import annotations

import re

import pytest
from scheduler import Scheduler
from standalone import Standalone
from user_kills_cases import DAG_ID, TASKS, workflow_of

from airflow_cloudtasks.emulator import Emulator

API = "wedata.workflow_run"
RUNNING_SECONDS = 1_800
LOGICAL_DATE = "2026-01-01T00:00:00+00:00"

each_task = pytest.mark.parametrize("task_id", TASKS)


class Remote:
    """What two tasks of one run started at the cloud.

    Args:
        clouds: The emulator.
        scheduler: The run.
    """

    def __init__(self, clouds: Emulator, scheduler: Scheduler) -> None:
        self._clouds, self._scheduler = clouds, scheduler

    def started(self, task_id: str) -> list[str]:
        """Return the ids of what a task started, the oldest first."""
        workflow = workflow_of(self._scheduler.run_id, task_id)
        return [each["id"] for each in self._clouds.started(API) if each["parameters"]["WorkflowId"] == workflow]

    def canceled(self, task_id: str) -> list[str]:
        """Return the ids of what was canceled of it."""
        return [each["id"] for each in self._clouds.canceled(API) if each["id"] in self.started(task_id)]

    def waits(self, *task_ids: str, try_number: int = 1) -> bool:
        """Whether a try of each task has logged that what it waits for goes on: in the triggerer, if it is deferred."""
        log = f"attempt={try_number}.log"
        return all(self._waits_in(f"{log}.trigger*" if TASKS[each] else log, each) for each in task_ids or TASKS)

    def _waits_in(self, log: str, task_id: str) -> bool:
        files = self._scheduler.logs.glob(f"task_id={task_id}/{log}")
        goes_on = re.compile(rf"({'|'.join(self.started(task_id)) or 'nothing'}) \(.*\) is running")
        return any(goes_on.search(file.read_text()) for file in files)


@pytest.fixture(scope="module")
def cleared(standalone: Standalone, scheduled_clouds: Emulator) -> tuple[Scheduler, Remote]:
    """A run whose tasks the user cleared while they waited.

    Airflow 3.0 leaves a task that was cleared on its worker in the state ``restarting``, so the run does not end there.
    """
    scheduled_clouds.next_running(API, RUNNING_SECONDS, for_all=True)
    scheduler = Scheduler(standalone, DAG_ID, "cleared")
    remote = Remote(scheduled_clouds, scheduler)
    scheduler.run()
    scheduler.until(remote.waits, "both tasks wait", 120)
    scheduler.clear(*TASKS)
    scheduler.until(lambda: remote.waits("deferred", try_number=2), "the deferred task waits once more")
    scheduler.until(lambda: bool(remote.canceled("on_worker")), "the worker cancels")
    return scheduler, remote


@pytest.fixture(scope="module")
def deleted(standalone: Standalone, scheduled_clouds: Emulator, cleared: object) -> tuple[Scheduler, Remote]:
    """A run that the user deleted while its tasks waited, and triggered again with the same id. Then it succeeded."""
    scheduler = Scheduler(standalone, DAG_ID, "deleted")
    remote = Remote(scheduled_clouds, scheduler)
    scheduler.run(LOGICAL_DATE)
    scheduler.until(remote.waits, "both tasks wait", 120)
    scheduler.delete()
    scheduler.until(lambda: all(remote.canceled(task_id) for task_id in TASKS), "both remote tasks are canceled", 120)
    scheduler.run(LOGICAL_DATE)
    scheduler.until(lambda: all(len(remote.started(each)) > 1 for each in TASKS), "both tasks start another", 120)
    scheduled_clouds.advance(RUNNING_SECONDS)
    scheduler.until_the_run_succeeds()
    return scheduler, remote


def test_a_task_that_is_cleared_on_its_worker_cancels_its_remote_task(cleared: tuple[Scheduler, Remote]) -> None:
    _, remote = cleared
    assert remote.canceled("on_worker") == remote.started("on_worker")[:1]


def test_the_next_try_of_a_cleared_deferred_task_waits_for_the_same_remote_task(
    cleared: tuple[Scheduler, Remote],
) -> None:
    scheduler, remote = cleared
    started, canceled = remote.started("deferred"), remote.canceled("deferred")
    # On a machine so slow that no next try begins within 15 seconds, the trigger cancels it.
    assert (len(started), canceled) in [(1, []), (2, started[:1])], scheduler.log("deferred")


@each_task
def test_a_deleted_run_cancels_its_remote_tasks(deleted: tuple[Scheduler, Remote], task_id: str) -> None:
    _, remote = deleted
    assert remote.canceled(task_id) == remote.started(task_id)[:1]


@each_task
def test_a_run_with_the_id_of_a_deleted_one_is_a_new_start(deleted: tuple[Scheduler, Remote], task_id: str) -> None:
    scheduler, remote = deleted
    assert len(remote.started(task_id)) == 2
    assert scheduler.result(task_id)["id"] == remote.started(task_id)[1]
