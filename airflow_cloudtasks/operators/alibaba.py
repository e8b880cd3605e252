"""Operators that start tasks of Alibaba Cloud, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.protocol.status_overrides import whatever_the_message


class IceStartWorkflowOperator(StartCloudTaskOperator):
    """Start a workflow of Intelligent Media Services (ICE, StartWorkflow), and wait for it.

    ICE has no action that cancels it.

    Args:
        workflow_id: The vendor's ``WorkflowId`` (templated).
        task_input: The vendor's ``TaskInput``, a dict or JSON, e.g. ``{"Type": "Media", "Media": "…"}`` (templated).
        user_data: The vendor's ``UserData``, a dict or text of at most 512 bytes, which ICE keeps with the task
            (templated). If there is room, the operator adds an entry ``airflow_start``, by which it finds the task if
            the answer to the start request is lost.
        skip_input_verification: The vendor's ``SkipInputVerification``: whether ICE skips the check of ``task_input``.
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        workflow_id: Any,
        task_input: Any = None,
        user_data: Any = None,
        skip_input_verification: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="ice.workflow_task",
            parameters={
                "WorkflowId": workflow_id,
                "TaskInput": task_input,
                "UserData": user_data,
                "SkipInputVerification": skip_input_verification,
            },
            **kwargs,
        )


class IceStartAIWorkflowOperator(StartCloudTaskOperator):
    """Start an AI workflow of Intelligent Media Services (ICE, StartAIWorkflow), and wait for it.

    A kill of the Airflow task stops it (StopAIWorkflowTask). A partial success counts as failure; with
    ``success_statuses=["partial-succeeded"]`` it counts as success.

    Args:
        workflow_id: The vendor's ``WorkflowId`` (templated).
        inputs: The vendor's ``Inputs``, a dict or JSON (templated).
        user_data: The vendor's ``UserData``, a dict or text (templated).
        dispatch_tag: The vendor's ``DispatchTag`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        workflow_id: Any,
        inputs: Any = None,
        user_data: Any = None,
        dispatch_tag: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="ice.ai_workflow_task",
            parameters={
                "WorkflowId": workflow_id,
                "Inputs": inputs,
                "UserData": user_data,
                "DispatchTag": dispatch_tag,
            },
            **kwargs,
        )


class BpStudioRunTaskOperator(StartCloudTaskOperator):
    """Create a BPStudio task (CreateTask), execute it (ExecuteTask), and wait for it.

    BPStudio cannot cancel it.

    Args:
        app_id: The vendor's ``AppId`` (templated).
        process_id: The vendor's ``ProcessId`` (templated).
        task_name: The vendor's ``TaskName`` (templated).
        variables: The vendor's ``Variables``, a dict (templated).
        error_message_fails: Whether a finished task with an ErrorMessage counts as failed. BPStudio has no status for
            failure, so the default is True. Set False for a task whose message is only a warning.
        success_statuses: Further statuses that count as success (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        app_id: Any,
        process_id: Any,
        task_name: Any,
        variables: Any = None,
        error_message_fails: bool = True,
        success_statuses: Any = (),
        **kwargs: Any,
    ) -> None:
        if not error_message_fails:
            success_statuses = whatever_the_message(find_api("bpstudio.task"), success_statuses)
        super().__init__(
            api="bpstudio.task",
            parameters={
                "AppId": app_id,
                "ProcessId": process_id,
                "TaskName": task_name,
                "Variables": variables,
            },
            success_statuses=success_statuses,
            **kwargs,
        )


class BpStudioExecuteOperationOperator(StartCloudTaskOperator):
    """Execute an operation of BPStudio (ExecuteOperationASync), and wait for it.

    BPStudio cannot cancel it. BPStudio forgets an operation after an hour, so the end of a longer operation cannot be
    seen.

    Args:
        service_type: The vendor's ``ServiceType``, e.g. ``ecs`` (templated).
        operation: The vendor's ``Operation``, e.g. ``rename`` (templated).
        application_id: The vendor's ``ApplicationId`` (templated).
        attributes: The vendor's ``Attributes``, a dict (templated).
        resource_group_id: The vendor's ``ResourceGroupId`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        service_type: Any,
        operation: Any,
        application_id: Any = None,
        attributes: Any = None,
        resource_group_id: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="bpstudio.operation",
            parameters={
                "ServiceType": service_type,
                "Operation": operation,
                "ApplicationId": application_id,
                "Attributes": attributes,
                "ResourceGroupId": resource_group_id,
            },
            **kwargs,
        )


class BdrcUpdateResourcesOperator(StartCloudTaskOperator):
    """Update the resources that the Backup and Disaster Recovery Center (BDRC) knows (UpdateResources), and wait.

    BDRC cannot cancel it.

    Args:
        resource_type: The vendor's ``ResourceType``, e.g. ``ACS::ECS::Instance``; None for every type (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(self, *, resource_type: Any = None, **kwargs: Any) -> None:
        super().__init__(
            api="bdrc.task", action="UpdateResources", parameters={"ResourceType": resource_type}, **kwargs
        )


class BdrcCheckRulesOperator(StartCloudTaskOperator):
    """Check a resource by the rules of the Backup and Disaster Recovery Center (BDRC, CheckRules), and wait.

    BDRC cannot cancel it.

    Args:
        resource_arn: The vendor's ``ResourceArn`` (templated).
        rule_id: The vendor's ``RuleId``; None for all rules (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(self, *, resource_arn: Any, rule_id: Any = None, **kwargs: Any) -> None:
        super().__init__(
            api="bdrc.task",
            action="CheckRules",
            parameters={"ResourceArn": resource_arn, "RuleId": rule_id},
            **kwargs,
        )
