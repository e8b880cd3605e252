"""Operators for Alibaba Cloud DataWorks, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class DataWorksRunWorkflowOperator(StartCloudTaskOperator):
    """Run a workflow of DataWorks (CreateWorkflowInstances), and wait until all its instances have ended.

    The result is a list of the instances, each a normalised task: one for each day of a backfill. A kill of the Airflow
    task stops them (StopWorkflowInstances). While DataWorks creates the instances, their ids are not known, and a kill
    cannot stop them.

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        workflow_id: The vendor's ``WorkflowId``; ``1`` for tasks of the schedule (templated).
        name: The vendor's ``Name``, the name of the instances (templated).
        instance_type: The vendor's ``Type``: ``ManualWorkflow``, ``SupplementData`` for a backfill, ``Manual``,
            ``SmokeTest`` or ``TriggerWorkflow`` (templated).
        periods: The vendor's ``Periods`` of a backfill, a dict, e.g. ``{"BizDates": [{"StartBizDate": "2026-01-31",
            "EndBizDate": "2026-01-31"}]}`` (templated).
        default_run_properties: The vendor's ``DefaultRunProperties``, a dict, e.g. ``{"RootTaskIds": [7]}``
            (templated).
        workflow_parameters: The vendor's ``WorkflowParameters``, a dict, or text as the type of the workflow needs it
            (templated).
        task_parameters: The vendor's ``TaskParameters``, a dict by the id of a task (templated).
        env_type: The vendor's ``EnvType``: ``Prod`` or ``Dev`` (templated).
        comment: The vendor's ``Comment`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        workflow_id: Any,
        name: Any,
        instance_type: Any = "ManualWorkflow",
        periods: Any = None,
        default_run_properties: Any = None,
        workflow_parameters: Any = None,
        task_parameters: Any = None,
        env_type: Any = None,
        comment: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="dataworks.workflow_instance",
            action="CreateWorkflowInstances",
            parameters={
                "ProjectId": project_id,
                "WorkflowId": workflow_id,
                "Name": name,
                "Type": instance_type,
                "Periods": periods,
                "DefaultRunProperties": default_run_properties,
                "WorkflowParameters": workflow_parameters,
                "TaskParameters": task_parameters,
                "EnvType": env_type,
                "Comment": comment,
            },
            **kwargs,
        )


class DataWorksRunAdhocWorkflowOperator(StartCloudTaskOperator):
    """Run tasks once as an ad hoc workflow of DataWorks (ExecuteAdhocWorkflowInstance), and wait for it.

    A kill of the Airflow task stops the workflow instance (StopWorkflowInstances).

    Args:
        project_id: The vendor's ``ProjectId`` (templated).
        name: The vendor's ``Name``, the workflow instance's name (templated).
        workflow_owner: The vendor's ``Owner``, the account id of the workflow's owner (templated).
        tasks: The vendor's ``Tasks``, a list of dicts with at least ``Name``, ``ClientUniqueCode``, ``Type``, ``Owner``
            and ``RuntimeResource`` (templated).
        biz_date: The vendor's ``BizDate``, the business date in milliseconds since 1970 (templated).
        env_type: The vendor's ``EnvType``: ``Prod`` or ``Dev`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        project_id: Any,
        name: Any,
        workflow_owner: Any,
        tasks: Any,
        biz_date: Any = None,
        env_type: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="dataworks.workflow_instance",
            action="ExecuteAdhocWorkflowInstance",
            parameters={
                "ProjectId": project_id,
                "Name": name,
                "Owner": workflow_owner,
                "Tasks": tasks,
                "BizDate": biz_date,
                "EnvType": env_type,
            },
            **kwargs,
        )
