"""From the scheduler through the triggerer to success: `airflow standalone`, started and stopped by the test."""

from __future__ import annotations

import re

from scheduler import Scheduler
from standalone import Standalone

from airflow_cloudtasks.emulator import Emulator

DAG_ID = "five_deferrable"
# The emulator's tasks run until the test advances its clock.
RUNNING_SECONDS = 1_000_000


def test_five_deferrable_sensors_go_from_the_scheduler_through_the_triggerer_to_success(
    standalone: Standalone, scheduled_clouds: Emulator
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
        scheduled_clouds.add_task(api, task_id, script=script, fields=fields)

    scheduler = Scheduler(standalone, DAG_ID)
    scheduler.run()
    scheduler.until(lambda: [*scheduler.states().values()] == ["deferred"] * 5, "all five wait in the triggerer")
    own = {name: {name} for name in scheduler.states()}
    scheduler.until(lambda: logged_by_triggers(scheduler) == own, "each trigger logs to the log of its own task")
    scheduled_clouds.advance(RUNNING_SECONDS)

    scheduler.until_the_run_succeeds()
    results = scheduler.returned()
    assert sorted(task["api"] for task in results.values()) == sorted(ends)
    assert all(task["ok"] and task["state"] == "succeeded" for task in results.values())
    assert all(task["status"].strip() == ends[task["api"]][2] for task in results.values())


def logged_by_triggers(scheduler: Scheduler) -> dict[str, set[str]]:
    """Return which products the log of each Airflow task names in the part that its trigger wrote."""
    logs = scheduler.logs.rglob("*.trigger.*.log")
    named = re.compile(r"(\w+)\.\w+ \S+ (?:\(\w+\) )?is (?:running|pending)")
    return {log.parent.name.removeprefix("task_id="): set(named.findall(log.read_text())) for log in logs}
