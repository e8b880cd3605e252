"""Operator for Alibaba Cloud DataWorks, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class DataWorksRunWorkflowOperator(StartCloudTaskOperator):
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
