"""The operators with arguments of a product's own that have a module a product, as data: the arguments and the result.

``starts_cases`` has those of ``operators.alibaba`` and ``operators.tencent``.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from airflow_cloudtasks.operators.adb import AdbSparkRunAppOperator, AdbSparkRunSqlOperator
from airflow_cloudtasks.operators.batch import BatchRunJobOperator
from airflow_cloudtasks.operators.dataworks import DataWorksRunAdhocWorkflowOperator, DataWorksRunWorkflowOperator
from airflow_cloudtasks.operators.dlc import DlcRunSparkAppOperator, DlcRunSqlOperator
from airflow_cloudtasks.operators.emr_serverless_spark import EmrServerlessSparkRunJobOperator
from airflow_cloudtasks.operators.fnf import FnfRunExecutionOperator
from airflow_cloudtasks.operators.oceanus import OceanusRunJobOperator
from airflow_cloudtasks.operators.oos import OosRunExecutionOperator
from airflow_cloudtasks.operators.pai_dlc import PaiDlcRunJobOperator
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.operators.tione import TioneTrainOperator
from airflow_cloudtasks.operators.ververica import VervericaRunJobOperator


@dataclass(frozen=True, kw_only=True)
class Case:
    """An operator.

    Args:
        operator: Its class.
        api: The API of what it starts.
        arguments: Its own arguments.
        sent: Parameters of the request that starts the task, among others.
        fields: Fields of the task at the cloud.
        outputs: Parts of the result that the operator adds.
        end: How the task ends at the cloud.
    """

    operator: type[StartCloudTaskOperator]
    api: str
    arguments: dict[str, Any]
    sent: dict[str, Any]
    fields: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    end: str = "succeeded"

    @property
    def task_id(self) -> str:
        """The id of the Airflow task."""
        return self.operator.__name__


# Airflow renders it: every argument is a template.
TASK = "{{ ti.task_id }}"
SQL = "SELECT '{{ ti.task_id }}'"
RUN_BY = {"day": "2026-01-31"}

CASES = [
    Case(
        operator=EmrServerlessSparkRunJobOperator,
        api="emr_serverless_spark.job_run",
        arguments={
            "workspace_id": "w-1",
            "code_type": "PYTHON",
            "entry_point": "oss://bucket/{{ ti.task_id }}.py",
            "entry_point_arguments": ["7"],
        },
        sent={
            "codeType": "PYTHON",
            "jobDriver": {
                "sparkSubmit": {
                    "entryPoint": "oss://bucket/EmrServerlessSparkRunJobOperator.py",
                    "entryPointArguments": ["7"],
                }
            },
        },
    ),
    Case(
        operator=AdbSparkRunAppOperator,
        api="adb.spark_app",
        arguments={"db_cluster_id": "amv-1", "resource_group_name": "jobs", "data": {"file": TASK}},
        sent={"ResourceGroupName": "jobs", "Data": json.dumps({"file": "AdbSparkRunAppOperator"})},
    ),
    Case(
        operator=AdbSparkRunSqlOperator,
        api="adb.spark_batch_sql",
        arguments={"db_cluster_id": "amv-1", "resource_group_name": "jobs", "sql": SQL},
        sent={"Query": "SELECT 'AdbSparkRunSqlOperator'"},
    ),
    Case(
        operator=DataWorksRunAdhocWorkflowOperator,
        api="dataworks.workflow_instance",
        arguments={
            "project_id": "10000",
            "name": TASK,
            "workflow_owner": "7",
            "tasks": [{"Name": "a", "ClientUniqueCode": "a", "Type": "ODPS_SQL", "Owner": "7", "RuntimeResource": {}}],
        },
        sent={"Name": "DataWorksRunAdhocWorkflowOperator", "Owner": "7"},
    ),
    Case(
        operator=DataWorksRunWorkflowOperator,
        api="dataworks.workflow_instance",
        arguments={"project_id": "10000", "workflow_id": "7", "name": TASK},
        sent={"Name": "DataWorksRunWorkflowOperator", "Type": "ManualWorkflow"},
    ),
    Case(
        operator=VervericaRunJobOperator,
        api="ververica.job",
        arguments={"workspace": "w-1", "namespace": "default", "deployment_id": TASK},
        sent={"deploymentId": "VervericaRunJobOperator"},
    ),
    Case(
        operator=OceanusRunJobOperator,
        api="oceanus.job",
        arguments={"job_id": TASK, "success_statuses": ["5"]},
        sent={"RunJobDescriptions": [{"JobId": "OceanusRunJobOperator", "RunType": 1}]},
        end="canceled",
    ),
    Case(
        operator=PaiDlcRunJobOperator,
        api="pai_dlc.job",
        arguments={
            "display_name": TASK,
            "job_type": "PyTorchJob",
            "job_specs": [{"Type": "Worker", "PodCount": 1}],
            "user_command": "python train.py",
        },
        sent={"DisplayName": "PaiDlcRunJobOperator", "JobSpecs": [{"Type": "Worker", "PodCount": 1}]},
    ),
    Case(
        operator=FnfRunExecutionOperator,
        api="fnf.execution",
        arguments={"flow_name": "nightly", "execution_name": TASK, "flow_input": RUN_BY},
        sent={"ExecutionName": "FnfRunExecutionOperator", "Input": json.dumps(RUN_BY)},
        fields={"Output": '{"rows": 7}'},
        outputs={"execution_output": {"rows": 7}},
    ),
    Case(
        operator=OosRunExecutionOperator,
        api="oos.execution",
        arguments={"template_name": TASK, "template_parameters": RUN_BY},
        sent={"TemplateName": "OosRunExecutionOperator", "Parameters": json.dumps(RUN_BY)},
        fields={"Outputs": '{"instances": ["i-1"]}'},
        outputs={"execution_outputs": {"instances": ["i-1"]}},
    ),
    Case(
        operator=DlcRunSqlOperator,
        api="dlc.task",
        arguments={"sql": SQL, "config": {"a": 1}},
        sent={
            "Task": {
                "SQLTask": {
                    "SQL": b64encode(b"SELECT 'DlcRunSqlOperator'").decode(),
                    "Config": [{"Key": "a", "Value": "1"}],
                }
            }
        },
    ),
    Case(
        operator=DlcRunSparkAppOperator,
        api="dlc.task",
        arguments={"job_name": "nightly", "cmd_args": TASK},
        sent={"JobName": "nightly", "CmdArgs": "DlcRunSparkAppOperator"},
    ),
    Case(
        operator=TioneTrainOperator,
        api="tione.training_task",
        arguments={"name": TASK, "charge_type": "PREPAID", "resource_config_infos": [{"Role": "WORKER"}]},
        sent={"Name": "TioneTrainOperator", "ResourceConfigInfos": [{"Role": "WORKER"}]},
    ),
    Case(
        operator=BatchRunJobOperator,
        api="batch.job",
        arguments={"placement": {"Zone": "ap-guangzhou-2"}, "job": {"JobName": TASK, "Tasks": []}},
        sent={"Job": {"JobName": "BatchRunJobOperator", "Tasks": []}},
    ),
]
