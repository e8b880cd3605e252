"""Sensors for Tencent Cloud, with the arguments of each API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_cloudtasks.catalog import (
    LKE_TASK,
    WEDATA_NEWEST_WORKFLOW_RUN,
    WEDATA_TASK,
    WEDATA_TASK_INSTANCE,
    WEDATA_WORKFLOW_RUN,
)
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.waiting.verdicts import Missing


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


class WeDataTaskInstanceSensor(CloudTaskSensor):
    """Waits for what WeData's own scheduler runs: the instance of a task for a day, or an hour.

    An instance that WeData has not created yet is waited for, and so is one that failed and will be tried again by
    WeData (``FAILED_RETRY``). With ``on_failure="wait"`` an instance that has failed is waited on until somebody has
    run it again.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        wedata_task_id: The vendor's ``TaskId`` (templated).
        data_time: The instance's data time, its ``CurRunDate``, as WeData tells it: ``{{ ds }} 00:00:00``; or a
            datetime, which is told in UTC+8 (templated).
        missing: ``wait`` for an instance that is not created yet, or ``fail`` at once.
        **kwargs: As for :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(
        self, *, project_id: Any, wedata_task_id: Any, data_time: Any, missing: Missing = "wait", **kwargs: Any
    ) -> None:
        if isinstance(data_time, datetime):
            zoned = data_time if data_time.tzinfo is None else data_time.astimezone(WEDATA_TASK_INSTANCE.zone)
            data_time = zoned.strftime("%Y-%m-%d %H:%M:%S")
        super().__init__(
            api=WEDATA_TASK_INSTANCE,
            # The output of another task is a template in a text.
            cloud_task_id=f"{wedata_task_id}_{data_time}",
            api_params={"ProjectId": project_id},
            missing=missing,
            **kwargs,
        )
        for each in (wedata_task_id, data_time):
            XComArg.apply_upstream_relationship(self, each)


class WeDataWorkflowRunSensor(CloudTaskSensor):
    """Waits for a run of a WeData workflow: a certain one, or the newest since a time.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        cloud_task_id: The run's id, the vendor's ``WorkflowExecutionId``, or a list of them (templated).
        workflow_id: Instead of it the vendor's ``WorkflowId``, for the newest run of the workflow, whoever or whatever
            starts it; should a newer one begin meanwhile, that is waited for (templated).
        since: With ``workflow_id``: the earliest time of the run's creation, as a datetime or as ISO 8601, e.g.
            ``{{ data_interval_start }}`` (templated).
        missing: ``wait`` for a run that is not there yet, or ``fail`` at once; ``wait`` by default for the newest run,
            and ``fail`` for a run by its id.
        **kwargs: As for :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        cloud_task_id: Any = None,
        workflow_id: Any = None,
        since: Any = None,
        missing: Missing | None = None,
        **kwargs: Any,
    ) -> None:
        if (cloud_task_id is None) is (workflow_id is None):
            raise ValueError("WeDataWorkflowRunSensor needs cloud_task_id, a run's id, or workflow_id with since.")
        if (workflow_id is None) is not (since is None):
            raise ValueError(
                "workflow_id and since go together: without since, the newest run may be one that ended long ago. "
                'Write since="{{ data_interval_start }}", or another time.'
            )
        newest = workflow_id is not None
        super().__init__(
            api=WEDATA_NEWEST_WORKFLOW_RUN if newest else WEDATA_WORKFLOW_RUN,
            cloud_task_id=workflow_id if newest else cloud_task_id,
            api_params={"ProjectId": project_id},
            missing=missing or ("wait" if newest else "fail"),
            created_since=since,
            **kwargs,
        )


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
