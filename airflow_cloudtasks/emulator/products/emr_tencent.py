"""EMR's job flows: read and started. A flow that fails is finished, and one of its steps has failed.

Source: the definitions and examples of EMR 2019-01-03 that tccli ships.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import new_number
from airflow_cloudtasks.emulator.vendor.contract import TaskShape

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
