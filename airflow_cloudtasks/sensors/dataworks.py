"""Sensors for task instances of Alibaba Cloud DataWorks."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators._task_arguments import is_pending
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.spec.template import day
from airflow_cloudtasks.waiting.verdicts import Missing


class DataWorksTaskInstanceSensor(CloudTaskSensor):
    """Wait for the instance of a DataWorks task for one day: its run by DataWorks' own scheduler.

    The sensor also waits while DataWorks has not created the instance yet. Of a task that runs several times a day, the
    instance with the latest time counts that exists. Backfills and manual runs do not count. With
    ``on_failure="wait"`` it waits on a failed instance until a rerun succeeds.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        dataworks_task_id: The vendor's ``TaskId`` (templated).
        biz_date: The vendor's ``Bizdate``, for a daily task the day before it runs: a date, a datetime, ISO 8601 or
            Unix milliseconds. A time with a zone, e.g. ``{{ data_interval_start }}``, counts as its day in UTC+8.
            Airflow's ``{{ ds }}`` is the day in UTC, not the local day (templated).
        missing: What to do while the instance does not exist: ``wait``, or ``fail`` at once.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(
        self, *, project_id: Any, dataworks_task_id: Any, biz_date: Any, missing: Missing = "wait", **kwargs: Any
    ) -> None:
        if not is_pending(biz_date):
            biz_date = str(day("biz_date", biz_date))
        super().__init__(
            api="dataworks.scheduled_instance",
            cloud_task_id=dataworks_task_id,
            api_params={"ProjectId": project_id, "Bizdate": biz_date},
            missing=missing,
            **kwargs,
        )
