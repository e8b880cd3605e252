"""Sample arguments for every operator with arguments of its own, as Python values and not in the vendor's format."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from airflow_cloudtasks import operators
from airflow_cloudtasks.operators.alibaba import (
    BdrcCheckRulesOperator,
    BdrcUpdateResourcesOperator,
    BpStudioExecuteOperationOperator,
    BpStudioRunTaskOperator,
    IceStartAIWorkflowOperator,
    IceStartWorkflowOperator,
)
from airflow_cloudtasks.operators.dataworks import DataWorksRunWorkflowOperator
from airflow_cloudtasks.operators.oceanus import OceanusRunJobOperator
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.operators.tencent import (
    LkeExportAttributeLabelOperator,
    LkeModifyAttributeLabelOperator,
    WeDataBackfillOperator,
    WeDataRerunInstancesOperator,
    WeDataRunSqlOperator,
    WeDataRunWorkflowOperator,
)
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
