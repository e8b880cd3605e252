"""Counts the starts by outcome."""

from __future__ import annotations

from airflow_cloudtasks.errors import CloudApiError, CloudTasksError, StartUnknown
from airflow_cloudtasks.metrics.known import STARTS
from airflow_cloudtasks.metrics.send import WORKER
from airflow_cloudtasks.starting.attempt import Attempt
from airflow_cloudtasks.starting.starter import Starter


def counted(starter: Starter, api: str, conn_id: str) -> Attempt:
    """Start a task, or find it, and count the outcome.

    Args:
        starter: Starts the task.
        api: The API's name.
        conn_id: The Airflow connection.

    Raises:
        Exception: What :meth:`Starter.started` raises.
    """

    def count(outcome: str) -> None:
        WORKER.count(STARTS, {"api": api, "outcome": outcome, "conn_id": conn_id, "region": starter.region})

    try:
        attempt = starter.started()
    except CloudTasksError as error:
        count("unknown" if _may_have_started(error) else "refused")
        raise
    count("found" if starter.is_found else "started")
    return attempt


def _may_have_started(error: CloudTasksError) -> bool:
    return isinstance(error, StartUnknown) or (isinstance(error, CloudApiError) and error.may_have_acted)
