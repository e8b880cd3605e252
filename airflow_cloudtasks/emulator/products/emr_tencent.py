"""EMR's job flows and clusters' flows: read and started. A job flow that fails is finished, and a step has failed.

Source: the definitions and examples of EMR 2019-01-03 that tccli ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_number
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Call

EMR = Product("tencent", "emr", "2019-01-03", ("json", "query"), needs_region=True)

_FAILED_STEP = {
    "Name": "emulated",
    "ActionOnFailure": "CONTINUE",
    "JobState": "JobFlowStepStatusFailed",
    "ApplicationId": "application_1_1",
}

JOB_FLOW = EMR.reads(
    "emr.job_flow",
    "DescribeJobFlow",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="JobFlowId",
        status_at="State",
        unfinished=frozenset({"JobFlowInit", "JobFlowStepsRunning", "JobFlowTerminating"}),
        waiting=frozenset({"JobFlowInit"}),
        script=(Step("JobFlowInit", 1), Step("JobFlowStepsRunning", 2), Step("JobFlowFinish")),
        failed=Step("JobFlowFinish", fields={"Details": [_FAILED_STEP]}),
        format_id=int,
        example={"State": "JobFlowInit", "Details": []},
    ),
)
EMR.starts(JOB_FLOW, "RunJobFlow", DEFINED, ("JobFlowId",), new_id=new_number)

_STAGE = {
    "Stage": "applyCvm",
    "Name": "Apply For Resource",
    "IsShow": True,
    "IsSubFlow": False,
    "SubFlowFlag": "",
    "Status": 2,
    "Desc": "",
    "Progress": 0,
    "Starttime": "2026-01-05 16:30:16",
    "Endtime": "2026-01-05 16:30:18",
    "HadWoodDetail": False,
    "WoodJobId": 0,
    "LanguageKey": "applyCvm",
    "FailedReason": "",
    "TimeConsuming": "takes 2s",
}


def _new_trace(call: Call) -> str:
    return f"{int(call.now)}-{new_number(call)}-1"


def _number_or_trace(flow_id: str) -> str | int:
    return flow_id if "-" in flow_id else int(flow_id)


CLUSTER_FLOW = EMR.reads(
    "emr.cluster_flow",
    "DescribeClusterFlowStatusDetail",
    DEFINED,
    TaskShape(
        task_at=(),
        id_at="",
        asked_by="FlowParam.FValue",
        status_at="FlowTotalStatus",
        unfinished=frozenset({"0", "1", "-3"}),
        waiting=frozenset({"0"}),
        script=(Step("0", 1), Step("1", 2), Step("2")),
        failed=Step("-1", fields={"StageDetails": [{**_STAGE, "Status": -1, "FailedReason": "No stock."}]}),
        format_status=int,
        format_id=_number_or_trace,
        scope=("InstanceId",),
        example={"FlowName": "Scale Out Core", "FlowTotalStatus": 0, "StageDetails": [_STAGE]},
    ),
)
EMR.starts(CLUSTER_FLOW, "ScaleOutCluster", DEFINED, ("TraceId",), new_id=_new_trace)
for _name in ("TerminateClusterNodes", "DeployYarnConf"):
    EMR.starts(CLUSTER_FLOW, _name, DEFINED, ("FlowId",), new_id=new_number)
