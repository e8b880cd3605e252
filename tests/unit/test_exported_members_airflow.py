"""What the public modules export that need Airflow. A name that is missing here is no promise to users."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

import airflow_cloudtasks
from airflow_cloudtasks import assets
from airflow_cloudtasks.hooks import alibaba as alibaba_hooks
from airflow_cloudtasks.hooks import tencent as tencent_hooks
from airflow_cloudtasks.operators import (
    adb,
    batch,
    dataworks,
    dlc,
    emr_serverless_spark,
    fnf,
    oceanus,
    oos,
    pai_dlc,
    tione,
    ververica,
)
from airflow_cloudtasks.operators import alibaba as alibaba_operators
from airflow_cloudtasks.operators import cloud_task as operators
from airflow_cloudtasks.operators import tencent as tencent_operators
from airflow_cloudtasks.sensors import alibaba as alibaba_sensors
from airflow_cloudtasks.sensors import cloud_task as sensors
from airflow_cloudtasks.sensors import dataworks as dataworks_sensors
from airflow_cloudtasks.sensors import tencent as tencent_sensors
from airflow_cloudtasks.triggers import cloud_task as triggers

from .exports import exported

EXPORTS: dict[ModuleType, set[str]] = {
    assets: {"CloudTaskEndedTrigger"},
    sensors: {"CloudTaskSensor"},
    alibaba_sensors: {"BdrcTaskSensor", "BpStudioTaskSensor", "IceWorkflowTaskSensor"},
    dataworks_sensors: {"DataWorksTaskInstanceSensor"},
    tencent_sensors: {"LkeTaskSensor", "WeDataTaskInstanceSensor", "WeDataTaskSensor", "WeDataWorkflowRunSensor"},
    operators: {"CancelCloudTaskOperator", "GetCloudTaskOperator", "StartCloudTaskOperator"},
    alibaba_operators: {
        *("BdrcCheckRulesOperator", "BdrcUpdateResourcesOperator"),
        *("BpStudioExecuteOperationOperator", "BpStudioRunTaskOperator"),
        *("IceStartAIWorkflowOperator", "IceStartWorkflowOperator"),
    },
    tencent_operators: {
        *("LkeExportAttributeLabelOperator", "LkeModifyAttributeLabelOperator"),
        *("WeDataBackfillOperator", "WeDataRerunInstancesOperator", "WeDataRunSqlOperator"),
        "WeDataRunWorkflowOperator",
    },
    adb: {"AdbSparkRunAppOperator", "AdbSparkRunSqlOperator"},
    batch: {"BatchRunJobOperator"},
    dataworks: {"DataWorksRunAdhocWorkflowOperator", "DataWorksRunWorkflowOperator"},
    dlc: {"DlcRunSparkAppOperator", "DlcRunSqlOperator"},
    emr_serverless_spark: {"EmrServerlessSparkRunJobOperator"},
    fnf: {"FnfRunExecutionOperator"},
    oceanus: {"OceanusRunJobOperator"},
    oos: {"OosRunExecutionOperator"},
    pai_dlc: {"PaiDlcRunJobOperator"},
    tione: {"TioneTrainOperator"},
    ververica: {"VervericaRunJobOperator"},
    alibaba_hooks: {"AlibabaCloudHook", "BdrcHook", "BpStudioHook", "IceHook"},
    tencent_hooks: {"LkeHook", "TencentCloudHook", "WeDataHook"},
    triggers: {"CloudTaskTrigger"},
}
modules = pytest.mark.parametrize("module", EXPORTS, ids=lambda module: module.__name__)


@modules
def test_a_module_exports_the_listed_names(module: ModuleType) -> None:
    assert exported(module) == EXPORTS[module]


@modules
def test_every_listed_name_can_be_imported(module: ModuleType) -> None:
    assert [name for name in EXPORTS[module] if not hasattr(module, name)] == []


@modules
def test_a_module_exports_nothing_private(module: ModuleType) -> None:
    assert [name for name in exported(module) if name.startswith("_")] == []


@pytest.mark.parametrize("kind", ["sensors", "operators", "triggers"])
def test_the_lists_cover_every_public_module(kind: str) -> None:
    folder = Path(airflow_cloudtasks.__file__).parent / kind
    public = {f"airflow_cloudtasks.{kind}.{file.stem}" for file in folder.glob("*.py") if not file.stem.startswith("_")}
    # The module of an operator that operators.cloud_task exports.
    public.discard("airflow_cloudtasks.operators.start_cloud_task")
    assert public == {module.__name__ for module in EXPORTS if f".{kind}." in module.__name__}
