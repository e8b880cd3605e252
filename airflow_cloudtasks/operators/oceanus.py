"""Operator for Tencent Cloud Oceanus (Stream Compute Service), with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class OceanusRunJobOperator(StartCloudTaskOperator):
    """Run a Flink job of Oceanus (RunJobs), and wait until it ends.

    A kill of the Airflow task stops the job (StopJobs). Oceanus has no status of a success: a job that has stopped
    counts as canceled. With ``success_statuses=["5"]`` it counts as a success, and with ``success_statuses=["4"]`` the
    operator waits until the job runs.

    Args:
        job_id: The vendor's ``JobId`` (templated).
        run_type: The vendor's ``RunType``: ``1`` to start the job, ``2`` to resume it (templated).
        work_space_id: The vendor's ``WorkSpaceId`` (templated).
        start_mode: The vendor's ``StartMode``: where a job of SQL begins to read: ``LATEST``, ``EARLIEST`` or ``T``
            and a time stamp (templated).
        job_config_version: The vendor's ``JobConfigVersion``; None for the newest that is no draft (templated).
        savepoint_path: The vendor's ``SavepointPath`` (templated).
        savepoint_id: The vendor's ``SavepointId`` (templated).
        use_old_system_connector: The vendor's ``UseOldSystemConnector``.
        custom_timestamp: The vendor's ``CustomTimestamp`` (templated).
        kafka_scan_mode: The vendor's ``KafkaScanMode``: ``timestamp``, ``latest-offset`` or ``earliest-offset``
            (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        job_id: Any,
        run_type: Any = 1,
        work_space_id: Any = None,
        start_mode: Any = None,
        job_config_version: Any = None,
        savepoint_path: Any = None,
        savepoint_id: Any = None,
        use_old_system_connector: Any = None,
        custom_timestamp: Any = None,
        kafka_scan_mode: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="oceanus.job",
            parameters={
                "JobId": job_id,
                "RunType": run_type,
                "WorkSpaceId": work_space_id,
                "StartMode": start_mode,
                "JobConfigVersion": job_config_version,
                "SavepointPath": savepoint_path,
                "SavepointId": savepoint_id,
                "UseOldSystemConnector": use_old_system_connector,
                "CustomTimestamp": custom_timestamp,
                "KafkaScanMode": kafka_scan_mode,
            },
            **kwargs,
        )
