"""Operator for Alibaba Cloud PAI DLC (Deep Learning Containers), with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class PaiDlcRunJobOperator(StartCloudTaskOperator):
    """Run a job of PAI DLC (CreateJob), and wait for it.

    A kill of the Airflow task stops the job (StopJob).

    Args:
        display_name: The vendor's ``DisplayName``, at most 256 characters (templated).
        job_type: The vendor's ``JobType``, e.g. ``PyTorchJob`` (templated).
        job_specs: The vendor's ``JobSpecs``, a list of dicts, one for each kind of node (templated).
        user_command: The vendor's ``UserCommand``, which each node runs (templated).
        workspace_id: The vendor's ``WorkspaceId`` (templated).
        resource_id: The vendor's ``ResourceId``, the resource group; None for the public one (templated).
        priority: The vendor's ``Priority``: 1, the lowest and the vendor's default, to 9 (templated).
        job_max_running_time_minutes: The vendor's ``JobMaxRunningTimeMinutes`` (templated).
        envs: The vendor's ``Envs``, a dict of environment variables (templated).
        data_sources: The vendor's ``DataSources``, a list of dicts (templated).
        code_source: The vendor's ``CodeSource``, a dict (templated).
        thirdparty_libs: The vendor's ``ThirdpartyLibs``, a list of Python packages to install (templated).
        thirdparty_lib_dir: The vendor's ``ThirdpartyLibDir``, the folder of ``requirements.txt`` (templated).
        options: The vendor's ``Options`` (templated).
        user_vpc: The vendor's ``UserVpc``, a dict (templated).
        settings: The vendor's ``Settings``, a dict (templated).
        success_policy: The vendor's ``SuccessPolicy``, for jobs of TensorFlow with several nodes (templated).
        accessibility: The vendor's ``Accessibility``: ``PUBLIC`` or ``PRIVATE`` (templated).
        credential_config: The vendor's ``CredentialConfig``, a dict (templated).
        description: The vendor's ``Description`` (templated).
        template_id: The vendor's ``TemplateId`` (templated).
        template_version: The vendor's ``TemplateVersion`` (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        display_name: Any,
        job_type: Any,
        job_specs: Any,
        user_command: Any,
        workspace_id: Any = None,
        resource_id: Any = None,
        priority: Any = None,
        job_max_running_time_minutes: Any = None,
        envs: Any = None,
        data_sources: Any = None,
        code_source: Any = None,
        thirdparty_libs: Any = None,
        thirdparty_lib_dir: Any = None,
        options: Any = None,
        user_vpc: Any = None,
        settings: Any = None,
        success_policy: Any = None,
        accessibility: Any = None,
        credential_config: Any = None,
        description: Any = None,
        template_id: Any = None,
        template_version: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="pai_dlc.job",
            parameters={
                "DisplayName": display_name,
                "JobType": job_type,
                "JobSpecs": job_specs,
                "UserCommand": user_command,
                "WorkspaceId": workspace_id,
                "ResourceId": resource_id,
                "Priority": priority,
                "JobMaxRunningTimeMinutes": job_max_running_time_minutes,
                "Envs": envs,
                "DataSources": data_sources,
                "CodeSource": code_source,
                "ThirdpartyLibs": thirdparty_libs,
                "ThirdpartyLibDir": thirdparty_lib_dir,
                "Options": options,
                "UserVpc": user_vpc,
                "Settings": settings,
                "SuccessPolicy": success_policy,
                "Accessibility": accessibility,
                "CredentialConfig": credential_config,
                "Description": description,
                "TemplateId": template_id,
                "TemplateVersion": template_version,
            },
            **kwargs,
        )
