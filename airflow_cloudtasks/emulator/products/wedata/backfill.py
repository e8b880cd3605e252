"""WeData's backfill plans, which have two percentages for a status: created, read and deleted.

Source: the definitions and examples of WeData 2025-08-06 that tccli ships. The effect of a deletion is not documented:
here the plan is gone at once, while the job that deletes it goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import beijing_time
from airflow_cloudtasks.emulator.products.shared.answers import answer_with, find_task
from airflow_cloudtasks.emulator.products.shared.product import DEFINED
from airflow_cloudtasks.emulator.products.shared.start_and_cancel import cancel, new_uuid, sent, start
from airflow_cloudtasks.emulator.products.wedata.jobs import start_job
from airflow_cloudtasks.emulator.products.wedata.product import WEDATA
from airflow_cloudtasks.emulator.products.wedata.zones import in_zone
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import JsonObject
    from airflow_cloudtasks.emulator.vendor.contract import Call

# Source: the example of GetDataBackfillPlan has these times, though that of CreateDataBackfillPlan does not send them.
_WHOLE_DAY = {"ExecutionStartTime": "00:00", "ExecutionEndTime": "23:59"}

_SHAPE = TaskShape(
    task_at=("Data",),
    id_at="DataBackfillPlanId",
    status_at="",
    percents_at=("CompletePercent", "SuccessPercent"),
    asked_by="DataBackfillPlanId",
    scope=("ProjectId",),
    waiting=frozenset({"0/0"}),
    script=(Step("0/0", 1), Step("50/50", 2), Step("100/100")),
    failed=Step("100/0"),
    canceled=Step("100/0"),
    stamps=(
        Stamp("StartTime", "started", beijing_time),
        Stamp("EndTime", "finished", beijing_time),
    ),
    example={
        "Data": {
            "CheckParentType": "NONE",
            "CompletePercent": 0,
            "CreateUserUin": "100000000001",
            "DataBackfillPlanId": "emulated",
            "DataBackfillPlanName": "emulated_backfill",
            "DataBackfillRangeList": [{"StartDate": "2026-01-01", "EndDate": "2026-01-01", **_WHOLE_DAY}],
            "DataTimeOrder": "NORMAL",
            "EndTime": None,
            "IntegrationResourceGroupId": None,
            "ProjectId": "1",
            "RedefineCycleType": None,
            "RedefineParallelNum": None,
            "RedefineParamList": None,
            "RedefineSelfWorkflowDependency": "no",
            "SchedulerResourceGroupId": "20260101000000000001",
            "SkipEventListening": True,
            "StartTime": None,
            "SuccessPercent": 0,
            "TaskIds": ["20260101000000001"],
        }
    },
)
_SHOWN = (
    *("DataBackfillPlanName", "TaskIds", "CheckParentType", "SkipEventListening", "RedefineParallelNum"),
    *("RedefineSelfWorkflowDependency", "SchedulerResourceGroupId", "IntegrationResourceGroupId"),
    *("RedefineCycleType", "RedefineParamList", "DataTimeOrder"),
)


def _get_plan(call: Call) -> JsonObject:
    return answer_with(call, in_zone(call, _SHAPE), find_task(call, BACKFILL, call.parameters["DataBackfillPlanId"]))


def _create_plan(call: Call) -> JsonObject:
    plan_id = new_uuid()
    ranges = [{**_WHOLE_DAY, **one} for one in call.parameters["DataBackfillRangeList"]]
    # As documented, a plan without a name gets a random one.
    fields = {"DataBackfillPlanName": new_uuid(), "DataBackfillRangeList": ranges}
    start(call, BACKFILL, plan_id, {**fields, **sent(call, *_SHOWN)})
    return {"Data": {"DataBackfillPlanId": plan_id}}


def _delete_plan(call: Call) -> JsonObject:
    plan_id = call.parameters["DataBackfillPlanId"]
    cancel(call, BACKFILL, plan_id)
    call.state.tasks.remove(find_task(call, BACKFILL, plan_id))
    return start_job(call, "DATA_BACKFILL_DELETE", 1, noted=False)


BACKFILL = WEDATA.reads(
    "wedata.backfill",
    "GetDataBackfillPlan",
    DEFINED,
    _SHAPE,
    answer=_get_plan,
)
WEDATA.action(
    "wedata.backfill_start",
    "CreateDataBackfillPlan",
    _create_plan,
    DEFINED,
)
WEDATA.action("wedata.backfill_cancel", "DeleteDataBackfillPlanAsync", _delete_plan, DEFINED)
