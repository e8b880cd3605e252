"""Sensors for tasks of Alibaba Cloud, with one argument for each parameter of the API."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.protocol.status_overrides import whatever_the_message
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor


class BpStudioTaskSensor(CloudTaskSensor):
    """Wait for a BPStudio task.

    Args:
        cloud_task_id: The vendor's ``TaskId`` (templated).
        error_message_fails: Whether a finished task with an ErrorMessage counts as failed. BPStudio has no status for
            failure, so the default is True. Set False for a task whose message is only a warning.
        success_statuses: Further statuses that count as success (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(
        self, *, cloud_task_id: Any, error_message_fails: bool = True, success_statuses: Any = (), **kwargs: Any
    ) -> None:
        if not error_message_fails:
            success_statuses = whatever_the_message(find_api("bpstudio.task"), success_statuses)
        super().__init__(api="bpstudio.task", cloud_task_id=cloud_task_id, success_statuses=success_statuses, **kwargs)


class BdrcTaskSensor(CloudTaskSensor):
    """Wait for a task of the Backup and Disaster Recovery Center (BDRC).

    Args:
        cloud_task_id: The vendor's ``TaskId``, e.g. ``t-0004d9ctt1ii`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(self, *, cloud_task_id: Any, **kwargs: Any) -> None:
        super().__init__(api="bdrc.task", cloud_task_id=cloud_task_id, **kwargs)


class IceWorkflowTaskSensor(CloudTaskSensor):
    """Wait for a workflow task of Intelligent Media Services (ICE).

    Args:
        cloud_task_id: The vendor's ``TaskId`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(self, *, cloud_task_id: Any, **kwargs: Any) -> None:
        super().__init__(api="ice.workflow_task", cloud_task_id=cloud_task_id, **kwargs)
