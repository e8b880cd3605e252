"""WeData's workflow runs: started, read, listed and killed with Tencent Cloud's own clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from vendor_clients import tccli, tencent

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Client

    from airflow_cloudtasks.emulator import Emulator

RUN, TASK_RUN = "wedata.workflow_run", "wedata.task_run"
START = {"ProjectId": "p1", "WorkflowId": "w1"}


def start(emulator: Emulator, **more: Any) -> str:
    run_id: str = tencent(emulator)("CreateTriggerWorkflowRun", {**START, **more})["Data"]["WorkflowExecutionId"]
    return run_id


def read(emulator: Emulator, run_id: str, project: str = "p1") -> dict[str, Any]:
    answer = tencent(emulator)("GetTriggerWorkflowRun", {"ProjectId": project, "WorkflowExecutionId": run_id})
    data: dict[str, Any] = answer["Data"]
    return data


def list_by(emulator: Emulator, action: str, name: str, *values: str, **more: Any) -> list[dict[str, Any]]:
    filters = [{"Name": name, "Values": list(values)}]
    page = tencent(emulator)(action, {"ProjectId": "p1", "Filters": filters, **more})["Data"]
    items: list[dict[str, Any]] = page["Items"]
    return items


def kill(emulator: Emulator, **more: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = tencent(emulator)("KillTriggerWorkflowRuns", {**START, **more})["Data"]
    return results


def test_tccli_starts_reads_and_kills_a_run(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    def call(action: str, *arguments: str) -> Any:
        where = ("--version", "2025-08-06", "--ProjectId", "p1")
        return tccli(cloudtasks_emulator, tmp_path, ("wedata", action, *where, *arguments))["Data"]

    run_id = call("CreateTriggerWorkflowRun", "--WorkflowId", "w1")["WorkflowExecutionId"]
    read_it = ("GetTriggerWorkflowRun", "--WorkflowExecutionId", run_id)
    assert call(*read_it)["TriggerWorkflowRun"]["WorkflowId"] == "w1"
    kill_it = ("--WorkflowId", "w1", "--WorkflowExecutionIdList", json.dumps([run_id]))
    assert call("KillTriggerWorkflowRuns", *kill_it)[0]["OpStatus"] in (True, False)


def test_a_started_run_succeeds(cloudtasks_emulator: Emulator) -> None:
    params = [{"ParamKey": "day", "ParamValue": "2026-01-01"}]
    run_id = start(cloudtasks_emulator, TaskIds=["a", "b"], AdvancedParams=params)
    before = read(cloudtasks_emulator, run_id)
    run = before["TriggerWorkflowRun"]
    assert (run["ExecutionState"], run["ExecutionStartTime"], run["EndTime"]) == ("PENDING", None, None)
    assert (run["SelectedTaskIds"], json.loads(run["WorkflowParams"])) == (["a", "b"], {"day": "2026-01-01"})
    assert [one["TaskId"] for one in before["TriggerTaskRuns"]] == ["a", "b"]
    assert before["BizStateEnumInfos"] == [{"LabelKey": "PENDING", "LabelValue": "PENDING", "Count": 2}]
    states = []
    for _ in range(3):
        run = read(cloudtasks_emulator, run_id)["TriggerWorkflowRun"]
        states.append(run["ExecutionState"])
        cloudtasks_emulator.advance(2)
    assert states == ["PENDING", "RUNNING", "SUCCESS"]
    assert int(run["CreateTime"]) <= int(run["ExecutionStartTime"]) <= int(run["EndTime"])


def test_started_returns_the_parameters_of_each_start(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(RUN, "by-hand", "SUCCESS")
    run_id = start(cloudtasks_emulator, TaskIds=["a"])
    (entry,) = cloudtasks_emulator.started()
    assert entry.pop("time") > 0
    assert entry == {
        "api": RUN,
        "id": run_id,
        "action": "CreateTriggerWorkflowRun",
        "parameters": {**START, "TaskIds": ["a"]},
    }
    assert cloudtasks_emulator.started("ice.workflow_task") == []
    with pytest.raises(ValueError, match="api"):
        cloudtasks_emulator.started("wedata")


def test_plans_for_the_next_runs_come_before_the_plan_for_all(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(RUN, "FAILED", fields={"ErrorCodeStr": "first"})
    cloudtasks_emulator.next_script(RUN, ("RUNNING", 5), "SKIPED")
    cloudtasks_emulator.next_script(RUN, "SUCCESS", for_all=True)
    runs = [read(cloudtasks_emulator, start(cloudtasks_emulator))["TriggerWorkflowRun"] for _ in range(4)]
    assert [run["ExecutionState"] for run in runs] == ["FAILED", "RUNNING", "SUCCESS", "SUCCESS"]
    assert [run["ErrorCodeStr"] for run in runs] == ["first", None, None, None]
    cloudtasks_emulator.reset()
    assert read(cloudtasks_emulator, start(cloudtasks_emulator))["TriggerWorkflowRun"]["ExecutionState"] == "PENDING"


def test_a_workflow_run_shows_its_failed_task_run(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(RUN, "FAILED")
    cloudtasks_emulator.next_script(TASK_RUN, "SUCCESS")
    cloudtasks_emulator.next_script(TASK_RUN, "FAILED", fields={"TaskName": "load", "ErrorCodeStr": "no such table"})
    run_id = start(cloudtasks_emulator, TaskIds=["a", "b"])
    start(cloudtasks_emulator)
    listed = list_by(cloudtasks_emulator, "ListTriggerTaskRuns", "WorkflowExecutionId", run_id)
    assert {one["TaskId"]: one["TaskExecutionState"] for one in listed} == {"a": "SUCCESS", "b": "FAILED"}
    failed = next(one for one in listed if one["TaskExecutionState"] == "FAILED")
    asked = {"ProjectId": "p1", "TaskExecutionId": failed["ExecutionId"]}
    one = tencent(cloudtasks_emulator)("GetTriggerTaskRun", asked)["Data"]
    assert (one["TaskName"], one["ErrorCodeStr"]) == ("load", "no such table")
    assert (one["ExecutionState"], one["WorkflowExecutionState"]) == ("FAILED", "FAILED")


def test_a_task_run_that_a_test_added_belongs_to_the_run_that_it_names(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(RUN, "r1", "FAILED")
    cloudtasks_emulator.add_task(TASK_RUN, "t1", "FAILED", fields={"WorkflowExecutionId": "r1"})
    cloudtasks_emulator.add_task(TASK_RUN, "t2", "SUCCESS", fields={"WorkflowExecutionId": "r2"})
    assert [one["ExecutionId"] for one in read(cloudtasks_emulator, "r1")["TriggerTaskRuns"]] == ["t1"]


def test_lists_runs_by_their_ids_in_the_requested_order(cloudtasks_emulator: Emulator) -> None:
    for number in range(12):
        cloudtasks_emulator.add_task(RUN, f"r{number}", "SUCCESS", fields={"ProjectId": "p1"})
    cloudtasks_emulator.add_task(RUN, "elsewhere", "SUCCESS", fields={"ProjectId": "p2"})
    listed = list_by(cloudtasks_emulator, "ListTriggerWorkflowRuns", "ExecutionId", "r3", "r5", "elsewhere")
    assert [one["ExecutionId"] for one in listed] == ["r5", "r3"]
    order = [{"Name": "CreateTime", "Direction": "ASC"}]
    asked = {"ProjectId": "p1", "OrderFields": order, "PageNumber": 2}
    page = tencent(cloudtasks_emulator)("ListTriggerWorkflowRuns", asked)["Data"]
    assert (len(page["Items"]), page["PageSize"], page["TotalCount"], page["TotalPageNumber"]) == (2, 10, 12, 2)
    assert cloudtasks_emulator.totals()["wedata.workflow_run_list"]["total"] == 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"PageSize": 101}, "InvalidParameter"),
        ({"PageNumber": 0}, "InvalidParameter"),
        ({"Filters": [{"Name": "State", "Values": ["FAILED"]}]}, "InvalidParameter"),
        ({"Filters": [{"Name": "ScheduleTimeLessEqual", "Values": ["soon"]}]}, "InvalidParameter"),
        ({"Filters": [{"Name": "Keyword", "Value": "x"}]}, "UnknownParameter"),
        ({"Filters": ["Keyword"]}, "InvalidParameter"),
        ({"Filters": [{"Name": "Keyword", "Values": [1]}]}, "InvalidParameter"),
        ({"OrderFields": [{"Name": "CreateTime"}]}, "MissingParameter"),
        ({"OrderFields": [{"Name": "CreateTime", "Direction": "down"}]}, "InvalidParameter"),
    ],
)
def test_refuses_a_list_of_runs_with_an_invalid_parameter(
    cloudtasks_emulator: Emulator, asked: dict[str, Any], code: str
) -> None:
    cloudtasks_emulator.add_task(RUN, "r1", "SUCCESS")
    with pytest.raises(TencentCloudSDKException) as raised:
        tencent(cloudtasks_emulator)("ListTriggerWorkflowRuns", {"ProjectId": "p1", **asked})
    assert raised.value.code == code


def test_a_killed_run_fails_with_its_task_runs(cloudtasks_emulator: Emulator) -> None:
    run_id = start(cloudtasks_emulator)
    cloudtasks_emulator.advance(2)
    (result,) = kill(cloudtasks_emulator, WorkflowExecutionIdList=[run_id])
    assert (result["ItemId"], result["OpStatus"], result["ErrorMessage"]) == (run_id, True, None)
    cloudtasks_emulator.advance(60)
    data = read(cloudtasks_emulator, run_id)
    assert data["TriggerWorkflowRun"]["ExecutionState"] == "FAILED"
    assert [one["ExecutionState"] for one in data["TriggerTaskRuns"]] == ["FAILED"]
    (entry,) = cloudtasks_emulator.canceled()
    assert (entry["api"], entry["id"], entry["status"], entry["ended"]) == (RUN, run_id, "RUNNING", True)
    assert entry["action"] == "KillTriggerWorkflowRuns"


def test_reports_and_records_a_run_that_cannot_be_killed(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(RUN, "done", "SUCCESS")
    results = kill(cloudtasks_emulator, WorkflowExecutionIdList=["done", "none"])
    assert [(one["OpStatus"], bool(one["ErrorMessage"])) for one in results] == [(False, True)] * 2
    noted = [(one["id"], one["status"], one["ended"]) for one in cloudtasks_emulator.canceled(RUN)]
    assert noted == [("done", "SUCCESS", False), ("none", None, False)]
    assert read(cloudtasks_emulator, "done")["TriggerWorkflowRun"]["ExecutionState"] == "SUCCESS"


def test_kills_all_or_only_the_waiting_runs_of_a_workflow(cloudtasks_emulator: Emulator) -> None:
    for task_id, status, workflow in (("a", "PENDING", "w1"), ("b", "RUNNING", "w1"), ("c", "RUNNING", "w2")):
        cloudtasks_emulator.add_task(RUN, task_id, status, fields={"WorkflowId": workflow})
    assert kill(cloudtasks_emulator) == []
    assert [one["ItemId"] for one in kill(cloudtasks_emulator, Pending=True)] == ["a"]
    assert [one["ItemId"] for one in kill(cloudtasks_emulator, All=True)] == ["b"]
    states = [read(cloudtasks_emulator, task_id)["TriggerWorkflowRun"]["ExecutionState"] for task_id in "abc"]
    assert states == ["FAILED", "FAILED", "RUNNING"]


def test_refuses_a_run_of_another_project(cloudtasks_emulator: Emulator) -> None:
    run_id = start(cloudtasks_emulator)
    with pytest.raises(TencentCloudSDKException) as raised:
        read(cloudtasks_emulator, run_id, "p2")
    assert raised.value.code == "ResourceNotFound"
    (result,) = kill(cloudtasks_emulator, ProjectId="p2", WorkflowExecutionIdList=[run_id])
    assert result["OpStatus"] is False
    assert read(cloudtasks_emulator, run_id)["TriggerWorkflowRun"]["ExecutionState"] == "PENDING"


def test_an_answer_notices_a_killed_run_as_ended(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(RUN, "r1", "RUNNING")
    read(cloudtasks_emulator, "r1")
    kill(cloudtasks_emulator, WorkflowExecutionIdList=["r1"])
    assert cloudtasks_emulator.noticed() == []
    read(cloudtasks_emulator, "r1")
    assert [one["id"] for one in cloudtasks_emulator.noticed(RUN)] == ["r1"]


def test_a_run_is_started_despite_a_lost_answer_but_not_after_a_reset(client: Client) -> None:
    emulator = client.emulator
    for kind, started in (("reset", 0), ("lost_answer", 1)):
        emulator.fault(kind, count=1)
        with pytest.raises(ConnectionResetError):
            client.send(client.prepare_tencent(START, "CreateTriggerWorkflowRun"))
        assert len(emulator.started()) == started
    assert [entry["outcome"] for entry in emulator.requests()] == ["reset", "lost_answer"]
    assert read(emulator, emulator.started()[0]["id"])["TriggerWorkflowRun"]["WorkflowId"] == "w1"


def test_a_lost_answer_can_be_a_refusal(client: Client) -> None:
    client.emulator.fault("lost_answer")
    with pytest.raises(ConnectionResetError):
        client.send(client.prepare_tencent({"ProjectId": "p1"}, "CreateTriggerWorkflowRun"))
    assert client.emulator.started() == []


def test_a_fault_can_strike_one_api_alone(client: Client) -> None:
    client.emulator.fault("throttle", api="wedata.workflow_run_start")
    assert client.wedata().code == "ResourceNotFound"
    assert client.send(client.prepare_tencent(START, "CreateTriggerWorkflowRun")).code == "RequestLimitExceeded"


def test_the_control_plane_has_plans_starts_and_cancellations(client: Client) -> None:
    plan = {"api": RUN, "script": [["RUNNING", 9], "FAILED"], "fields": {"WorkflowName": "n"}}
    posted = client.control("POST", "scripts", plan).json
    steps = [{"status": "RUNNING", "seconds": 9.0, "fields": {}}, {"status": "FAILED", "seconds": None, "fields": {}}]
    assert posted == {"scripts": [{**plan, "script": steps, "for_all": False}]}
    assert client.control("GET", "scripts").json == posted
    run_id = start(client.emulator)
    assert client.control("GET", "scripts").json == {"scripts": []}
    assert client.control("GET", f"started?api={RUN}").json["started"][0]["id"] == run_id
    kill(client.emulator, WorkflowExecutionIdList=[run_id])
    assert client.control("GET", "canceled").json["canceled"][0]["status"] == "RUNNING"
    client.control("POST", "scripts", {**plan, "for_all": True})
    assert client.control("GET", "scripts").json["scripts"][0]["for_all"] is True
    assert client.control("DELETE", "scripts").json == {"ok": True}
    assert client.control("GET", "scripts").json == {"scripts": []}
    client.control("POST", "reset")
    assert client.control("GET", "started").json == {"started": []}
    assert client.control("GET", "canceled").json == {"canceled": []}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("scripts", {"api": "wedata.task", "script": "Y"}, "api: expected one of"),
        ("scripts", {"api": RUN}, "script is missing"),
        ("scripts", {"api": RUN, "script": "SUCCESS", "for_all": 1}, "for_all: expected true or false, got 1"),
        ("faults", {"kind": "lost_answer", "api": "wedata"}, "api: expected one of"),
    ],
)
def test_the_control_plane_refuses_an_invalid_plan(client: Client, path: str, value: Any, expected: str) -> None:
    answer = client.control("POST", path, value)
    assert (answer.status, expected in answer.json["error"]) == (400, True)


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("Keyword", ["ports"], ["b"]),
        ("Keyword", ["w-b", "w-a"], ["b", "a"]),
        ("WorkflowId", ["w-a"], ["a"]),
        ("InChargeUin", ["7"], ["a"]),
        ("ExecuteUserUin", ["100000000001"], ["b", "a"]),
        ("FolderId", ["none"], []),
        ("ScheduleTimeGreaterEqual", ["1700000000000"], ["b", "a"]),
        ("ScheduleTimeLessEqual", ["1700000000000"], []),
    ],
)
def test_filters_the_list_of_runs(
    cloudtasks_emulator: Emulator, name: str, values: list[str], found: list[str]
) -> None:
    cloudtasks_emulator.add_task(RUN, "a", "SUCCESS", fields={"WorkflowId": "w-a", "UserUinInCharge": "7"})
    cloudtasks_emulator.add_task(RUN, "b", "SUCCESS", fields={"WorkflowId": "w-b", "WorkflowName": "reports"})
    listed = list_by(cloudtasks_emulator, "ListTriggerWorkflowRuns", name, *values)
    assert [one["ExecutionId"] for one in listed] == found


def test_task_runs_of_a_skipped_run_are_skipped_in_their_own_spelling(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(RUN, "SKIPED")
    data = read(cloudtasks_emulator, start(cloudtasks_emulator))
    assert data["TriggerWorkflowRun"]["ExecutionState"] == "SKIPED"
    assert [one["ExecutionState"] for one in data["TriggerTaskRuns"]] == ["SKIP"]
