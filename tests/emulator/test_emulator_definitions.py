"""The emulator's declarations and answers, checked by the vendors' definitions and Tencent Cloud's examples."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contract.definitions import defined_actions, examples, parse_input
from definition_checks import declared, lacking, mistakes
from tccli_examples import is_usable
from vendor_clients import tencent

from airflow_cloudtasks.emulator.products.discovery import find_actions
from airflow_cloudtasks.spec import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.emulator.vendor.contract import Action, Parameter


def service_of(action: Action) -> Service:
    return Service(cloud=action.cloud, name=action.service, version=action.version)


def definition(action: Action) -> Any:
    return defined_actions(service_of(action))[action.name]


ACTIONS = [action for action in find_actions() if action.service != "sts"]
TENCENT = [action for action in ACTIONS if action.cloud == "tencent"]
# By API, one test each.
BY_API = {action.api: [each for each in ACTIONS if each.api == action.api] for action in ACTIONS}
EXAMPLES = [
    pytest.param(
        action, parse_input(example["input"]), json.loads(example["output"])["Response"], id=f"{action.name}-{n}"
    )
    for action in TENCENT
    if is_usable(action.service, action.name)
    for n, example in enumerate(examples(service_of(action), action.name))
    # The vendor's client takes every Error for a refusal, also that of a task of LKEAP.
    if "Error" not in json.loads(example["output"])["Response"]
]
# The tasks in the example requests: their API, the parameter that names them, and a status. An action needs no entry
# unless its example shows more than a task of the usual status does.
TASKS = {
    "DescribeExecutionHistory": ("asw.execution", "ExecutionResourceName", "SUCCEED"),
    "GetTriggerTaskRun": ("wedata.task_run", "TaskExecutionId", "FAILED"),
    "KillTriggerWorkflowRuns": ("wedata.workflow_run", "WorkflowExecutionIdList", "RUNNING"),
    "ListTriggerWorkflowRuns": ("wedata.workflow_run", "", "SUCCESS"),
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


@pytest.mark.parametrize("api", BY_API)
def test_declares_the_parameters_of_the_vendors_definition(api: str) -> None:
    for action in BY_API[api]:
        ours, theirs = described(action.parameters), declared(definition(action)["parameters"])
        if action.cloud == "alibaba":
            # The models do not require the id of a task, without which the emulator cannot do anything.
            more = {name for name in ours if ours[name]["required"] and not theirs[name]["required"]}
            assert len(more) <= 1, action.name
            theirs |= {name: theirs[name] | {"required": True} for name in more}
        assert ours == theirs, action.name


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
    assert mistakes(definition(action)["answer"], answer, action.name) == []
    assert lacking(example, answer) == []
    (entry,) = cloudtasks_emulator.requests()
    assert (entry["api"], entry["outcome"], entry["parameters"]) == (action.api, "ok", body)
