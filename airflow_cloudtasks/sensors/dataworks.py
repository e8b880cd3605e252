"""Sensor for Alibaba Cloud DataWorks, with one argument for each parameter of the API."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.waiting.verdicts import Missing


class DataWorksTaskInstanceSensor(CloudTaskSensor):
    """Wait for the instance of a DataWorks task for one day: its run by DataWorks' own scheduler.

    The sensor also waits while DataWorks has not created the instance yet. If the task runs several times a day, the
    sensor waits for the instance with the latest trigger time. With ``on_failure="wait"`` it waits on a failed instance
    until a rerun succeeds.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        dataworks_task_id: The vendor's ``TaskId`` (templated).
        biz_date: The vendor's ``Bizdate``, the business date: midnight in UTC+8 of the day before the one for which the
            instance is scheduled, in milliseconds since 1970, e.g. ``1769788800000`` for 31 January 2026. In a DAG that
            runs daily in ``Asia/Shanghai``, it is ``{{ data_interval_start.int_timestamp * 1000 }}`` (templated).
        missing: What to do while the instance does not exist: ``wait``, or ``fail`` at once.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(
        self, *, project_id: Any, dataworks_task_id: Any, biz_date: Any, missing: Missing = "wait", **kwargs: Any
    ) -> None:
        super().__init__(
            api="dataworks.scheduled_instance",
            cloud_task_id=dataworks_task_id,
            api_params={"ProjectId": project_id, "Bizdate": biz_date},
            missing=missing,
            **kwargs,
        )
