"""The operators that start tasks, as data: the arguments, the expected request, and how the task fails."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

from airflow_cloudtasks.catalog.ice import ICE
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.operators.alibaba import (
    BdrcCheckRulesOperator,
    BdrcUpdateResourcesOperator,
    BpStudioExecuteOperationOperator,
    BpStudioRunTaskOperator,
    IceStartAIWorkflowOperator,
    IceStartWorkflowOperator,
)
from airflow_cloudtasks.operators.cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.operators.tencent import (
    LkeExportAttributeLabelOperator,
    LkeModifyAttributeLabelOperator,
    WeDataBackfillOperator,
    WeDataRerunInstancesOperator,
    WeDataRunSqlOperator,
    WeDataRunWorkflowOperator,
)
from airflow_cloudtasks.spec import Action, Cancel, Start, TaskApi

# What becomes of an operator's task in one run of it: one Airflow task each.
SUCCEEDS, FAILS = "succeeds", "fails"
KILLED_ON_WORKER, KILLED_IN_TRIGGERER = "killed_on_worker", "killed_in_triggerer"
KILLS = (KILLED_ON_WORKER, KILLED_IN_TRIGGERER)
ENDS = (SUCCEEDS, FAILS, *KILLS)

# Stands for the Airflow task's id, by which what it started is known.
TASK = "{{ ti.task_id }}"
PROJECT = "2417334454903762944"
DAY = "2026-01-02"

# The APIs of the emulator whose tasks run until the test ends them.
RUNNING_APIS = (
    *("wedata.workflow_run", "wedata.task_run", "wedata.sql_run", "wedata.backfill", "wedata.task_instance"),
    *("ice.workflow_task", "ice.ai_workflow_task"),
    *("bpstudio.task", "bpstudio.operation", "bdrc.task", "lke.task"),
)
ROWS = [{"day": DAY, "orders": "17"}, {"day": "2026-01-03", "orders": None}]

# An API that the package does not know, as a user would define it: it reads what the emulator serves in another way.
OWN_API = TaskApi(
    name="own.media_task",
    service=ICE,
    read=Action(name="GetAIWorkflowTask", params=("TaskId",), params_in="query"),
    task="WorkflowTask",
    states={
        "running": TaskState.RUNNING,
        "succeeded": TaskState.SUCCEEDED,
        "failed": TaskState.FAILED,
        "stopped": TaskState.CANCELED,
    },
    id="TaskId",
    message="Reason",
    starts=(
        Start(
            action=Action(
                name="StartAIWorkflow", params=("WorkflowId",), optional=("Inputs", "UserData"), params_in="query"
            ),
            id="TaskId",
            encodings={"Inputs": "json"},
        ),
    ),
    cancel=Cancel(action=Action(name="StopAIWorkflowTask", params=("TaskId",), params_in="query")),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """An operator.

    Args:
        name: What its Airflow tasks' ids begin with.
        operator: Its class.
        api: The API of what it starts, as the emulator calls it.
        named: The API as the operator calls it; by default, the emulator's name.
        arguments: Its arguments. They are templates that hold the Airflow task's id.
        sent: The parameters that the cloud gets, with the same templates.
        base64: Parameters that are sent in Base64.
        marks: Parameters that the package adds, or adds to, by itself.
        fails: How the next tasks go that are to fail: API, status and fields.
        why: What the log says then.
        cancels: Whether the vendor can cancel.
        outputs: What XCom gets besides, by key; a value that holds an id in the place of ``{id}``.
    """

    name: str
    operator: type[StartCloudTaskOperator]
    api: str
    named: str = ""
    arguments: dict[str, Any]
    sent: dict[str, Any]
    base64: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    fails: tuple[tuple[str, str, dict[str, Any]], ...]
    why: tuple[str, ...]
    cancels: bool = False
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def is_list(self) -> bool:
        """Whether it starts, and returns, several tasks."""
        return "InstanceKeyList" in self.sent

    def task_id(self, end: str) -> str:
        """Return the id of the Airflow task that ends this way."""
        return f"{self.name}_{end}"

    def sent_by(self, task_id: str) -> dict[str, Any]:
        """Return the parameters that the cloud gets from an Airflow task, without the marks."""
        sent = _of(self.sent, task_id)
        return sent | {name: b64encode(sent[name].encode()).decode() for name in self.base64}

    def instances_of(self, task_id: str) -> list[str]:
        """Return the ids that an Airflow task names itself."""
        keys: list[str] = _of(self.sent.get("InstanceKeyList", []), task_id)
        return keys


def _of(value: Any, task_id: str) -> Any:
    return json.loads(json.dumps(value).replace(TASK, task_id))


# Of two operators of one API that fail in the same run, nobody knows which comes first: both fail alike.
_AI_FAILS = (
    "ice.ai_workflow_task",
    "failed",
    {
        "NodeResults": json.dumps(
            {"node-1": {"Status": "failed", "NodeName": "Subtitles", "Message": "there is no speech"}}
        ),
        "Reason": "the medium cannot be read",
    },
)
_BDRC_FAILS = ("bdrc.task", "FAILED", {"ErrorMessage": "the resource was released meanwhile"})
_LKE_FAILS = ("lke.task", "FAILED", {"Message": "the label is held by another change"})

CASES = [
    Case(
        name="workflow",
        operator=WeDataRunWorkflowOperator,
        api="wedata.workflow_run",
        arguments={
            "project_id": PROJECT,
            "workflow_id": TASK,
            "advanced_params": {"day": "{{ params.day }}"},
            "wedata_task_ids": ["20260101000000001"],
        },
        sent={
            "ProjectId": PROJECT,
            "WorkflowId": TASK,
            "AdvancedParams": [{"ParamKey": "day", "ParamValue": DAY}],
            "TaskIds": ["20260101000000001"],
        },
        fails=(
            ("wedata.workflow_run", "FAILED", {}),
            ("wedata.task_run", "FAILED", {"TaskName": "load_orders", "ErrorCodeStr": "no such table"}),
        ),
        why=("load_orders", "no such table"),
        cancels=True,
    ),
    Case(
        name="sql",
        operator=WeDataRunSqlOperator,
        api="wedata.sql_run",
        arguments={
            "project_id": PROJECT,
            "sql": f"SELECT '{TASK}'",
            "datasource_id": "77",
            "variables": {"day": "{{ params.day }}"},
        },
        sent={
            "ProjectId": PROJECT,
            "ScriptContent": f"SELECT '{TASK}'",
            "ScriptConfig": {"DatasourceId": "77", "Params": json.dumps({"day": DAY})},
        },
        base64=("ScriptContent",),
        fails=(("wedata.sql_run", "FAILED", {"StatusMessage": "column orders is ambiguous"}),),
        why=("column orders is ambiguous",),
        cancels=True,
        outputs={"rows": ROWS},
    ),
    Case(
        name="backfill",
        operator=WeDataBackfillOperator,
        api="wedata.backfill",
        arguments={
            "project_id": PROJECT,
            "wedata_task_ids": ["20260101000000001"],
            "data_ranges": [("{{ params.day }}", "2026-01-03")],
            "plan_name": TASK,
        },
        sent={
            "ProjectId": PROJECT,
            "TaskIds": ["20260101000000001"],
            "DataBackfillRangeList": [{"StartDate": DAY, "EndDate": "2026-01-03"}],
            "DataBackfillPlanName": TASK,
        },
        fails=(("wedata.backfill", "100/50", {}),),
        why=("2026-01-03", "is EXPIRED", "the end of its log"),
        cancels=True,
    ),
    Case(
        name="instances",
        operator=WeDataRerunInstancesOperator,
        api="wedata.task_instance",
        arguments={"project_id": PROJECT, "instance_keys": [f"{TASK}_1", f"{TASK}_2"], "rerun_type": "1"},
        sent={"ProjectId": PROJECT, "InstanceKeyList": [f"{TASK}_1", f"{TASK}_2"], "RerunType": "1"},
        fails=(
            (
                "wedata.task_instance",
                "EXPIRED",
                {"LogInfo": "begin<br>the disk is full", "JobErrorMsg": "exit code 28"},
            ),
            ("wedata.task_instance", "COMPLETED", {}),
        ),
        why=("exit code 28", "the end of its log", "the disk is full"),
        cancels=True,
    ),
    Case(
        name="media",
        operator=IceStartWorkflowOperator,
        api="ice.workflow_task",
        arguments={
            "workflow_id": TASK,
            "task_input": {"Type": "Media", "Media": "m-1"},
            "user_data": {"day": "{{ params.day }}"},
        },
        sent={"WorkflowId": TASK, "TaskInput": json.dumps({"Type": "Media", "Media": "m-1"})},
        marks=("UserData",),
        fails=(
            (
                "ice.workflow_task",
                "Failed",
                {
                    "ActivityResults": json.dumps(
                        {"act-1": {"Status": "Failed", "ActivityName": "Transcode", "Message": "no such codec"}}
                    )
                },
            ),
        ),
        why=("Transcode", "no such codec"),
    ),
    Case(
        name="ai",
        operator=IceStartAIWorkflowOperator,
        api="ice.ai_workflow_task",
        arguments={"workflow_id": TASK, "inputs": {"Media": "m-1"}, "user_data": "{{ params.day }}"},
        sent={"WorkflowId": TASK, "Inputs": json.dumps({"Media": "m-1"}), "UserData": DAY},
        fails=(_AI_FAILS,),
        why=("Subtitles", "there is no speech"),
        cancels=True,
    ),
    Case(
        name="architecture",
        operator=BpStudioRunTaskOperator,
        api="bpstudio.task",
        arguments={"app_id": "JX1", "process_id": "64QQ", "task_name": TASK, "variables": {"size": "small"}},
        sent={"AppId": "JX1", "ProcessId": "64QQ", "TaskName": TASK, "Variables": json.dumps({"size": "small"})},
        fails=(("bpstudio.task", "FINISH", {"ErrorMessage": "the quota is used up"}),),
        why=("the quota is used up",),
    ),
    Case(
        name="operation",
        operator=BpStudioExecuteOperationOperator,
        api="bpstudio.operation",
        arguments={"service_type": "ecs", "operation": "rename", "attributes": {"name": TASK}},
        sent={"ServiceType": "ecs", "Operation": "rename", "Attributes": json.dumps({"name": TASK})},
        marks=("ClientToken",),
        fails=(("bpstudio.operation", "FAILURE", {"Message": "the name is taken"}),),
        why=("the name is taken",),
    ),
    Case(
        name="resources",
        operator=BdrcUpdateResourcesOperator,
        api="bdrc.task",
        arguments={"resource_type": TASK},
        sent={"ResourceType": TASK},
        fails=(_BDRC_FAILS,),
        why=("the resource was released meanwhile",),
    ),
    Case(
        name="rules",
        operator=BdrcCheckRulesOperator,
        api="bdrc.task",
        arguments={"resource_arn": TASK, "rule_id": "r-1"},
        sent={"ResourceArn": TASK, "RuleId": "r-1"},
        fails=(_BDRC_FAILS,),
        why=("the resource was released meanwhile",),
    ),
    Case(
        name="modify",
        operator=LkeModifyAttributeLabelOperator,
        api="lke.task",
        arguments={
            "bot_biz_id": "7",
            "attribute_biz_id": "8",
            "attr_name": TASK,
            "labels": [{"LabelName": "blue", "SimilarLabels": ["azure"]}],
        },
        sent={
            "BotBizId": "7",
            "AttributeBizId": "8",
            "AttrName": TASK,
            "Labels": [{"LabelName": "blue", "SimilarLabels": ["azure"]}],
        },
        fails=(_LKE_FAILS,),
        why=("the label is held by another change",),
    ),
    Case(
        name="export",
        operator=LkeExportAttributeLabelOperator,
        api="lke.task",
        arguments={"bot_biz_id": "7", "filters": {"Query": TASK}},
        sent={"BotBizId": "7", "Filters": {"Query": TASK}},
        fails=(_LKE_FAILS,),
        why=("the label is held by another change",),
        outputs={"cos_path": "/public/7/export/{id}.xlsx"},
    ),
    Case(
        name="own",
        operator=StartCloudTaskOperator,
        api="ice.ai_workflow_task",
        named=OWN_API.name,
        arguments={"api": OWN_API, "parameters": {"WorkflowId": TASK, "Inputs": {"Media": "m-2"}}},
        sent={"WorkflowId": TASK, "Inputs": json.dumps({"Media": "m-2"})},
        fails=(_AI_FAILS,),
        why=("the medium cannot be read",),
        cancels=True,
    ),
]
_BY_NAME = {case.name: case for case in CASES}
# Two more tasks of this operator are killed, with cancel_on_kill=False.
KEPT = _BY_NAME["sql"]
KEPT_TASKS = tuple(f"kept_when_{end}" for end in KILLS)
# One more of this operator does not wait, and another Airflow task cancels what it started.
LEFT = _BY_NAME["workflow"]
LEFT_TASK = "left"
