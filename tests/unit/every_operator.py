"""Sample arguments for every operator with arguments of its own, as Python values and not in the vendor's format."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from airflow_cloudtasks import operators
from airflow_cloudtasks.operators.adb import AdbSparkRunAppOperator, AdbSparkRunSqlOperator
from airflow_cloudtasks.operators.alibaba import (
    BdrcCheckRulesOperator,
    BdrcUpdateResourcesOperator,
    BpStudioExecuteOperationOperator,
    BpStudioRunTaskOperator,
    IceStartAIWorkflowOperator,
    IceStartWorkflowOperator,
)
from airflow_cloudtasks.operators.batch import BatchRunJobOperator
from airflow_cloudtasks.operators.dataworks import DataWorksRunAdhocWorkflowOperator, DataWorksRunWorkflowOperator
from airflow_cloudtasks.operators.dlc import DlcRunSparkAppOperator, DlcRunSqlOperator
from airflow_cloudtasks.operators.emr_serverless_spark import EmrServerlessSparkRunJobOperator
from airflow_cloudtasks.operators.fnf import FnfRunExecutionOperator
from airflow_cloudtasks.operators.oceanus import OceanusRunJobOperator
from airflow_cloudtasks.operators.oos import OosRunExecutionOperator
from airflow_cloudtasks.operators.pai_dlc import PaiDlcRunJobOperator
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.operators.tencent import (
    LkeExportAttributeLabelOperator,
    LkeModifyAttributeLabelOperator,
    WeDataBackfillOperator,
    WeDataRerunInstancesOperator,
    WeDataRunSqlOperator,
    WeDataRunWorkflowOperator,
)
from airflow_cloudtasks.operators.tione import TioneTrainOperator
from airflow_cloudtasks.operators.ververica import VervericaRunJobOperator
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.start_requests import with_mark

Operator = type[StartCloudTaskOperator]

TIME = datetime(2026, 1, 31, 20, 30, tzinfo=UTC)
DAY = date(2026, 1, 31)

EVERYTHING: dict[Operator, dict[str, Any]] = {
    IceStartWorkflowOperator: {
        "workflow_id": "w",
        "task_input": {"Type": "OSS", "Media": "oss://bucket/影片.mp4", "At": TIME, "Nothing": None},
        "user_data": {"dag": "nightly", "try": 1},
        "skip_input_verification": True,
    },
    IceStartAIWorkflowOperator: {
        "workflow_id": "w",
        "inputs": [{"Name": "video", "Value": ["a", 1, 0.5, None, TIME]}],
        "user_data": {"day": DAY},
        "dispatch_tag": 7,
    },
    BpStudioRunTaskOperator: {
        "app_id": "a",
        "process_id": 12,
        "task_name": "nightly",
        "variables": {"${zone}": "cn-hangzhou-h", "${count}": 3, "${tags}": ["a"]},
        "error_message_fails": False,
        "success_statuses": ["BINDING"],
    },
    BpStudioExecuteOperationOperator: {
        "service_type": "ecs",
        "operation": "rename",
        "application_id": "a",
        "attributes": {"instanceId": "i-1", "newName": {"zh": "新名"}, "force": True},
        "resource_group_id": "r",
    },
    BdrcUpdateResourcesOperator: {"resource_type": "ACS::ECS::Instance"},
    BdrcCheckRulesOperator: {"resource_arn": "acs:ecs:cn-shanghai:1:instance/i-1", "rule_id": "r"},
    WeDataRunWorkflowOperator: {
        "project_id": 1460947878944567296,
        "workflow_id": "w",
        "advanced_params": {"day": DAY, "at": TIME, "full": True, "share": 0.5, "tables": ["a", "b"], "no": {"a": 1}},
        "wedata_task_ids": ("20260101000000001", 20260101000000002),
        "scheduling_resource_group_id": "s",
        "integration_resource_group_id": "i",
    },
    WeDataRunSqlOperator: {
        "project_id": 1460947878944567296,
        "sql": "SELECT '订单' FROM t WHERE day = '${day}'",
        "script_id": "s",
        "datasource_id": 65619,
        "datasource_env": "PROD",
        "compute_resource": "studio_2",
        "executor_group_id": 20260107105230846836,
        "variables": {"day": DAY, "limit": 10},
        "advance_config": {"set": ["a=1"]},
        "run_params": {"executorNum": 1, "executorMem": "2G"},
        "max_rows": 10,
    },
    WeDataBackfillOperator: {
        "project_id": "1460947878944567296",
        "wedata_task_ids": ["20260101000000001", 20260101000000002],
        "data_ranges": [
            (DAY, TIME),
            ["2026-01-01", "2026-01-02"],
            {"StartDate": TIME, "EndDate": DAY, "ExecutionStartTime": "00:00", "ExecutionEndTime": "23:59"},
        ],
        "plan_name": "nightly",
        "time_zone": "UTC+8",
        "check_parent_type": "NONE",
        "skip_event_listening": False,
        "redefine_self_workflow_dependency": "no",
        "redefine_parallel_num": 2,
        "redefine_params": {"day": DAY, "limit": 10},
        "data_time_order": "NORMAL",
        "redefine_cycle_type": "MONTH_CYCLE",
        "scheduler_resource_group_id": "s",
        "integration_resource_group_id": "i",
        "compute_config_mappings": [
            {
                "TaskTypeId": "35",
                "ComputeConfigItem": "c",
                "TaskIds": ["1", 2],
                "SourceValue": 1,
                "TargetValue": True,
            }
        ],
    },
    WeDataRerunInstancesOperator: {
        "project_id": "1460947878944567296",
        "instance_keys": ["20250714200130106_2025-10-01 00:00:00"],
        "rerun_type": 1,
        "check_parent_type": "ALL",
        "son_range_type": "WORKFLOW",
        "skip_event_listening": True,
        "redefine_parallel_num": "3",
        "redefine_self_workflow_dependency": "yes",
        "redefine_params": {"day": DAY},
    },
    LkeModifyAttributeLabelOperator: {
        "bot_biz_id": 1767024172536168448,
        "attribute_biz_id": 208,
        "attr_name": "部门",
        "attr_key": "department",
        "labels": [{"LabelBizId": 5, "LabelName": "财务", "SimilarLabels": ["钱"]}, {"LabelName": None}],
        "delete_label_biz_ids": [1, "2"],
        "login_uin": 100028579801,
        "login_sub_account_uin": 100028579802,
    },
    LkeExportAttributeLabelOperator: {
        "bot_biz_id": 1767024172536168448,
        "attribute_biz_ids": [1734549420823662592],
        "filters": {"Query": "部门"},
        "login_uin": 100028579801,
        "login_sub_account_uin": 100028579802,
    },
    DataWorksRunWorkflowOperator: {
        "project_id": 10001,
        "workflow_id": 7001,
        "name": "nightly",
        "instance_type": "SupplementData",
        "periods": {"BizDates": [{"StartBizDate": "2026-01-31", "EndBizDate": "2026-01-31"}]},
        "default_run_properties": {"RootTaskIds": [7], "Mode": "General"},
        "workflow_parameters": {"day": "2026-01-31"},
        "task_parameters": {"7": "day=2026-01-31"},
        "env_type": "Prod",
        "comment": "by Airflow",
    },
    VervericaRunJobOperator: {
        "workspace": "w-1",
        "namespace": "default",
        "deployment_id": "d-1",
        "local_variables": [{"name": "day", "value": "2026-01-31"}],
        "resource_queue_name": "default-queue",
        "restore_strategy": {"kind": "LATEST_STATE", "allowNonRestoredState": True, "jobStartTimeInMs": 1795622400000},
    },
    OceanusRunJobOperator: {
        "job_id": "cql-1",
        "run_type": 1,
        "work_space_id": "space-1",
        "start_mode": "LATEST",
        "job_config_version": 2,
        "savepoint_path": "cosn://bucket/savepoint",
        "savepoint_id": "s-1",
        "use_old_system_connector": False,
        "custom_timestamp": 1795622400000,
        "kafka_scan_mode": "latest-offset",
    },
    EmrServerlessSparkRunJobOperator: {
        "workspace_id": "w-1",
        "code_type": "PYTHON",
        "entry_point": "oss://bucket/作业.py",
        "entry_point_arguments": ["--day", "2026-01-31"],
        "spark_submit_parameters": "--conf spark.executor.cores=4",
        "name": "nightly",
        "job_id": "j-1",
        "resource_queue_id": "root_queue",
        "release_version": "esr-4.0",
        "display_release_version": "esr-4.0 (Spark 3.5.2)",
        "configuration_overrides": {"configurations": [{"configFileName": "spark-defaults.conf"}]},
        "execution_timeout_seconds": 3600,
        "fusion": True,
        "tags": [{"key": "dag", "value": "nightly"}],
    },
    AdbSparkRunAppOperator: {
        "db_cluster_id": "amv-1",
        "resource_group_name": "jobs",
        "data": {"file": "oss://bucket/作业.py", "args": ["1"], "conf": {"spark.executor.instances": 2}},
        "app_name": "nightly",
        "app_type": "BATCH",
        "template_file_id": 7,
        "agent_source": "airflow",
        "agent_version": "3",
    },
    AdbSparkRunSqlOperator: {
        "db_cluster_id": "amv-1",
        "resource_group_name": "jobs",
        "sql": "SELECT '订单'; SELECT 2;",
        "schema": "sales",
        "runtime_config": {"spark.sql.shuffle.partitions": 8},
        "execute_time_limit_in_seconds": 3600,
        "execute_result_limit": 64,
        "agency": "airflow",
    },
    DataWorksRunAdhocWorkflowOperator: {
        "project_id": "10000",
        "name": "nightly",
        "workflow_owner": "1107550004253538",
        "tasks": [
            {
                "Name": "订单",
                "ClientUniqueCode": "orders",
                "Type": "ODPS_SQL",
                "Owner": "1107550004253538",
                "RuntimeResource": {"ResourceGroupId": "r"},
                "Script": {"Content": "SELECT 1;"},
            }
        ],
        "biz_date": "1769788800000",
        "env_type": "Prod",
    },
    PaiDlcRunJobOperator: {
        "display_name": "nightly",
        "job_type": "PyTorchJob",
        "job_specs": [{"Type": "Worker", "Image": "torch", "PodCount": 1, "EcsSpec": "ecs.g6.large"}],
        "user_command": "python train.py",
        "workspace_id": 7,
        "resource_id": "r",
        "priority": 3,
        "job_max_running_time_minutes": 60,
        "envs": {"DAY": "2026-01-31"},
        "data_sources": [{"DataSourceId": "d-1"}],
        "code_source": {"CodeSourceId": "c-1"},
        "thirdparty_libs": ["numpy==2.0"],
        "thirdparty_lib_dir": "/mnt/code",
        "options": "key1=value1",
        "user_vpc": {"VpcId": "v"},
        "settings": {"EnableErrorMonitoringInAIMaster": True},
        "success_policy": "AllWorkers",
        "accessibility": "PRIVATE",
        "credential_config": {"EnableCredentialInject": False},
        "description": "每晚",
        "template_id": "t",
        "template_version": 1,
    },
    FnfRunExecutionOperator: {
        "flow_name": "nightly",
        "execution_name": "run-1",
        "flow_input": {"day": "2026-01-31", "城市": ["北京"]},
        "qualifier": "prod",
        "callback_fnf_task_token": "token",
    },
    OosRunExecutionOperator: {
        "template_name": "restart",
        "template_content": "{}",
        "template_url": "oss://bucket/template.yml",
        "template_version": "v1",
        "template_parameters": {"instanceIds": ["i-1"]},
        "mode": "Automatic",
        "loop_mode": "Automatic",
        "safety_check": "Skip",
        "description": "nightly",
        "resource_group_id": "r",
        "parent_execution_id": "exec-0",
        "tags": {"dag": "nightly"},
    },
    DlcRunSqlOperator: {
        "sql": "SELECT '订单'",
        "sql_kind": "SparkSQLTask",
        "config": {"spark.sql.shuffle.partitions": "8"},
        "database_name": "sales",
        "datasource_connection_name": "DataLakeCatalog",
        "data_engine_name": "engine",
        "resource_group_name": "group",
        "source_info": {"dag": "nightly"},
        "max_rows": 10,
    },
    DlcRunSparkAppOperator: {"job_name": "nightly", "cmd_args": "--day 2026-01-31", "source_info": {"dag": "nightly"}},
    TioneTrainOperator: {
        "name": "nightly",
        "charge_type": "POSTPAID_BY_HOUR",
        "resource_config_infos": [{"Role": "WORKER", "InstanceType": "TI.S.MEDIUM.POST", "InstanceNum": 1}],
        "ti_project_id": "1",
        "framework_name": "PYTORCH",
        "framework_version": "1.9",
        "framework_environment": "torch1.9-py3.8-cuda11.1-gpu",
        "resource_group_id": "r",
        "training_mode": "DDP",
        "image_info": {"ImageType": "SYSTEM", "ImageUrl": "torch"},
        "code_package_path": {"Bucket": "b", "Region": "ap-guangzhou", "Paths": ["code/"]},
        "code_repos": [{"Id": "r", "TargetPath": "/code"}],
        "start_cmd_info": {"StartCmd": "python3 train.py"},
        "encoded_start_cmd_info": {"StartCmdInfo": "cHl0aG9u"},
        "tuning_parameters": '{"lr": 0.1}',
        "data_source": "COS",
        "data_configs": [{"MappingPath": "/data", "DataSourceType": "COS"}],
        "training_output": {"Bucket": "b", "Region": "ap-guangzhou", "Paths": ["out/"]},
        "envs": [{"Name": "DAY", "Value": "2026-01-31"}],
        "vpc_id": "v",
        "subnet_id": "s",
        "log_enable": True,
        "log_config": {"LogsetId": "l", "TopicId": "t"},
        "tags": [{"TagKey": "dag", "TagValue": "nightly"}],
        "remark": "每晚",
        "callback_url": "https://example.org/called",
        "expose_network_config": {},
        "train_tool_config": {},
        "resource_supply_attribute": {},
        "queues": ["q"],
    },
    BatchRunJobOperator: {
        "placement": {"Zone": "ap-guangzhou-2", "ProjectId": 0},
        "job": {
            "JobName": "nightly",
            "Tasks": [
                {
                    "TaskName": "orders",
                    "Application": {"DeliveryForm": "LOCAL", "Command": "echo 1"},
                    "TaskInstanceNum": 1,
                }
            ],
        },
    },
}

# For operators that require one of several arguments.
CHOICES: dict[Operator, dict[str, Any]] = {WeDataRunSqlOperator: {"script_id": "s"}}


def of(cloud: str) -> list[Operator]:
    """Return the operators of a cloud."""
    return [operator for operator in EVERYTHING if with_what_is_needed(operator).api.cloud == cloud]


def own_arguments(operator: Operator) -> dict[str, bool]:
    """Return the arguments that an operator does not share with the others, each with whether it is required."""
    accepted = inspect.signature(operator.__init__).parameters.values()
    return {one.name: one.default is one.empty for one in accepted if one.kind is one.KEYWORD_ONLY}


def typed_operators() -> set[Operator]:
    """Return all of them, from every module of the operators' package."""
    modules = [import_module(f"{operators.__name__}.{file.name}") for file in iter_modules(operators.__path__)]
    return {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, StartCloudTaskOperator) and found is not StartCloudTaskOperator
    }


def with_everything(operator: Operator) -> StartCloudTaskOperator:
    return operator(task_id="start", **EVERYTHING[operator])


def with_what_is_needed(operator: Operator) -> StartCloudTaskOperator:
    needed = {name for name, is_needed in own_arguments(operator).items() if is_needed}
    given = {name: value for name, value in EVERYTHING[operator].items() if name in needed}
    return operator(task_id="start", **given, **CHOICES.get(operator, {}))


def parameters_of(operator: StartCloudTaskOperator) -> dict[str, Any]:
    """Return the parameters of the vendor's action, with the mark or token of the request."""
    given = {name: value for name, value in (operator.parameters or {}).items() if value is not None}
    return with_mark(operator.start, given, "0123456789abcdef0123456789abcdef")


def request_of(operator: StartCloudTaskOperator) -> dict[str, Any]:
    """Return the parameters of the start request as sent."""
    return encode(operator.api, operator.start, parameters_of(operator))
