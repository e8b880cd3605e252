"""Tasks of Alibaba Cloud, started and stopped with its own clients."""

from __future__ import annotations

import inspect
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from alibaba_packages import imported, keys
from alibabacloud_bdrc20230808 import models as bdrc
from alibabacloud_bdrc20230808.client import Client as BdrcClient
from alibabacloud_bpstudio20210931 import models as bpstudio
from alibabacloud_bpstudio20210931.client import Client as BpStudioClient
from alibabacloud_ice20201109 import models as ice
from alibabacloud_ice20201109.client import Client as IceClient
from vendor_clients import alibaba_config

from airflow_cloudtasks.emulator.products.discovery import find_actions
from airflow_cloudtasks.emulator.products.shared.answers import answer_task

if TYPE_CHECKING:
    from conftest import Client

    from airflow_cloudtasks.emulator import Emulator
    from airflow_cloudtasks.emulator.vendor.contract import Action


def request_model(action: Action) -> Any:
    """The SDK's model of a request, or of its whole body; None if there is none."""
    models = imported(action.service, action.version, "models")
    model = getattr(models, f"{action.name}Request", None)
    if model is None or keys(model) != {"body"}:
        return model
    return getattr(models, inspect.signature(model).parameters["body"].annotation.removeprefix("main_models."))


def needed(action: Action) -> set[str]:
    """Parameters that the emulator requires though the SDK's model does not: the id of the task."""
    reads_one = action.task is not None and action.answer is answer_task
    return {action.task.asked_by} if action.task and reads_one else NEEDED.get(action.name, set())


# By name, those whose request has a model. A request whose parameters are all in the path has none.
ACTIONS = {action.name: action for action in find_actions() if action.cloud == "alibaba" and request_model(action)}
# The SDK's models do not require the id of a task, or the identity, without which the emulator cannot do anything.
NEEDED = {
    "ExecuteTask": {"TaskId"},
    "AssumeRoleWithOIDC": {"OIDCProviderArn", "OIDCToken", "RoleArn", "RoleSessionName"},
}


@pytest.mark.parametrize("name", ACTIONS)
def test_declares_the_parameters_of_the_sdks_models(name: str) -> None:
    action = ACTIONS[name]
    model = request_model(action)()
    elsewhere = {one.name for one in action.parameters if one.locations in (("path",), ("header",))}
    assert {one.name for one in action.parameters} - elsewhere == keys(type(model))
    said = inspect.getsource(type(model).__init__).split("self.")
    # Some are required only if another one has a certain value.
    required = {
        part.split(" = ")[0]
        for before, part in pairwise(said)
        if re.search(r"[Tt]his parameter is required(?! if)", before)
    }
    by_attribute = {attribute.replace("_", ""): attribute for attribute in required}
    wanted = {one.name for one in action.parameters if one.name.lower() in by_attribute} | needed(action)
    required = {one.name for one in action.parameters if one.required} - elsewhere
    assert wanted - elsewhere <= required
    # The id of the task to cancel.
    assert len(required - wanted) <= action.api.endswith("_cancel")


class Ice:
    """ICE through Alibaba Cloud's client."""

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
    client, task_input = Ice(cloudtasks_emulator), json.dumps({"Type": "OSS", "Media": "oss://bucket/a.mp4"})
    asked = {"workflow_id": "w1", "task_input": task_input, "user_data": "{}", "skip_input_verification": True}
    task_id = client.start(**asked)
    task = client.task(task_id)
    assert (task["Status"], task["TaskInput"], task["UserData"]) == ("Init", task_input, "{}")
    assert (task["Workflow"]["WorkflowId"], task["Workflow"]["Type"]) == ("w1", "Common")
    cloudtasks_emulator.advance(3)
    assert client.task(task_id)["Status"] == "Succeed"
    (entry,) = cloudtasks_emulator.started("ice.workflow_task")
    assert (entry["id"], entry["action"], entry["parameters"]["WorkflowId"]) == (task_id, "StartWorkflow", "w1")
    assert cloudtasks_emulator.requests()[0]["api"] == "ice.workflow_task_start"


def test_ice_starts_two_tasks_for_two_equal_requests(cloudtasks_emulator: Emulator) -> None:
    client = Ice(cloudtasks_emulator)
    assert client.start(workflow_id="w1") != client.start(workflow_id="w1")
    assert len(cloudtasks_emulator.started()) == 2


def test_ice_refuses_too_much_user_data(cloudtasks_emulator: Emulator) -> None:
    with pytest.raises(Exception, match="UserData") as raised:
        Ice(cloudtasks_emulator).start(user_data="x" * 513)
    assert raised.value.code == "InvalidParameter"
    assert cloudtasks_emulator.started() == []


def test_ice_starts_an_ai_workflow_that_goes_by_its_plan(cloudtasks_emulator: Emulator) -> None:
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


def test_ice_stops_an_ai_workflow_once(cloudtasks_emulator: Emulator) -> None:
    client = Ice(cloudtasks_emulator)
    task_id = client.start_ai()
    assert client.stop_ai(task_id) == task_id
    assert client.ai_task(task_id)["Status"] == "stopped"
    assert client.stop_ai(task_id) == task_id
    with pytest.raises(Exception, match="does not exist"):
        client.stop_ai("none")
    noted = [(one["id"], one["status"], one["ended"]) for one in cloudtasks_emulator.canceled("ice.ai_workflow_task")]
    assert noted == [(task_id, "running", True), (task_id, "stopped", False), ("none", None, False)]


def test_alibaba_refuses_a_parameter_whose_text_is_not_of_its_type(client: Client) -> None:
    answer = client.send(client.prepare_alibaba("StartWorkflow", query="SkipInputVerification=maybe"))
    assert answer.code == "InvalidParameter"


class BpStudio:
    """BPStudio through Alibaba Cloud's client."""

    def __init__(self, emulator: Emulator) -> None:
        self._client = BpStudioClient(alibaba_config(emulator))

    def create(self, **more: Any) -> Any:
        asked = {"app_id": "a1", "process_id": "p1", "task_name": "n1", **more}
        return self._client.create_task(bpstudio.CreateTaskRequest(**asked)).body.to_map()

    def execute(self, task_id: int) -> Any:
        return self._client.execute_task(bpstudio.ExecuteTaskRequest(task_id=task_id)).body.to_map()

    def task(self, task_id: int) -> Any:
        return self._client.get_task(bpstudio.GetTaskRequest(task_id=str(task_id))).body.to_map()["Data"]

    def operate(self, **more: Any) -> str:
        asked = {"service_type": "ecs", "operation": "rename", "attributes": {"name": "x"}, **more}
        body = self._client.execute_operation_async(bpstudio.ExecuteOperationASyncRequest(**asked)).body
        assert (body.code, body.message) == ("200", "Success")
        operation_id: str = body.data
        return operation_id

    def operation(self, operation_id: str) -> Any:
        asked = bpstudio.GetExecuteOperationResultRequest(operation_id=operation_id)
        return self._client.get_execute_operation_result(asked).body.to_map()


def test_bpstudio_runs_a_task_only_after_it_is_executed(cloudtasks_emulator: Emulator) -> None:
    client = BpStudio(cloudtasks_emulator)
    made = client.create(variables={"${var}": "value"})
    task_id = made["Data"]
    assert (made["Code"], isinstance(task_id, int)) == ("200", True)
    task = client.task(task_id)
    assert (task["Id"], task["Name"], task["ProcessId"], task["Status"]) == (task_id, "n1", "p1", "BINDING")
    assert json.loads(json.loads(f'"{task["InstanceIds"]}"')) == {"app": "a1"}
    cloudtasks_emulator.advance(600)
    assert client.task(task_id)["Status"] == "BINDING"
    executed = client.execute(task_id)
    assert (executed["Code"], executed["Data"]) == (
        200,
        {"Id": task_id, "Name": "n1", "Status": "BINDING", "ErrorMessage": ""},
    )
    cloudtasks_emulator.advance(2)
    assert client.task(task_id)["Status"] == "FINISH"
    assert client.execute(task_id)["Data"]["Status"] == "FINISH"
    started = cloudtasks_emulator.started("bpstudio.task")
    assert [(entry["id"], entry["action"]) for entry in started] == [
        (str(task_id), "CreateTask"),
        (str(task_id), "ExecuteTask"),
    ]
    assert json.loads(started[0]["parameters"]["Variables"]) == {"${var}": "value"}


def test_bpstudio_executes_a_task_by_its_plan(cloudtasks_emulator: Emulator) -> None:
    client = BpStudio(cloudtasks_emulator)
    cloudtasks_emulator.next_script("bpstudio.task", "FINISH", fields={"ErrorMessage": "SyntaxError"})
    first, second = client.create()["Data"], client.create()["Data"]
    assert first != second
    assert client.execute(second)["Data"]["ErrorMessage"] == "SyntaxError"
    assert client.task(first)["Status"] == "BINDING"


def test_bpstudio_refuses_a_missing_or_wrong_parameter(client: Client) -> None:
    def code(action: str, form: str) -> str | None:
        return client.send(client.prepare_alibaba(action, "2021-09-31", form=form)).code

    assert code("CreateTask", "AppId=a&ProcessId=p") == "MissingTaskName"
    assert code("CreateTask", "AppId=a&ProcessId=p&TaskName=n&Variables=x") == "InvalidParameter"
    assert code("ExecuteTask", "TaskId=x") == "InvalidParameter"
    assert code("ExecuteTask", "TaskId=7") == "404"
    assert client.emulator.started() == []


def test_bpstudio_starts_one_operation_for_each_client_token(cloudtasks_emulator: Emulator) -> None:
    client = BpStudio(cloudtasks_emulator)
    first, again, other = (client.operate(client_token=token) for token in ("t", "t", "u"))
    assert (first == again, first == other) == (True, False)
    assert client.operate() != client.operate()
    assert len(cloudtasks_emulator.started("bpstudio.operation")) == 4
    seen = []
    for _ in range(3):
        seen.append(client.operation(first)["Data"]["Status"])
        cloudtasks_emulator.advance(1.5)
    assert seen == ["INIT", "RUNNING", "SUCCESS"]


def test_a_retry_with_a_client_token_after_a_lost_answer_starts_no_second_operation(client: Client) -> None:
    client.emulator.fault("lost_answer", count=1, api="bpstudio.operation_start")
    asked = client.prepare_alibaba
    form = "ServiceType=ecs&Operation=rename&ClientToken=t"
    with pytest.raises(ConnectionResetError):
        client.send(asked("ExecuteOperationASync", "2021-09-31", form=form))
    answer = client.send(asked("ExecuteOperationASync", "2021-09-31", form=form))
    assert [entry["id"] for entry in client.emulator.started()] == [answer.json["Data"]]


def test_bpstudio_shows_an_operation_for_an_hour(cloudtasks_emulator: Emulator) -> None:
    client = BpStudio(cloudtasks_emulator)
    cloudtasks_emulator.next_script("bpstudio.operation", "FAILURE", fields={"Message": "no such instance"})
    operation_id = client.operate()
    data = client.operation(operation_id)["Data"]
    assert (data["OperationId"], data["Status"], data["Message"]) == (operation_id, "FAILURE", "no such instance")
    cloudtasks_emulator.advance(3600)
    for gone in (operation_id, "op_none"):
        answer = client.operation(gone)
        assert (answer["Code"], "Data" in answer) == ("200", False)


@pytest.mark.parametrize(
    ("asked", "kind", "detail"),
    [
        (bdrc.UpdateResourcesRequest(), "UPDATE_RESOURCES", None),
        (bdrc.UpdateResourcesRequest(resource_type="ACS::ECS::Instance"), "UPDATE_RESOURCES", "ACS::ECS::Instance"),
        (bdrc.CheckRulesRequest(resource_arn="arn", rule_id="r1"), "CHECK_RULES", "arn"),
    ],
)
def test_bdrc_starts_a_task(cloudtasks_emulator: Emulator, asked: Any, kind: str, detail: str | None) -> None:
    client = BdrcClient(alibaba_config(cloudtasks_emulator))
    start = client.update_resources if kind == "UPDATE_RESOURCES" else client.check_rules
    task_id = start(asked).body.data.task_id
    seen = []
    for _ in range(3):
        task = client.describe_task(task_id).body.to_map()["Data"]
        seen.append(task["TaskStatus"])
        cloudtasks_emulator.advance(1.5)
    assert seen == ["CREATED", "RUNNING", "COMPLETE"]
    assert (task["TaskType"], detail is None or detail in task["TaskDetail"]) == (kind, True)
    (entry,) = cloudtasks_emulator.started("bdrc.task")
    assert (entry["id"], entry["parameters"]) == (task_id, asked.to_map())
    assert [one.task_id for one in client.describe_tasks(bdrc.DescribeTasksRequest()).body.data.content] == [task_id]


def test_bdrc_refuses_to_check_rules_without_a_resource(cloudtasks_emulator: Emulator) -> None:
    client = BdrcClient(alibaba_config(cloudtasks_emulator))
    with pytest.raises(Exception, match="ResourceArn") as raised:
        client.check_rules(bdrc.CheckRulesRequest(rule_id="r1"))
    assert raised.value.code == "MissingResourceArn"
