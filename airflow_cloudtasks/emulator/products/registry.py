"""All the actions the emulator serves. Each product's are declared in a file of its own.

Sources: the vendors' API documents, the models of their SDK packages for the fields' types, and for Tencent Cloud the
definitions that tccli ships (``api.json``). The examples have the documents' fields with values of our own. Where a
document's example shows a failure's message beside a success, the message is left empty, because a task without an
error has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.products.bdrc import BDRC_ACTIONS, BDRC_TASK
from airflow_cloudtasks.emulator.products.bpstudio import BPSTUDIO_ACTIONS, BPSTUDIO_OPERATION, BPSTUDIO_TASK
from airflow_cloudtasks.emulator.products.ice import ICE_ACTIONS, ICE_AI_WORKFLOW_TASK, ICE_WORKFLOW_TASK
from airflow_cloudtasks.emulator.products.lke import LKE_ACTIONS, LKE_TASK
from airflow_cloudtasks.emulator.products.sts import STS_ACTIONS
from airflow_cloudtasks.emulator.products.wedata.backfill import BACKFILL, BACKFILL_ACTIONS
from airflow_cloudtasks.emulator.products.wedata.instances import INSTANCE_ACTIONS, TASK_INSTANCE
from airflow_cloudtasks.emulator.products.wedata.jobs import ASYNC_JOB
from airflow_cloudtasks.emulator.products.wedata.runs import RUN_ACTIONS, TASK_RUN, WORKFLOW_RUN
from airflow_cloudtasks.emulator.products.wedata.sql import SQL_ACTIONS, SQL_RUN
from airflow_cloudtasks.emulator.products.wedata.tasks import WEDATA_TASK

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.vendor.contract import Action

TASK_ACTIONS: tuple[Action, ...] = (
    *(BPSTUDIO_TASK, BDRC_TASK, ICE_WORKFLOW_TASK, WEDATA_TASK, LKE_TASK),
    *(BPSTUDIO_OPERATION, ICE_AI_WORKFLOW_TASK),
    *(WORKFLOW_RUN, TASK_RUN, TASK_INSTANCE, ASYNC_JOB, SQL_RUN, BACKFILL),
)
"""Those that read one task each, whose names are the APIs that tasks belong to."""
OTHER_ACTIONS: tuple[Action, ...] = (
    *(*BPSTUDIO_ACTIONS, *BDRC_ACTIONS, *ICE_ACTIONS, *LKE_ACTIONS),
    *(*RUN_ACTIONS, *INSTANCE_ACTIONS, *SQL_ACTIONS, *BACKFILL_ACTIONS),
)
ACTIONS: tuple[Action, ...] = (*TASK_ACTIONS, *OTHER_ACTIONS, *STS_ACTIONS)
ACTIONS_BY_API: dict[str, Action] = {action.api: action for action in TASK_ACTIONS}
