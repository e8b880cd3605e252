"""ROS's stacks: read, listed, created and canceled.

Source: the models of ``alibabacloud-ros20190910``. The example's values are our own. No status says that an operation
was canceled; the emulator shows a canceled creation as rolled back.
"""

from __future__ import annotations

from airflow_cloudtasks.emulator.engine.scripts import Step
from airflow_cloudtasks.emulator.engine.times import iso_utc
from airflow_cloudtasks.emulator.products.shared.listing import Listing
from airflow_cloudtasks.emulator.products.shared.product import DEFINED, Product
from airflow_cloudtasks.emulator.vendor.contract import Stamp, TaskShape

ROS = Product("alibaba", "ros", "2019-09-10", ("query", "form"))


def _utc_without_z(seconds: float) -> str:
    return iso_utc(seconds).removesuffix("Z")


_SHAPE = TaskShape(
    task_at=(),
    id_at="StackId",
    asked_by="StackId",
    status_at="Status",
    unfinished=frozenset({"CREATE_IN_PROGRESS", "CREATE_ROLLBACK_IN_PROGRESS", "REVIEW_IN_PROGRESS"}),
    script=(Step("CREATE_IN_PROGRESS", 3), Step("CREATE_COMPLETE")),
    failed=Step("CREATE_FAILED"),
    canceled=Step("CREATE_ROLLBACK_COMPLETE"),
    stamps=(Stamp("CreateTime", "created", _utc_without_z),),
    example={"StackId": "", "StackName": "emulated", "Status": "CREATE_IN_PROGRESS", "StackType": "ROS"},
)

STACK = ROS.reads("ros.stack", "GetStack", DEFINED, _SHAPE)
ROS.lists(
    "ros.stack",
    "ListStacks",
    Listing(
        api="ros.stack",
        at=("Stacks",),
        ids=("StackId", "StackIds"),
        size="PageSize",
        default_size=10,
        number="PageNumber",
        total=("TotalCount",),
    ),
    DEFINED,
    _SHAPE,
)
ROS.starts(STACK, "CreateStack", DEFINED, ("StackId",), shown=("StackName",))
ROS.cancels(STACK, "CancelStackOperation", DEFINED)
