"""The names of the DAG that the user clears and deletes."""

from __future__ import annotations

DAG_ID = "user_kills"
PROJECT = "2417334454903763968"
# Whether each task waits in the triggerer.
TASKS = {"on_worker": False, "deferred": True}


def workflow_of(run_id: str, task_id: str) -> str:
    """Return the id of the workflow that a task of a run starts."""
    return f"{run_id}_{task_id}"
