"""Sensors for tasks of Tencent Cloud, with one argument for each parameter of the API."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import XComArg

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.operators._task_arguments import AT_PARSE, is_pending
from airflow_cloudtasks.protocol.timestamps import checked_time, written
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
from airflow_cloudtasks.spec.names import check_name
from airflow_cloudtasks.waiting.verdicts import Missing


class WeDataTaskSensor(CloudTaskSensor):
    """Wait until a WeData task is published.

    The status of a WeData task belongs to its design: it says whether WeData schedules the task. It says nothing about
    the task's runs. Wait for those with :class:`WeDataTaskInstanceSensor` or :class:`WeDataWorkflowRunSensor`.

    Args:
        cloud_task_id: The vendor's ``TaskId`` (templated).
        project_id: The vendor's ``ProjectId`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(self, *, cloud_task_id: Any, project_id: Any, **kwargs: Any) -> None:
        super().__init__(api="wedata.task", cloud_task_id=cloud_task_id, api_params={"ProjectId": project_id}, **kwargs)


class WeDataTaskInstanceSensor(CloudTaskSensor):
    """Wait for an instance of a WeData task: its run for one day, or one hour, by WeData's own scheduler.

    The sensor also waits while WeData has not created the instance yet, and while WeData is about to retry a failed
    instance (``FAILED_RETRY``). With ``on_failure="wait"`` it waits on a failed instance until a rerun succeeds.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        wedata_task_id: The vendor's ``TaskId`` (templated).
        data_time: Data time of the instance, its ``CurRunDate``: text as WeData shows it, ISO 8601, a date or a
            datetime. A time with a zone, e.g. ``{{ data_interval_start }}``, is converted to UTC+8; a time without one
            is in UTC+8. Airflow's ``{{ ds }}`` is the day in UTC, not the local day (templated).
        missing: What to do while the instance does not exist: ``wait``, or ``fail`` at once.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(
        self, *, project_id: Any, wedata_task_id: Any, data_time: Any, missing: Missing = "wait", **kwargs: Any
    ) -> None:
        api = find_api("wedata.task_instance")
        check_name(api.name, "wedata_task_id", wedata_task_id, AT_PARSE)
        if not is_pending(data_time):
            data_time = written(checked_time("data_time", data_time, api.zone), api, api.zone)
        super().__init__(
            api=api,
            # An XComArg within a string becomes a template.
            cloud_task_id=f"{wedata_task_id}{api.time_in_id}{data_time}",
            api_params={"ProjectId": project_id},
            missing=missing,
            **kwargs,
        )
        # Airflow sees only the string, so declare the upstream tasks here.
        for argument in (wedata_task_id, data_time):
            XComArg.apply_upstream_relationship(self, argument)


class WeDataWorkflowRunSensor(CloudTaskSensor):
    """Wait for a run of a WeData workflow, named by its id, or for the end of a run since a given time.

    With ``workflow_id``, the newest run that has ended counts, however it was started. Runs that are still under way do
    not delay the sensor. If that run failed, the sensor fails; with ``on_failure="wait"`` it waits until a newer run
    has succeeded.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        cloud_task_id: The run's id, the vendor's ``WorkflowExecutionId``, or a list of ids (templated).
        workflow_id: In place of ``cloud_task_id``, the vendor's ``WorkflowId``: wait until a run of the workflow has
            ended that was created since ``since`` (templated).
        since: With ``workflow_id``: ignore runs created before this time, e.g. ``{{ data_interval_start }}``: a
            datetime, a date or ISO 8601. A time without a zone is in UTC+8 (templated).
        missing: What to do while the run does not exist: ``wait``, the default with ``workflow_id``, or ``fail`` at
            once, the default with ``cloud_task_id``.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
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
            api="wedata.newest_workflow_run" if newest else "wedata.workflow_run",
            cloud_task_id=workflow_id if newest else cloud_task_id,
            api_params={"ProjectId": project_id},
            missing=missing or ("wait" if newest else "fail"),
            created_since=since,
            **kwargs,
        )


class LkeTaskSensor(CloudTaskSensor):
    """Wait for a task of the Large Model Knowledge Engine (LKE).

    Args:
        cloud_task_id: The vendor's ``TaskId`` (templated).
        task_type: The vendor's ``TaskType``: ``ModifyAttributeLabel`` or ``ExportAttributeLabel`` (templated).
        bot_biz_id: The vendor's ``BotBizId``, the application's id (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.sensors.cloud_task.CloudTaskSensor`.
    """

    def __init__(self, *, cloud_task_id: Any, task_type: Any, bot_biz_id: Any, **kwargs: Any) -> None:
        super().__init__(
            api="lke.task",
            cloud_task_id=cloud_task_id,
            api_params={"TaskType": task_type, "BotBizId": bot_biz_id},
            **kwargs,
        )
