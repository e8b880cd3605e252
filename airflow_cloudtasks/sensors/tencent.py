"""Sensors for Tencent Cloud, with the arguments of each API."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import LKE_TASK, WEDATA_TASK
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor


class WeDataTaskSensor(CloudTaskSensor):
    """Waits until a WeData task is published.

    The status of a WeData task is a design-time one: it tells whether the task is being scheduled, not how a run of it
    went.

    Args:
        cloud_task_id: The vendor's ``TaskId`` (templated).
        project_id: The vendor's ``ProjectId`` (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(self, *, cloud_task_id: Any, project_id: Any, **kwargs: Any) -> None:
        super().__init__(api=WEDATA_TASK, cloud_task_id=cloud_task_id, api_params={"ProjectId": project_id}, **kwargs)


class LkeTaskSensor(CloudTaskSensor):
    """Waits for a task of the Large Model Knowledge Engine.

    Args:
        cloud_task_id: The vendor's ``TaskId`` (templated).
        task_type: The vendor's ``TaskType``: ``ModifyAttributeLabel`` or ``ExportAttributeLabel`` (templated).
        bot_biz_id: The vendor's ``BotBizId``, the application's id (templated).
        **kwargs: As for :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(self, *, cloud_task_id: Any, task_type: Any, bot_biz_id: Any, **kwargs: Any) -> None:
        super().__init__(
            api=LKE_TASK,
            cloud_task_id=cloud_task_id,
            api_params={"TaskType": task_type, "BotBizId": bot_biz_id},
            **kwargs,
        )
