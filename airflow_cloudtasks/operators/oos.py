"""Operator for Alibaba Cloud OOS, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.values import at

if TYPE_CHECKING:
    from airflow_cloudtasks.model import CloudTask


class OosRunExecutionOperator(StartCloudTaskOperator):
    """Run a template of OOS (StartExecution), and wait for the execution.

    A kill of the Airflow task cancels the execution (CancelExecution). The result has the task's parts and
    ``execution_outputs``, the template's outputs, for the next task as ``run.output["execution_outputs"]``.

    Args:
        template_name: The vendor's ``TemplateName`` (templated).
        template_content: The vendor's ``TemplateContent``, JSON or YAML, in place of a saved template (templated).
        template_url: The vendor's ``TemplateURL``, the template's address in OSS (templated).
        template_version: The vendor's ``TemplateVersion``; None for the latest one (templated).
        template_parameters: The vendor's ``Parameters``, a dict or JSON (templated).
        mode: The vendor's ``Mode``, e.g. ``Automatic``, the vendor's default (templated).
        loop_mode: The vendor's ``LoopMode``, e.g. ``Automatic``, the vendor's default (templated).
        safety_check: The vendor's ``SafetyCheck``: ``Skip`` or ``ConfirmEveryHighRiskAction`` (templated).
        description: The vendor's ``Description`` (templated).
        resource_group_id: The vendor's ``ResourceGroupId`` (templated).
        parent_execution_id: The vendor's ``ParentExecutionId`` (templated).
        tags: The vendor's ``Tags``, a dict or JSON (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        template_name: Any = None,
        template_content: Any = None,
        template_url: Any = None,
        template_version: Any = None,
        template_parameters: Any = None,
        mode: Any = None,
        loop_mode: Any = None,
        safety_check: Any = None,
        description: Any = None,
        resource_group_id: Any = None,
        parent_execution_id: Any = None,
        tags: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="oos.execution",
            parameters={
                "TemplateName": template_name,
                "TemplateContent": template_content,
                "TemplateURL": template_url,
                "TemplateVersion": template_version,
                "Parameters": template_parameters,
                "Mode": mode,
                "LoopMode": loop_mode,
                "SafetyCheck": safety_check,
                "Description": description,
                "ResourceGroupId": resource_group_id,
                "ParentExecutionId": parent_execution_id,
                "Tags": tags,
            },
            **kwargs,
        )

    def outputs(self, task: CloudTask) -> dict[str, Any]:
        """Return the template's outputs."""
        return {"execution_outputs": at(task.detail, "Outputs")}
