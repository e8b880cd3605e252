"""The catalog follows the vendors' definitions: actions, parameters, paths, statuses, examples and hosts.

``python -m tools.contract`` prints how much is compared, and the exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from contract.comparing import compare
from contract.definitions import shapes_at, status_words, types_at
from contract.exceptions import EXCEPTIONS
from contract.findings import KINDS, Findings, counts, fits
from contract.requests import compare_request, parameters_of

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec import Action, ManyIds, Success, TaskApi

FINDINGS = {name: compare(api) for name, api in APIS.items()}


@pytest.mark.parametrize("name", APIS)
def test_an_api_follows_the_vendors_definitions(name: str) -> None:
    assert FINDINGS[name].unexcused(EXCEPTIONS) == []


def test_every_exception_is_needed_and_has_a_reason() -> None:
    deviations = [subject for found in FINDINGS.values() for subject in found.deviations]
    needless = [each for each in EXCEPTIONS if not any(fits(each, subject) for subject in deviations)]
    assert needless == []
    assert all(reason.strip() for reason in EXCEPTIONS.values())


def test_something_of_each_kind_is_compared_of_every_cloud() -> None:
    for cloud in ("alibaba", "tencent"):
        compared = counts(found for found in FINDINGS.values() if found.api.cloud == cloud)
        # Alibaba Cloud ships no examples.
        assert [kind for kind in KINDS if not compared[kind]] == (["examples"] if cloud == "alibaba" else [])


def test_what_apis_share_counts_once() -> None:
    one, other = FINDINGS["wedata.workflow_run"], FINDINGS["wedata.newest_workflow_run"]
    assert counts([one, one]) == counts([one]) | {"APIs": 2}
    assert counts([one, other])["regions"] == counts([one])["regions"]


def deviations(api: TaskApi) -> dict[str, str]:
    """What deviates of a changed API, and not of the catalog's."""
    before = FINDINGS[api.name].deviations
    return {subject: problem for subject, problem in compare(api).deviations.items() if subject not in before}


def with_read(api: str, **changes: Any) -> TaskApi:
    return replace(APIS[api], read=replace(APIS[api].read, **changes))


def many_of(api: str) -> ManyIds:
    together = APIS[api].read_many
    assert together is not None
    return together


def with_ids(api: str, **changes: Any) -> TaskApi:
    together = many_of(api)
    return replace(APIS[api], feed=None, read_many=replace(together, action=replace(together.action, **changes)))


@pytest.mark.parametrize(
    ("api", "deviation"),
    [
        (
            with_read("imm.task", name="GetTusk"),
            "imm.task GetTusk: is called, and the vendor defines no such action",
        ),
        (
            with_read("bdrc.task", method="PUT"),
            "bdrc.task DescribeTask: is called with PUT /api/v1/tasks/{TaskId}; the vendor defines GET "
            "/api/v1/tasks/{TaskId}",
        ),
        (
            with_read("bdrc.task", path="/api/v2/tasks/{TaskId}"),
            "bdrc.task DescribeTask: is called with GET /api/v2/tasks/{TaskId}; the vendor defines GET "
            "/api/v1/tasks/{TaskId}",
        ),
        (
            with_read("wedata.task", params=("TaskId",)),
            "wedata.task GetTask ProjectId: is required, and not sent",
        ),
        (
            with_read("wedata.task", params=("TaskId",), optional=("ProjectId",)),
            "wedata.task GetTask ProjectId: is required, and not sent",
        ),
        (
            with_read("wedata.task", optional=("ProjectName",)),
            "wedata.task GetTask ProjectName: is sent, and the vendor defines no such parameter",
        ),
        (
            with_read("imm.task", params_in="form"),
            "imm.task GetTask TaskId: is sent in the body; the vendor takes it in the query",
        ),
        (
            with_read("asr.recording", template={}),
            "asr.recording DescribeTaskStatus TaskId: is sent as '7', which is no integer",
        ),
        (
            with_read("dlc.task", template={"Filters": "{TaskId}"}),
            "dlc.task DescribeTasks Filters: is sent as '7', which is no array",
        ),
        (
            with_read("dlc.task", template={"Filters": ["{TaskId}"]}),
            "dlc.task DescribeTasks Filters: has the item '7', which is no object",
        ),
        (
            with_read("dlc.task", template={"Filters": [{"Name": "task-id", "Values": "{TaskId}"}]}),
            "dlc.task DescribeTasks Filters.Values: is sent as '7', which is no array",
        ),
        (
            with_read("tat.invocation", template={"Filters": [{"Name": "{InvocationId}"}]}),
            "tat.invocation DescribeInvocations Filters.Values: is required, and not sent",
        ),
        (
            with_read("dlc.task", template={"Filters": [{"Name": "x", "Values": ["{TaskId}"], "Fuzzy": 1}]}),
            "dlc.task DescribeTasks Filters.Fuzzy: is sent, and the vendor defines no such member",
        ),
        (
            with_ids("dlc.task", template={"Filters": [{"Name": "task-id", "Values": "{Ids:comma}"}]}),
            "dlc.task DescribeTasks Filters.Values: is sent as '7,8', which is no array",
        ),
        (
            with_ids("ros.stack", name="ListStax"),
            "ros.stack ListStax: is called, and the vendor defines no such action",
        ),
        (
            with_ids(
                "dataworks.task_instance", params=("Ids",), template={"Ids": "{Ids:integers}"}, json_params=("Ids",)
            ),
            "dataworks.task_instance ListTaskInstances ProjectId: is required, and not sent",
        ),
        (
            replace(APIS["batch.job"], read_many=replace(many_of("batch.job"), tasks="Jobs")),
            "batch.job DescribeJobs Jobs: is read, and the vendor's answer has no such field",
        ),
        (
            with_read("dlc.task", template={"Filters": [{"Name": "task-number", "Values": ["{TaskId}"]}]}),
            "dlc.task DescribeTasks Filters: is sent with 'task-number', which the vendor does not document",
        ),
        (
            replace(APIS["asr.recording"], message="Data.ErrorText"),
            "asr.recording DescribeTaskStatus Data.Data.ErrorText: is read, and the vendor's answer has no such field",
        ),
        (
            replace(APIS["asr.recording"], message="TaskId"),
            "asr.recording DescribeTaskStatus Data.TaskId: is read as string; the vendor defines integer",
        ),
        (
            replace(APIS["oos.execution"], message="Parameters.Text"),
            "oos.execution ListExecutions Executions.0.Parameters.Text: is read, and no definition describes it",
        ),
        (
            replace(APIS["asr.recording"], states={"success": TaskState.SUCCEEDED}),
            "asr.recording DescribeTaskStatus doing: is documented, and no state is decided for it",
        ),
        (
            replace(APIS["ros.stack"], service=replace(APIS["ros.stack"].service, region_hosts={})),
            "ros.stack cn-hangzhou public: is https://ros.cn-hangzhou.aliyuncs.com; the vendor's client calls "
            "ros.aliyuncs.com",
        ),
        (
            replace(APIS["asr.recording"], service=replace(APIS["asr.recording"].service, host="asr.test")),
            "asr.recording ap-guangzhou public: is https://asr.test; the vendor's client calls asr.tencentcloudapi.com",
        ),
    ],
    ids=lambda each: each.split(": ")[0] if isinstance(each, str) else "",
)
def test_names_what_deviates(api: TaskApi, deviation: str) -> None:
    subject, _, problem = deviation.partition(": ")
    assert deviations(api)[subject] == problem


def test_names_examples_that_are_not_understood() -> None:
    api = APIS["vpc.task"]
    assert deviations(replace(api, states={"DONE": TaskState.SUCCEEDED}))[
        "vpc.task DescribeVpcTaskResult example 1 of a read"
    ].startswith("shows the status ")
    run = APIS["wedata.workflow_run"]
    assert run.list_tasks is not None
    elsewhere = replace(run, list_tasks=replace(run.list_tasks, tasks="Data.Runs"))
    assert "wedata.workflow_run ListTriggerWorkflowRuns example 1 of a list" in deviations(elsewhere)


def test_names_a_start_that_is_encoded_otherwise_than_the_vendor_defines() -> None:
    api = APIS["batch.job"]
    bare = replace(api, starts=(replace(api.starts[0], encodings={}),))
    assert deviations(bare)["batch.job SubmitJob Job.Priority"] == "is sent as '7', which is no integer"


LISTING = [(name, field) for name, api in APIS.items() for field in ("list_tasks", "read_many") if getattr(api, field)]


@pytest.mark.parametrize(("name", "field"), LISTING)
def test_compares_whether_a_task_that_is_read_with_others_has_every_field(name: str, field: str) -> None:
    api, listing = APIS[name], getattr(APIS[name], field)
    subject = f"{name} {listing.action.name} complete"
    other = replace(listing, complete=not listing.complete)
    changes = {
        each: other if each == field else None
        for each in ("list_tasks", "read_many")
        if each == field or not api.find_in_list
    }
    # A feed may be the same list.
    changes["feed"] = None
    is_wrong = subject in FINDINGS[name].deviations
    assert (subject in compare(replace(api, **changes)).deviations) is not is_wrong
    assert not is_wrong or subject in EXCEPTIONS


def test_compares_how_tasks_are_read_together() -> None:
    api = APIS["dlc.task"]
    assert api.read_many is not None
    elsewhere = replace(api, read_many=replace(api.read_many, tasks="Tasks"))
    assert deviations(elsewhere)["dlc.task DescribeTasks Tasks"] == (
        "is read, and the vendor's answer has no such field"
    )
    untyped = replace(api.read_many, action=replace(api.read_many.action, template={"Filters": "{Ids:comma}"}))
    found = deviations(replace(api, read_many=replace(untyped, ids_param="Ids")))
    assert found["dlc.task DescribeTasks Filters"] == "is sent as '7,8', which is no array"


def test_compares_the_fields_that_tell_an_error() -> None:
    api = with_read("asr.recording", success=Success("Data.Ok", code="Data.StatusStr"), error_beside="Data.Text")
    problem = "is read, and the vendor's answer has no such field"
    assert deviations(api) == {
        "asr.recording DescribeTaskStatus Data.Ok": problem,
        "asr.recording DescribeTaskStatus Data.Text": problem,
    }


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[1]", None),
        ([1], "is sent as [1]; the vendor takes JSON in a text"),
    ],
)
def test_a_list_that_the_vendor_takes_as_json_is_sent_as_text(value: Any, problem: str | None) -> None:
    api = APIS["dataworks.task_instance"]
    assert api.cancel is not None
    found = Findings(api)
    compare_request(api, replace(api.cancel.action, json_params=()), {"Ids": value}, found)
    assert found.deviations.get("dataworks.task_instance StopTaskInstances Ids") == problem


ANSWER = {"Jobs": [{"Id": "integer", "More": "any"}], "Parts": {"a": {"State": "string"}, "b": "any"}, "Code": "string"}


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("", {"object"}),
        ("Jobs", {"array"}),
        ("Jobs.0.Id", {"integer"}),
        ("Jobs.*.Id", {"integer"}),
        ("Jobs.Id", set()),
        ("Jobs.0.More", {"any"}),
        ("Jobs.0.More.x", {"undescribed"}),
        ("Jobs.0.More.x.y", {"undescribed"}),
        ("Parts.*", {"object", "any"}),
        ("Parts.*.State", {"string", "undescribed"}),
        ("Code.x", set()),
    ],
)
def test_which_types_are_at_a_path_of_an_answer(path: str, types: set[str]) -> None:
    assert types_at(ANSWER, path) == types
    assert bool(shapes_at(ANSWER, path)) is bool(types)


@pytest.mark.parametrize(
    ("document", "kind", "words"),
    [
        ("任务状态：0 初始化， 1 执行中。-1 执行失败，-3 已取消。", "integer", ["0", "1", "-1", "-3"]),
        (
            "<p>状态。</p><ul><li>INIT： 初始。</li><li>DONE：在 Wait = true 场景下</li></ul>",
            "string",
            ["INIT", "DONE"],
        ),
        ("状态:\nRUNNING, FAILED\n注意：此字段可能返回 null，表示取不到有效值。", "string", ["RUNNING", "FAILED"]),
        ("Session Statement状态，包含：waiting（排队中）、error（异常）", "string", ["waiting", "error"]),
        ("状态。返回参数有：initial-初始化、success-成功", "string", ["initial", "success"]),
        ("1：等待中、5：处理完成。", "string", ["1", "5"]),
        (
            "The state. Valid values:\n\n*   **RUNNING**\n- partial-succeeded: x",
            "string",
            ["RUNNING", "partial-succeeded"],
        ),
        ("The status. Valid values: `CREATED` (Created), and `FAILED` (Failed).", "string", ["CREATED", "FAILED"]),
        ("The status. Valid values: Started, Success, and Cancelled.", "string", ["Started", "Success", "Cancelled"]),
        ("The job status.", "string", []),
        ("作业状态", "string", []),
    ],
)
def test_which_statuses_a_text_of_the_vendor_lists(document: str, kind: str, words: list[str]) -> None:
    assert status_words(document, kind) == words


def test_reads_the_parameters_out_of_a_request() -> None:
    action = Action(
        name="A",
        params=("Id", "Name", "Kind"),
        template={"Filters": [{"Values": ["{Id}"], "Name": "id"}], "Deep": {"Name": "{Name}", "Other": "x"}},
    )
    request: Mapping[str, Any] = {"Kind": "k", "Filters": [{"Values": ["7"], "Name": "id"}], "Deep": {"Name": "n"}}
    assert parameters_of(action, request) == {"Kind": "k", "Id": "7", "Name": "n"}
