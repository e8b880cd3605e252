"""The emulator shows what explains a failure, and by what a start is found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vendor_clients import tencent

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator import Emulator

FILTERS = [{"Name": "invocation-id", "Values": ["inv-1"]}]


@pytest.mark.parametrize(("hidden", "output"), [({}, ""), ({"HideOutput": True}, ""), ({"HideOutput": False}, "eA==")])
def test_an_invocations_output_is_shown_on_request(
    cloudtasks_emulator: Emulator, hidden: dict[str, bool], output: str
) -> None:
    of_instance = {"TaskStatus": "FAILED", "InstanceId": "ins-1", "TaskResult": {"ExitCode": 2, "Output": "eA=="}}
    cloudtasks_emulator.add_task("tat.invocation", "inv-1", "FAILED", fields={"InvocationTaskSet": [of_instance]})
    call = tencent(cloudtasks_emulator, "tat", "2020-10-28")
    answer = call("DescribeInvocationTasks", {"Filters": FILTERS, **hidden})
    [shown] = answer["InvocationTaskSet"]
    assert (shown["InvocationId"], shown["InstanceId"], shown["TaskStatus"]) == ("inv-1", "ins-1", "FAILED")
    assert shown["TaskResult"]["Output"] == output
    [invocation] = call("DescribeInvocations", {"Filters": FILTERS})["InvocationSet"]
    assert "InvocationTaskSet" not in invocation


def test_an_instance_has_the_status_of_its_invocation(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_running("tat.invocation", "inv-1")
    answer = tencent(cloudtasks_emulator, "tat", "2020-10-28")("DescribeInvocationTasks", {"Filters": FILTERS})
    assert [each["TaskStatus"] for each in answer["InvocationTaskSet"]] == ["RUNNING"]


@pytest.mark.parametrize(
    ("order", "lines"), [({}, ["b", "a"]), ({"Order": "DESC"}, ["b", "a"]), ({"Order": "ASC"}, ["a", "b"])]
)
def test_a_training_task_has_logs(cloudtasks_emulator: Emulator, order: dict[str, str], lines: list[str]) -> None:
    fields = {"LatestInstanceId": "train-1-a", "Logs": ["a", "b"]}
    cloudtasks_emulator.add_task("tione.training_task", "train-1", "FAILED", fields=fields)
    call = tencent(cloudtasks_emulator, "tione", "2021-11-11")
    answer = call("DescribeLogs", {"Service": "TRAIN", "ServiceId": "train-1-a", **order})
    assert [each["Message"] for each in answer["Content"]] == lines
    assert "Logs" not in call("DescribeTrainingTask", {"Id": "train-1"})["TrainingTaskDetail"]


def test_a_list_of_vod_shows_by_which_request_a_task_was_started(cloudtasks_emulator: Emulator) -> None:
    call = tencent(cloudtasks_emulator, "vod", "2018-07-17")
    call("ProcessMedia", {"FileId": "other"})
    task_id = call("ProcessMedia", {"FileId": "f", "SessionContext": "mine"})["TaskId"]
    newest, other = call("DescribeTasks", {"Limit": 2})["TaskSet"]
    assert (newest["TaskId"], newest["FileId"], newest["SessionContext"]) == (task_id, "f", "mine")
    assert (other["FileId"], other["SessionContext"]) == ("other", "")
    assert "SessionContext" not in call("DescribeTaskDetail", {"TaskId": task_id})
    page = call("DescribeTasks", {"Limit": 1})
    [following] = call("DescribeTasks", {"Limit": 1, "ScrollToken": page["ScrollToken"]})["TaskSet"]
    assert following == other


def test_the_history_of_an_execution_has_its_events(cloudtasks_emulator: Emulator) -> None:
    failure = {"EventCategory": "TaskNodeExit", "StepName": "CheckMPS", "Exception": "no file"}
    cloudtasks_emulator.add_task("asw.execution", "qrn:1", "FAILED", fields={"Events": [failure]})
    call = tencent(cloudtasks_emulator, "asw", "2020-07-22")
    begun, failed = call("DescribeExecutionHistory", {"ExecutionResourceName": "qrn:1"})["Events"]
    assert (begun["EventId"], begun["StepName"], begun["Exception"]) == (1, "START", "")
    assert (failed["EventId"], failed["StepName"], failed["Exception"]) == (2, "CheckMPS", "no file")
    assert "Events" not in call("DescribeExecution", {"ExecutionResourceName": "qrn:1"})
