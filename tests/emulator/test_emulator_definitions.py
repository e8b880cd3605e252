"""The emulator's declarations and answers, checked by the definitions and examples that Tencent Cloud ships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tccli_definitions import declared, example_inputs, example_outputs, lacking, mistakes
from vendor_clients import tencent

from airflow_cloudtasks.emulator.products.discovery import find_actions

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.emulator.vendor.contract import Action, Parameter

TENCENT = [action for action in find_actions() if action.cloud == "tencent" and action.service != "sts"]
EXAMPLES = [
    pytest.param(action, *example, id=f"{action.name}-{number}")
    for action in TENCENT
    for number, example in enumerate(
        zip(
            example_inputs(action.service, action.version, action.name),
            example_outputs(action.service, action.version, action.name),
            strict=True,
        )
    )
    # The vendor's client takes every Error for a refusal, also that of a task of LKEAP.
    if "Error" not in example[1]
]
# The tasks in the example requests: their API, the parameter that names them, and a status. An action needs no entry
# unless its example shows more than a task of the usual status does.
TASKS = {
    "GetTriggerTaskRun": ("wedata.task_run", "TaskExecutionId", "FAILED"),
    "KillTriggerWorkflowRuns": ("wedata.workflow_run", "WorkflowExecutionIdList", "RUNNING"),
    "ListTriggerWorkflowRuns": ("wedata.workflow_run", "", "SUCCESS"),
    "ListTriggerTaskRuns": ("wedata.task_run", "", "FAILED"),
    "GetTaskInstanceLog": ("wedata.task_instance", "InstanceKey", "EXPIRED"),
    "ListTaskInstances": ("wedata.task_instance", "", "RUNNING"),
    "RerunTaskInstancesAsync": ("wedata.task_instance", "InstanceKeyList", "EXPIRED"),
    "KillTaskInstancesAsync": ("wedata.task_instance", "InstanceKeyList", "RUNNING"),
    "ListSQLScriptRuns": ("wedata.sql_run", "", "SUCCESS"),
    "StopSQLScriptRun": ("wedata.sql_run", "JobId", "RUNNING"),
    "GetDataBackfillPlan": ("wedata.backfill", "DataBackfillPlanId", "0/0"),
    "DeleteDataBackfillPlanAsync": ("wedata.backfill", "DataBackfillPlanId", "100/100"),
    "ListDataBackfillInstances": ("wedata.backfill", "DataBackfillPlanId", "100/0"),
}
# The fields by which such a task is in the list that the example request asks for.
LISTED_BY: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "ListSQLScriptRuns": lambda body: {"ScriptId": body["ScriptId"]},
    "ListDataBackfillInstances": lambda body: {"TaskIds": [body["TaskId"]]},
}


READERS = {action.api: action for action in TENCENT if action.task}


def usual_status(action: Action) -> tuple[str, str] | None:
    """The API and the status of the tasks that an action needs: it cancels running tasks, and shows successes."""
    owner = READERS.get(action.api.removesuffix("_cancel").removesuffix("_list"))
    if owner is None or owner.task is None:
        return None
    return owner.api, str(owner.task.script[0 if action.api.endswith("_cancel") else -1].status)


def texts(value: Any) -> list[str]:
    """Every text in a request: one of them is the id of its task."""
    if isinstance(value, dict | list):
        return [text for each in (value.values() if isinstance(value, dict) else value) for text in texts(each)]
    return [str(value)] if value != "" else []


def described(parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    return {
        one.name: {
            "type": one.type,
            "items": one.items,
            "required": one.required,
            "members": described(one.members),
        }
        for one in parameters
    }


@pytest.mark.parametrize("action", TENCENT, ids=lambda action: action.name)
def test_declares_the_parameters_of_the_vendors_definition(action: Action) -> None:
    assert described(action.parameters) == declared(action.service, action.version, action.name)


@pytest.mark.parametrize(("action", "body", "example"), EXAMPLES)
def test_answers_every_example_request_as_defined(
    cloudtasks_emulator: Emulator, action: Action, body: dict[str, Any], example: dict[str, Any]
) -> None:
    if action.name in TASKS:
        api, parameter, status = TASKS[action.name]
        named = body.get(parameter, "7")
        fields = LISTED_BY[action.name](body) if action.name in LISTED_BY else {}
        for task_id in named if isinstance(named, list) else [named]:
            cloudtasks_emulator.add_task(api, task_id, status, fields=fields)
    elif (usual := usual_status(action)) is not None:
        shape = READERS[usual[0]].shape
        ids = [text for text in texts(body) if shape.format_id is not int or text.isdecimal()]
        for task_id in dict.fromkeys(ids or ["7"]):
            cloudtasks_emulator.add_task(usual[0], task_id, usual[1])
    answer = tencent(cloudtasks_emulator, action.service, action.version)(action.name, body)
    assert mistakes(action.service, action.version, action.name, answer) == []
    assert lacking(example, answer) == []
    (entry,) = cloudtasks_emulator.requests()
    assert (entry["api"], entry["outcome"], entry["parameters"]) == (action.api, "ok", body)
