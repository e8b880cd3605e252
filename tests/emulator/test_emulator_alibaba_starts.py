"""Tasks of Alibaba Cloud, started and stopped by its own clients."""

from __future__ import annotations

import inspect
import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from alibabacloud_ice20201109 import models as ice
from alibabacloud_ice20201109.client import Client as IceClient
from vendor_clients import alibaba_config

from airflow_cloudtasks.emulator.actions import ACTIONS

if TYPE_CHECKING:
    from conftest import Client

    from airflow_cloudtasks.emulator.server import Emulator

REQUESTS = {
    "StartWorkflow": ice.StartWorkflowRequest,
    "StartAIWorkflow": ice.StartAIWorkflowRequest,
    "GetAIWorkflowTask": ice.GetAIWorkflowTaskRequest,
    "StopAIWorkflowTask": ice.StopAIWorkflowTaskRequest,
}
# A task is named by an id that the SDK's models do not require and without which there is nothing to do.
NEEDED = {"GetAIWorkflowTask": {"TaskId"}, "StopAIWorkflowTask": {"TaskId"}}


@pytest.mark.parametrize("name", REQUESTS)
def test_parameters_are_those_of_the_sdks_models(name: str) -> None:
    (action,) = [action for action in ACTIONS if action.cloud == "alibaba" and action.name == name]
    model = REQUESTS[name]()
    for attribute in inspect.signature(type(model).__init__).parameters:
        if attribute != "self":
            setattr(model, attribute, "x")
    assert {one.name for one in action.parameters} == model.to_map().keys()
    said = inspect.getsource(type(model).__init__).split("self.")
    required = {part.split(" = ")[0] for before, part in pairwise(said) if "is required" in before}
    by_attribute = {attribute.replace("_", ""): attribute for attribute in required}
    wanted = {one.name for one in action.parameters if one.name.lower() in by_attribute} | NEEDED.get(name, set())
    assert {one.name for one in action.parameters if one.required} == wanted


class Ice:
    """ICE, by Alibaba Cloud's client."""

    def __init__(self, emulator: Emulator) -> None:
        self._client = IceClient(alibaba_config(emulator))

    def start(self, **asked: Any) -> str:
        task_id: str = self._client.start_workflow(ice.StartWorkflowRequest(**asked)).body.task_id
        return task_id

    def task(self, task_id: str) -> dict[str, Any]:
        body = self._client.get_workflow_task(ice.GetWorkflowTaskRequest(task_id=task_id)).body
        shown: dict[str, Any] = body.to_map()["WorkflowTask"]
        return shown

    def start_ai(self, **asked: Any) -> str:
        task_id: str = self._client.start_aiworkflow(ice.StartAIWorkflowRequest(**asked)).body.task_id
        return task_id

    def ai_task(self, task_id: str) -> dict[str, Any]:
        body = self._client.get_aiworkflow_task(ice.GetAIWorkflowTaskRequest(task_id=task_id)).body
        shown: dict[str, Any] = body.to_map()["WorkflowTask"]
        return shown

    def stop_ai(self, task_id: str) -> Any:
        return self._client.stop_aiworkflow_task(ice.StopAIWorkflowTaskRequest(task_id=task_id)).body.task_id


def test_ice_starts_a_workflow_with_its_input(cloudtasks_emulator: Emulator) -> None:
    client, given = Ice(cloudtasks_emulator), json.dumps({"Type": "OSS", "Media": "oss://bucket/a.mp4"})
    asked = {"workflow_id": "w1", "task_input": given, "user_data": "{}", "skip_input_verification": True}
    task_id = client.start(**asked)
    task = client.task(task_id)
    assert (task["Status"], task["TaskInput"], task["UserData"]) == ("Init", given, "{}")
    assert (task["Workflow"]["WorkflowId"], task["Workflow"]["Type"]) == ("w1", "Common")
    cloudtasks_emulator.advance(3)
    assert client.task(task_id)["Status"] == "Succeed"
    (entry,) = cloudtasks_emulator.started("ice.workflow_task")
    assert (entry["id"], entry["action"], entry["parameters"]["WorkflowId"]) == (task_id, "StartWorkflow", "w1")
    assert cloudtasks_emulator.requests()[0]["api"] == "ice.workflow_task_start"


def test_ice_tells_two_starts_apart(cloudtasks_emulator: Emulator) -> None:
    client = Ice(cloudtasks_emulator)
    assert client.start(workflow_id="w1") != client.start(workflow_id="w1")
    assert len(cloudtasks_emulator.started()) == 2


def test_ice_refuses_too_much_user_data(cloudtasks_emulator: Emulator) -> None:
    with pytest.raises(Exception, match="UserData") as raised:
        Ice(cloudtasks_emulator).start(user_data="x" * 513)
    assert raised.value.code == "InvalidParameter"
    assert cloudtasks_emulator.started() == []


def test_ice_runs_an_ai_workflow(cloudtasks_emulator: Emulator) -> None:
    client = Ice(cloudtasks_emulator)
    cloudtasks_emulator.next_script(
        "ice.ai_workflow_task", ("running", 5), "partial-succeeded", fields={"Outputs": "o"}
    )
    task_id = client.start_ai(workflow_id="w1", inputs='{"a":1}', user_data="u", dispatch_tag="t")
    task = client.ai_task(task_id)
    assert (task["Status"], task["Inputs"], task["UserData"], task["Outputs"]) == ("running", '{"a":1}', "u", "o")
    assert (task["Workflow"]["WorkflowId"], "FinishTime" in task) == ("w1", False)
    cloudtasks_emulator.advance(5)
    task = client.ai_task(task_id)
    assert (task["Status"], "FinishTime" in task) == ("partial-succeeded", True)


def test_ice_stops_an_ai_workflow(cloudtasks_emulator: Emulator) -> None:
    client = Ice(cloudtasks_emulator)
    task_id = client.start_ai()
    assert client.stop_ai(task_id) == task_id
    assert client.ai_task(task_id)["Status"] == "stopped"
    assert client.stop_ai(task_id) == task_id
    with pytest.raises(Exception, match="does not exist"):
        client.stop_ai("none")
    noted = [(one["id"], one["status"], one["ended"]) for one in cloudtasks_emulator.canceled("ice.ai_workflow_task")]
    assert noted == [(task_id, "running", True), (task_id, "stopped", False), ("none", None, False)]


def test_a_parameter_that_is_no_text_of_its_type_is_refused(client: Client) -> None:
    answer = client.send(client.prepare_alibaba("StartWorkflow", query="SkipInputVerification=maybe"))
    assert answer.code == "InvalidParameter"
