"""Starts whose Airflow task is killed, or whose answer is lost: when, of what, and how the Airflow task then ends."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from airflow_cloudtasks.operators.alibaba import (
    BdrcCheckRulesOperator,
    BdrcUpdateResourcesOperator,
    BpStudioExecuteOperationOperator,
    BpStudioRunTaskOperator,
    IceStartAIWorkflowOperator,
    IceStartWorkflowOperator,
)
from airflow_cloudtasks.operators.tencent import (
    LkeExportAttributeLabelOperator,
    LkeModifyAttributeLabelOperator,
    WeDataBackfillOperator,
    WeDataRerunInstancesOperator,
    WeDataRunSqlOperator,
    WeDataRunWorkflowOperator,
)

# What becomes of the first try, in the order in which the test lets them begin.
DURING = "during"  # killed before the answer to a request that is carried out
HANGING = "hanging"  # killed before the answer to a request that is not
LOST = "lost"  # carried out, and not answered
BETWEEN = "between"  # killed when it is about to be deferred
ANSWERED = "answered"  # killed while it waits

# Those of one wave are there at the same time.
WAVES = ((DURING, HANGING), (LOST, BETWEEN), (ANSWERED,))

PROJECT, BOT, DAY = "2417334454903762944", "1749000000000000000", "2026-01-02"


def notes_in(airflow_home: Path) -> Path:
    """Return the folder where each first try writes its process id, and waits until the test lets its moment come."""
    return airflow_home / "crash-notes"


class KilledWhenDeferred(WeDataRunWorkflowOperator):
    """Its first try is killed between the start and the deferral."""

    is_first = False

    def execute(self, context: Any) -> Any:
        self.is_first = context["ti"].try_number == 1
        return super().execute(context)

    def defer(self, **kwargs: Any) -> None:
        if self.is_first:
            os.kill(os.getpid(), signal.SIGKILL)
        super().defer(**kwargs)


@dataclass(frozen=True)
class Case:
    """An operator, and what becomes of its first try.

    Args:
        moment: What becomes of it.
        name: What it starts.
        api: The API that reads what it starts.
        action: The vendor's action.
        operator: The operator's class.
        arguments: Its arguments; they contain the Airflow task's id, by which the cloud's is known.
        is_known: Whether the started task can be found, so that the Airflow task succeeds.
        starts: How many tasks of the cloud there are in the end.
        strikes: Which request is not answered.
    """

    moment: str
    name: str
    api: str
    action: str
    operator: type
    arguments: dict[str, Any]
    is_known: bool = True
    starts: int = 1
    strikes: str = "start"

    @property
    def task_id(self) -> str:
        """The Airflow task's id."""
        return task_id(self.moment, self.name)

    @property
    def tries(self) -> int:
        """How often Airflow tries: again after a kill, and not again if the start is unknown."""
        return 1 if self.moment == LOST else 2


def task_id(moment: str, name: str) -> str:
    """Return the Airflow task's id."""
    return f"{moment}__{name}"


def _case(moment: str, name: str, **more: Any) -> Case:
    api, action, operator, arguments = _STARTS[name]
    mark = task_id(moment, name)
    # Tasks with equal parameters in the same minute cannot be distinguished.
    marked = {
        key: [mark] if value == [MARK] else value.replace(MARK, mark) if isinstance(value, str) else value
        for key, value in arguments.items()
    }
    return Case(moment, name, api, action, operator, marked, **more)


MARK = "?"
_DATA_SOURCE = {"project_id": PROJECT, "datasource_id": MARK}
_STARTS: dict[str, tuple[str, str, type, dict[str, Any]]] = {
    "workflow": (
        "wedata.workflow_run",
        "CreateTriggerWorkflowRun",
        WeDataRunWorkflowOperator,
        {"project_id": PROJECT, "workflow_id": MARK},
    ),
    "media": ("ice.workflow_task", "StartWorkflow", IceStartWorkflowOperator, {"workflow_id": MARK}),
    "ai": ("ice.ai_workflow_task", "StartAIWorkflow", IceStartAIWorkflowOperator, {"workflow_id": MARK}),
    "operation": (
        "bpstudio.operation",
        "ExecuteOperationASync",
        BpStudioExecuteOperationOperator,
        {"service_type": "ecs", "operation": MARK},
    ),
    "created": (
        "bpstudio.task",
        "CreateTask",
        BpStudioRunTaskOperator,
        {"app_id": "app", "process_id": "process", "task_name": MARK},
    ),
    "resources": ("bdrc.task", "UpdateResources", BdrcUpdateResourcesOperator, {"resource_type": MARK}),
    "rules": ("bdrc.task", "CheckRules", BdrcCheckRulesOperator, {"resource_arn": MARK}),
    "sql": ("wedata.sql_run", "RunSQLScript", WeDataRunSqlOperator, {"sql": "SELECT 1", **_DATA_SOURCE}),
    "script": ("wedata.sql_run", "RunSQLScript", WeDataRunSqlOperator, {"project_id": PROJECT, "script_id": MARK}),
    "backfill": (
        "wedata.backfill",
        "CreateDataBackfillPlan",
        WeDataBackfillOperator,
        {"project_id": PROJECT, "wedata_task_ids": [MARK], "data_ranges": [(DAY, DAY)]},
    ),
    "rerun": (
        "wedata.task_instance",
        "RerunTaskInstancesAsync",
        WeDataRerunInstancesOperator,
        {"project_id": PROJECT, "instance_keys": [MARK]},
    ),
    "export": (
        "lke.task",
        "ExportAttributeLabel",
        LkeExportAttributeLabelOperator,
        {"bot_biz_id": BOT, "attribute_biz_ids": [MARK]},
    ),
    "label": (
        "lke.task",
        "ModifyAttributeLabel",
        LkeModifyAttributeLabelOperator,
        {"bot_biz_id": BOT, "attribute_biz_id": MARK, "attr_name": "name"},
    ),
}
# The starts that a later try finds: by client token, or in a list.
_KNOWN = ("workflow", "media", "operation", "resources", "script")

CASES = [
    *(_case(DURING, name, is_known=name in _KNOWN) for name in (*_KNOWN, "created", "export")),
    *(_case(HANGING, name) for name in _KNOWN),
    _case(HANGING, "export", is_known=False, starts=0),
    # It is there, and nobody knows whether it was set going.
    _case(HANGING, "created", is_known=False, strikes="execute"),
    # One for each API: nobody could say which of two requests loses its answer.
    *(_case(LOST, name, is_known=name in _KNOWN) for name in _STARTS if name not in ("rules", "script", "export")),
    replace(_case(BETWEEN, "workflow"), operator=KilledWhenDeferred),
    *(_case(ANSWERED, name) for name in _STARTS),
]
