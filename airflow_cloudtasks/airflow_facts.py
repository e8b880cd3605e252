"""The only module that asks Airflow for facts, and keeps "it is not there" apart from "it could not be asked"."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


def run_identity(context: Context) -> str:
    """Return a string that identifies an Airflow task within one row of Airflow's table of DAG runs.

    All tries and deferrals of the row have the same string, also after the user clears the task. A run that is deleted
    and triggered again with the same run_id is another row:

    - Airflow 2: the string holds the row's id, which no other row ever has.
    - Airflow 3: tasks do not see the row's id. The string holds the row's ``run_after``. For a manual run, a run by an
      asset and ``dags test``, that is the moment when Airflow created the row. For a scheduled run it is the schedule's
      time, so a scheduled run that is deleted and created again has the same string. What such rows keep is told apart
      by :mod:`~airflow_cloudtasks.starting.memory`.

    Args:
        context: Airflow's context.
    """
    run, task = context["dag_run"], context["ti"]
    row = getattr(run, "id", None)
    row = run.run_after.timestamp() if row is None else row
    names = [task.dag_id, task.run_id, task.task_id, task.map_index, row]
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]
