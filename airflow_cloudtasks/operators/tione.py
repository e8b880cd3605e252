"""Operator for Tencent Cloud TI-ONE, with one argument for each parameter of the action."""

from __future__ import annotations

from typing import Any

from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator


class TioneTrainOperator(StartCloudTaskOperator):
    """Train a model in TI-ONE (CreateTrainingTask), and wait for the training task.

    A kill of the Airflow task stops the training task (StopTrainingTask).

    Args:
        name: The vendor's ``Name``, at most 60 characters (templated).
        charge_type: The vendor's ``ChargeType``: ``PREPAID`` for a resource group or ``POSTPAID_BY_HOUR`` (templated).
        resource_config_infos: The vendor's ``ResourceConfigInfos``, a list of dicts, e.g. ``{"Role": "WORKER",
            "InstanceType": …, "InstanceNum": 1}`` (templated).
        ti_project_id: The vendor's ``TiProjectId``; None for the default workspace (templated).
        framework_name: The vendor's ``FrameworkName``, e.g. ``PYTORCH`` (templated).
        framework_version: The vendor's ``FrameworkVersion``, e.g. ``1.9`` (templated).
        framework_environment: The vendor's ``FrameworkEnvironment``, e.g. ``torch1.9-py3.8-cuda11.1-gpu`` (templated).
        resource_group_id: The vendor's ``ResourceGroupId`` (templated).
        training_mode: The vendor's ``TrainingMode``, e.g. ``DDP`` (templated).
        image_info: The vendor's ``ImageInfo``, a dict (templated).
        code_package_path: The vendor's ``CodePackagePath``, a dict with ``Bucket``, ``Region`` and ``Paths``
            (templated).
        code_repos: The vendor's ``CodeRepos``, a list of dicts (templated).
        start_cmd_info: The vendor's ``StartCmdInfo``, a dict, e.g. ``{"StartCmd": "python3 train.py"}`` (templated).
        encoded_start_cmd_info: The vendor's ``EncodedStartCmdInfo``, a dict that replaces ``start_cmd_info``
            (templated).
        tuning_parameters: The vendor's ``TuningParameters``, at most 2,048 characters (templated).
        data_source: The vendor's ``DataSource``, e.g. ``COS`` (templated).
        data_configs: The vendor's ``DataConfigs``, a list of at most 10 dicts (templated).
        training_output: The vendor's ``Output``, a dict with ``Bucket``, ``Region`` and ``Paths`` (templated).
        envs: The vendor's ``Envs``, a list of dicts with ``Name`` and ``Value`` (templated).
        vpc_id: The vendor's ``VpcId`` (templated).
        subnet_id: The vendor's ``SubnetId`` (templated).
        log_enable: The vendor's ``LogEnable``: whether logs are sent to CLS (templated).
        log_config: The vendor's ``LogConfig``, a dict (templated).
        tags: The vendor's ``Tags``, a list of dicts with ``TagKey`` and ``TagValue`` (templated).
        remark: The vendor's ``Remark``, at most 1,024 characters (templated).
        callback_url: The vendor's ``CallbackUrl`` (templated).
        expose_network_config: The vendor's ``ExposeNetworkConfig``, a dict (templated).
        train_tool_config: The vendor's ``TrainToolConfig``, a dict (templated).
        resource_supply_attribute: The vendor's ``ResourceSupplyAttribute``, a dict (templated).
        queues: The vendor's ``Queues``, a list of ids (templated).
        **kwargs: Arguments of :class:`~airflow_cloudtasks.operators.start_cloud_task.StartCloudTaskOperator`.
    """

    def __init__(
        self,
        *,
        name: Any,
        charge_type: Any,
        resource_config_infos: Any,
        ti_project_id: Any = None,
        framework_name: Any = None,
        framework_version: Any = None,
        framework_environment: Any = None,
        resource_group_id: Any = None,
        training_mode: Any = None,
        image_info: Any = None,
        code_package_path: Any = None,
        code_repos: Any = None,
        start_cmd_info: Any = None,
        encoded_start_cmd_info: Any = None,
        tuning_parameters: Any = None,
        data_source: Any = None,
        data_configs: Any = None,
        training_output: Any = None,
        envs: Any = None,
        vpc_id: Any = None,
        subnet_id: Any = None,
        log_enable: Any = None,
        log_config: Any = None,
        tags: Any = None,
        remark: Any = None,
        callback_url: Any = None,
        expose_network_config: Any = None,
        train_tool_config: Any = None,
        resource_supply_attribute: Any = None,
        queues: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            api="tione.training_task",
            parameters={
                "Name": name,
                "ChargeType": charge_type,
                "ResourceConfigInfos": resource_config_infos,
                "TiProjectId": ti_project_id,
                "FrameworkName": framework_name,
                "FrameworkVersion": framework_version,
                "FrameworkEnvironment": framework_environment,
                "ResourceGroupId": resource_group_id,
                "TrainingMode": training_mode,
                "ImageInfo": image_info,
                "CodePackagePath": code_package_path,
                "CodeRepos": code_repos,
                "StartCmdInfo": start_cmd_info,
                "EncodedStartCmdInfo": encoded_start_cmd_info,
                "TuningParameters": tuning_parameters,
                "DataSource": data_source,
                "DataConfigs": data_configs,
                "Output": training_output,
                "Envs": envs,
                "VpcId": vpc_id,
                "SubnetId": subnet_id,
                "LogEnable": log_enable,
                "LogConfig": log_config,
                "Tags": tags,
                "Remark": remark,
                "CallbackUrl": callback_url,
                "ExposeNetworkConfig": expose_network_config,
                "TrainToolConfig": train_tool_config,
                "ResourceSupplyAttribute": resource_supply_attribute,
                "Queues": queues,
            },
            **kwargs,
        )
