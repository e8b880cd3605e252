"""A failed task names the parts that failed, with the end of their logs, where the vendor has them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import NotFound, Throttled
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.protocol.explain import FAILED_PARTS, explanation
from airflow_cloudtasks.protocol.normalise import normalise
from airflow_cloudtasks.spec import Action, Log, Parts, TaskApi

Answering = Callable[[str, dict[str, Any]], Any]


def failed(api: str, detail: dict[str, Any], **attributes: Any) -> CloudTask:
    made = CloudTask(api=api, cloud=APIS[api].cloud, id="t", state=TaskState.FAILED, status="X", detail=detail)
    return dataclasses.replace(made, **attributes)


def no_request(action: str, parameters: dict[str, Any]) -> Any:
    raise AssertionError(f"{action} was asked for {parameters}")


def explained(task: CloudTask, answering: Answering = no_request) -> CloudTask:
    """Return the task after every request has been answered."""
    api = APIS[task.api]
    asking = explanation(api, task, api.parameters(task.id, dict.fromkeys(api.task_params, "p")))
    answer = None
    while True:
        try:
            action, parameters = asking.send(answer)
        except StopIteration as finished:
            task_explained: CloudTask = finished.value
            return task_explained
        answer = answering(action.name, parameters)


def normalised_ice(activities: Any) -> CloudTask:
    answer = {"WorkflowTask": {"TaskId": "t", "Status": "Failed", "ActivityResults": activities}}
    return normalise(APIS["ice.workflow_task"], answer, parameters={})


def test_names_failed_ice_activities_by_name_or_id() -> None:
    task = explained(
        normalised_ice(
            '{"act-1": {"Status": "Finished"}, "act-2": {"Status": "failed", "Message": "no codec"},'
            ' "act-3": {"ActivityName": "Snapshot", "ActivityInstanceId": "i3", "Status": "Failed", "Code": 404}}'
        )
    )
    assert task.message == "act-2 is failed: no codec; Snapshot (i3) is Failed: 404"
    assert task.detail[FAILED_PARTS] == [
        {"name": "act-2", "id": None, "status": "failed", "message": "no codec", "log": None},
        {"name": "Snapshot", "id": "i3", "status": "Failed", "message": "404", "log": None},
    ]


@pytest.mark.parametrize(
    "activities",
    [
        "the whole text, which is no JSON",
        "",
        None,
        "[]",
        "{}",
        '{"act-1": {"Status": "Finished"}, "act-2": "Failed"}',
        7,
    ],
)
def test_activities_without_a_failure_leave_the_task_unchanged(activities: Any) -> None:
    task = normalised_ice(activities)
    assert explained(task) is task


def test_reads_failed_nodes_of_an_ai_workflow_from_a_list() -> None:
    nodes = [
        {"NodeId": "n1", "Status": "succeeded"},
        {"NodeId": "n2", "NodeName": "Cut", "Status": "partial-succeeded"},
        {"NodeId": "n3", "Status": "FAILED", "ErrorMessage": "too long"},
        "failed",
    ]
    task = explained(failed("ice.ai_workflow_task", {"NodeResults": nodes}, message="2 nodes failed"))
    assert task.message == "2 nodes failed; Cut (n2) is partial-succeeded; n3 (n3) is FAILED: too long"


def test_reads_a_workflow_run_again_with_its_task_runs() -> None:
    asked = []

    def answering(action: str, parameters: dict[str, Any]) -> Any:
        asked.append((action, parameters))
        runs = [
            {"TaskName": "load", "ExecutionId": "r1", "ExecutionState": "FAILED", "ErrorCodeStr": "NoTable"},
            {"TaskName": "check", "ExecutionId": "r2", "ExecutionState": "SKIP"},
        ]
        return {"Data": {"TriggerTaskRuns": runs}}

    task = explained(failed("wedata.workflow_run", {"ExecutionId": "e"}, message="failed"), answering)
    assert asked == [("GetTriggerWorkflowRun", {"ProjectId": "p", "WorkflowExecutionId": "e"})]
    assert task.message == "failed; load (r1) is FAILED: NoTable"


@pytest.mark.parametrize("answer", [Throttled("slow down"), {}, {"Data": {"TriggerTaskRuns": None}}])
def test_an_answer_without_parts_leaves_the_task_unchanged(answer: Any) -> None:
    task = failed("wedata.workflow_run", {"ExecutionId": "e"}, message="failed")
    assert explained(task, lambda *_: answer) is task


def test_reads_the_instances_of_each_backfill_task_and_their_logs() -> None:
    asked = []

    def answering(action: str, parameters: dict[str, Any]) -> Any:
        asked.append((action, parameters))
        if action == "GetTaskInstanceLog":
            return {"Data": {"LogInfo": f"log of {parameters['InstanceKey']}<br>"}}
        if parameters["TaskId"] == "a":
            return NotFound("no such task")
        day = {"TaskId": "b", "TaskName": "load", "CurRunDate": "2026-01-31 00:00:00", "State": "EXPIRED"}
        return {"Data": {"Items": [day, {**day, "State": "COMPLETED"}]}}

    task = explained(failed("wedata.backfill", {"TaskIds": ["a", "b"]}, message="50% succeeded"), answering)
    plan = {"ProjectId": "p", "DataBackfillPlanId": "t", "PageSize": 100}
    assert asked == [
        ("ListDataBackfillInstances", plan | {"TaskId": "a"}),
        ("ListDataBackfillInstances", plan | {"TaskId": "b"}),
        ("GetTaskInstanceLog", {"ProjectId": "p", "InstanceKey": "b_2026-01-31 00:00:00"}),
    ]
    assert task.message == (
        "50% succeeded; load (2026-01-31 00:00:00) is EXPIRED; the end of its log:\n  log of b_2026-01-31 00:00:00"
    )


def test_reads_the_logs_of_at_most_three_parts() -> None:
    def answering(action: str, parameters: dict[str, Any]) -> Any:
        if action == "GetTaskInstanceLog":
            return {"Data": {"LogInfo": "a line"}}
        days = [{"TaskId": "b", "CurRunDate": f"2026-01-0{day} 00:00:00", "State": "EXPIRED"} for day in range(1, 6)]
        return {"Data": {"Items": days}}

    task = explained(failed("wedata.backfill", {"TaskIds": ["b"]}), answering)
    assert [part["log"] for part in task.detail[FAILED_PARTS]] == [["a line"]] * 3 + [None] * 2


def test_a_part_that_lacks_a_field_of_its_log_has_no_log() -> None:
    def answering(action: str, parameters: dict[str, Any]) -> Any:
        assert action == "ListDataBackfillInstances"
        return {"Data": {"Items": [{"TaskId": "b", "TaskName": "load", "State": "EXPIRED"}]}}

    task = explained(failed("wedata.backfill", {"TaskIds": ["b"]}), answering)
    assert task.message == "load is EXPIRED"
    assert task.detail[FAILED_PARTS][0]["log"] is None


INSTANCE = {"InstanceKey": "1_2026-01-31 00:00:00", "TaskName": "load", "InstanceState": "EXPIRED"}


def log_of(*pages: Any) -> tuple[list[str] | None, list[Any], CloudTask]:
    """Return the log of an instance in the task, the cursors of the requests, and the task."""
    left, cursors = list(pages), []

    def answering(action: str, parameters: dict[str, Any]) -> Any:
        assert (action, parameters["InstanceKey"]) == ("GetTaskInstanceLog", INSTANCE["InstanceKey"])
        cursors.append(parameters.get("NextCursor"))
        page = left.pop(0)
        if not isinstance(page, tuple):
            return page
        return {"Data": {"LogInfo": page[0], "NextCursor": page[1]}}

    task = explained(failed("wedata.task_instance", dict(INSTANCE), message="exit code 1"), answering)
    return task.detail[FAILED_PARTS][0]["log"], cursors, task


def test_an_instances_message_ends_with_its_own_log() -> None:
    log, cursors, task = log_of(("first<br>sec", "10"), ("ond<br>  third \r\n<br>", None))
    assert log == ["first", "second", "  third"]
    assert cursors == [None, "10"]
    # The task itself already holds the status and the reason.
    assert task.message == "exit code 1; the end of its log:\n  first\n  second\n    third"


@pytest.mark.parametrize(
    ("pages", "lines", "requests"),
    [
        ([("a<br>", "10"), ("b", "10")], ["a", "b"], 2),
        ([("a", None)], ["a"], 1),
        ([("a", "")], ["a"], 1),
        ([("a<br>", "10"), ("", "20")], ["a"], 2),
        ([("a<br>", "10"), Throttled("slow down")], ["a"], 2),
        ([("", None)], None, 1),
        ([(None, "10")], None, 1),
        ([("<br> <br>", None)], None, 1),
        ([NotFound("gone")], None, 1),
        ([{}], None, 1),
    ],
    ids=[
        *("a cursor again", "no cursor", "a blank cursor", "an empty page", "an error later"),
        *("an empty log", "no log", "blank lines", "an error", "no data"),
    ],
)
def test_reads_a_log_to_its_end(pages: list[Any], lines: list[str] | None, requests: int) -> None:
    log, cursors, task = log_of(*pages)
    assert (log, len(cursors)) == (lines, requests)
    end_of_log = ["\n  ".join(("the end of its log:", *lines))] if lines else []
    assert task.message == "; ".join(("exit code 1", *end_of_log))


def test_stops_reading_a_log_after_a_hundred_pages() -> None:
    _, cursors, _ = log_of(*((f"{page}<br>", str(page)) for page in range(1000)))
    assert len(cursors) == 100


def test_keeps_the_last_twenty_lines_of_a_log() -> None:
    log, _, _ = log_of(("<br>".join(f"line {number}" for number in range(50)), None))
    assert log == [f"line {number}" for number in range(30, 50)]


def test_keeps_the_last_two_thousand_characters_of_a_log() -> None:
    log, _, _ = log_of(("<br>".join(f"{number}" * 150 for number in range(10)), None))
    assert log == [f"{number}" * 150 for number in range(10)]
    log, _, _ = log_of(("<br>".join(f"{number}" * 300 for number in range(10)), None))
    assert log == [f"{number}" * 300 for number in range(4, 10)]
    log, _, _ = log_of(("x" * 5000, None))
    assert log == ["x" * 2000]


def test_names_five_failed_parts_and_counts_the_others() -> None:
    nodes = [{"NodeName": f"n{number}", "Status": "failed"} for number in range(200)]
    task = explained(failed("ice.ai_workflow_task", {"NodeResults": nodes}))
    assert task.message == "; ".join([*(f"n{number} is failed" for number in range(5)), "and 195 more"])
    assert len(task.detail[FAILED_PARTS]) == 100


@pytest.mark.parametrize(
    ("api", "detail", "said"),
    [
        (
            "batch.job",
            {"TaskSet": [{"TaskName": "A", "TaskState": "SUCCEED"}, {"TaskName": "B", "TaskState": "FAILED"}]},
            "B is FAILED",
        ),
    ],
)
def test_names_the_failed_parts_that_the_task_itself_shows(api: str, detail: dict[str, Any], said: str) -> None:
    assert explained(failed(api, detail)).message == said


@pytest.mark.parametrize("state", [state for state in TaskState if state is not TaskState.FAILED])
@pytest.mark.parametrize("api", [name for name, api in APIS.items() if api.parts])
def test_asks_nothing_of_a_task_that_did_not_fail(api: str, state: TaskState) -> None:
    detail = {**INSTANCE, "ExecutionId": "e", "TaskIds": ["a"], "NodeResults": [{"Status": "failed"}]}
    task = failed(api, detail, state=state)
    assert explained(task) is task


@pytest.mark.parametrize("api", [name for name, api in APIS.items() if not api.parts])
def test_asks_nothing_of_an_api_without_parts(api: str) -> None:
    task = failed(api, {})
    assert explained(task) is task


def test_asks_nothing_of_an_explained_task() -> None:
    _, _, task = log_of(("a line", None))
    assert explained(task) is task


def test_reads_every_page_of_a_backfills_instances() -> None:
    def answering(action: str, parameters: dict[str, Any]) -> Any:
        if action == "GetTaskInstanceLog":
            return {"Data": {}}
        number = parameters.get("PageNumber", 1)
        day = {"TaskId": "a", "TaskName": "load", "CurRunDate": f"day {number}", "State": "COMPLETED"}
        last = {**day, "State": "EXPIRED"}
        return {"Data": {"TotalPageNumber": 3, "Items": [day] * 99 + [last if number == 3 else day]}}

    task = explained(failed("wedata.backfill", {"TaskIds": ["a"]}), answering)
    assert [part["id"] for part in task.detail[FAILED_PARTS]] == ["day 3"]


def test_reads_at_most_fifty_pages_of_a_backfills_instances() -> None:
    asked = []

    def answering(action: str, parameters: dict[str, Any]) -> Any:
        asked.append(parameters["TaskId"])
        return {"Data": {"Items": [], "TotalPageNumber": 1}}

    explained(failed("wedata.backfill", {"TaskIds": [str(number) for number in range(80)]}), answering)
    assert asked == [str(number) for number in range(50)]


@pytest.mark.parametrize("tasks", [None, "a", {}])
def test_asks_nothing_of_a_backfill_without_task_ids(tasks: Any) -> None:
    task = failed("wedata.backfill", {"TaskIds": tasks})
    assert explained(task) is task


def with_parts(parts: Parts) -> TaskApi:
    return dataclasses.replace(APIS["tione.training_task"], parts=parts)


def explained_by(parts: Parts, detail: dict[str, Any], answering: Answering = no_request) -> CloudTask:
    """Return a task of TI-ONE after every request has been answered, if its parts were these."""
    task = failed("tione.training_task", detail)
    asking = explanation(with_parts(parts), task, {"Id": "t"})
    answer = None
    while True:
        try:
            action, parameters = asking.send(answer)
        except StopIteration as finished:
            task_explained: CloudTask = finished.value
            return task_explained
        answer = answering(action.name, parameters)


def test_finds_parts_by_name_below_each_item_of_a_list() -> None:
    parts = Parts(at="*.Steps.*", failed=("FAIL",), message=("Message",))
    steps = [
        {"Type": "Cut", "CutTask": {"Status": "SUCCESS"}, "OtherTask": None},
        {"Type": "Encode", "EncodeTask": {"Status": "FAIL", "Message": "no codec"}},
        "FAIL",
    ]
    task = explained_by(parts, {"Flow": {"Steps": steps}, "Other": None, "Steps": steps})
    assert task.message == "EncodeTask is FAIL: no codec"
    [part] = task.detail[FAILED_PARTS]
    assert (part["name"], part["status"]) == ("EncodeTask", "FAIL")


@pytest.mark.parametrize(
    ("output", "log"),
    [
        ("bHM6IG5vIGZpbGUKZXhpdCAyCg==", ["ls: no file", "exit 2"]),
        ("/2E=", ["\ufffda"]),
        ("not Base64", ["not Base64"]),
        ("", None),
        (None, None),
        ({"Text": "eA=="}, None),
    ],
)
def test_the_output_of_a_part_is_the_end_of_its_log(output: Any, log: list[str] | None) -> None:
    parts = Parts(at="Runs", failed=("FAILED",), name=("Host",), output="Result.Output")
    task = explained_by(parts, {"Runs": [{"Host": "h1", "Status": "FAILED", "Result": {"Output": output}}]})
    assert task.detail[FAILED_PARTS][0]["log"] == log
    end = "" if log is None else "".join(("; the end of its log:", *(f"\n  {line}" for line in log)))
    assert task.message == f"h1 is FAILED{end}"


def test_without_statuses_each_part_with_a_message_has_failed() -> None:
    parts = Parts(at="Events", status="Kind", name=("Step",), message=("Error",))
    events = [{"Step": "a", "Kind": "Enter", "Error": ""}, {"Step": "b", "Kind": "Exit", "Error": "no file"}]
    assert explained_by(parts, {"Events": [*events, {"Kind": "Exit", "Error": None}]}).message == "b is Exit: no file"


LINES = Log(
    action=Action(name="GetLog", params=("Id",), optional=("Space", "Next")),
    params={"Id": "{Run}", "Space": "{Space}"},
    text="Lines.*.Text",
    cursor="Next",
    cursor_param="Next",
)


@pytest.mark.parametrize("newest_first", [False, True])
def test_reads_a_log_of_lines(newest_first: bool) -> None:
    asked = []

    def answering(_: str, parameters: dict[str, Any]) -> Any:
        asked.append(parameters)
        pages = {None: (["a", "b"], "1"), "1": (["c"], "2"), "2": ([], "3")}
        lines, following = pages[parameters.get("Next")]
        texts = [{"Text": line} for line in (reversed(lines) if newest_first else lines)]
        return {"Lines": [*texts, {"Text": None}, {}], "Next": following}

    parts = Parts(failed=("FAILED",), log=dataclasses.replace(LINES, newest_first=newest_first))
    task = explained_by(parts, {"Status": "FAILED", "Run": "r"}, answering)
    assert task.detail[FAILED_PARTS][0]["log"] == (["a", "b"] if newest_first else ["a", "b", "c"])
    cursors = [{}] if newest_first else [{}, {"Next": "1"}, {"Next": "2"}]
    assert asked == [{"Id": "r", **cursor} for cursor in cursors]


def test_a_log_without_a_required_field_is_not_read() -> None:
    parts = Parts(at="Runs", failed=("FAILED",), log=LINES)
    task = explained_by(parts, {"Runs": [{"Status": "FAILED", "Space": "s"}]})
    assert task.detail[FAILED_PARTS][0]["log"] is None


def test_parts_survive_json() -> None:
    api = with_parts(Parts(at="*.Runs", output="Output", log=dataclasses.replace(LINES, newest_first=True)))
    assert TaskApi.from_dict(json.loads(json.dumps(api.as_dict()))) == api


def test_names_the_instances_of_an_invocation_with_what_they_wrote() -> None:
    asked = []

    def answering(action: str, parameters: dict[str, Any]) -> Any:
        asked.append((action, parameters))
        ran = {"InvocationTaskId": "invt-1", "InstanceId": "ins-1", "TaskStatus": "FAILED", "ErrorInfo": ""}
        away = {
            "InvocationTaskId": "invt-2",
            "InstanceId": "ins-2",
            "TaskStatus": "DELIVER_FAILED",
            "ErrorInfo": "away",
        }
        well = {"InvocationTaskId": "invt-3", "InstanceId": "ins-3", "TaskStatus": "SUCCESS", "ErrorInfo": ""}
        output = {"TaskResult": {"ExitCode": 2, "Output": "bHM6IG5vIGZpbGUK"}}
        return {"TotalCount": 3, "InvocationTaskSet": [{**ran, **output}, away, well]}

    task = explained(failed("tat.invocation", {"InvocationId": "t"}), answering)
    assert asked == [("DescribeInvocationTasks", {"InvocationId": "t", "Limit": 100})]
    assert task.message == (
        "ins-1 (invt-1) is FAILED; the end of its log:\n  ls: no file; ins-2 (invt-2) is DELIVER_FAILED: away"
    )


@pytest.mark.parametrize(("api", "whole"), [("mps.task", "WorkflowTask"), ("vod.task", "ProcedureTask")])
def test_names_the_failed_subtasks_of_a_media_task(api: str, whole: str) -> None:
    results = [
        {
            "Type": "Transcode",
            "TranscodeTask": {"Status": "FAIL", "ErrCodeExt": "FileFormatError", "Message": "no video"},
        },
        {"Type": "CoverBySnapshot", "TranscodeTask": None, "CoverBySnapshotTask": {"Status": "SUCCESS"}},
    ]
    answer = {
        "Status": "FINISH",
        whole: {
            "Status": "FINISH",
            "MediaProcessResultSet": results,
            "AiAnalysisResultSet": None,
            "MetaData": {"Size": 1},
        },
    }
    task = normalise(APIS[api], answer, parameters={"TaskId": "t"})
    assert explained(task).message == "TranscodeTask is FAIL: no video"


TIME = datetime(2026, 1, 5, 8, 30, 16, tzinfo=UTC)
RUN = {"jobRunId": "t", "workspaceId": "w", "state": "Failed", "log": {"driverStdError": "oss://b/stderr.log"}}


def of_run(total: Any, later: Any = None) -> tuple[CloudTask, list[dict[str, Any]]]:
    """Return a failed job run after its log was read, and the requests; the first page has the first line only."""
    asked: list[dict[str, Any]] = []

    def answering(_: str, parameters: dict[str, Any]) -> Any:
        asked.append(parameters)
        if "offset" in parameters:
            return later
        return {"listLogContent": {"contents": [{"LineContent": "first"}], "totalLength": total}}

    return explained(failed("emr_serverless_spark.job_run", RUN), answering), asked


def test_reads_the_last_page_of_a_log_that_tells_its_length() -> None:
    last = {"listLogContent": {"contents": [{"LineContent": "out of memory"}], "totalLength": 250}}
    task, asked = of_run(250, last)
    named = {"workspaceId": "p", "fileName": "oss://b/stderr.log", "length": 100}
    assert asked == [named | {"workspaceId": "w"}, named | {"workspaceId": "w", "offset": 150}]
    assert task.message == "the end of its log:\n  out of memory"


@pytest.mark.parametrize("total", [1, 100, None, "x"])
def test_a_log_of_one_page_is_read_once(total: Any) -> None:
    task, asked = of_run(total)
    assert len(asked) == 1
    assert task.message == "the end of its log:\n  first"


def test_the_beginning_of_a_log_is_not_shown_as_its_end() -> None:
    task, asked = of_run(250, Throttled("slow down"))
    assert len(asked) == 2
    assert task.message == ""
    assert task.detail[FAILED_PARTS][0]["log"] is None


@pytest.mark.parametrize("log", [None, {}, {"driverStdError": None}, {"driverStdError": ""}, "oss://b"])
def test_a_part_without_the_name_of_its_log_has_none(log: Any) -> None:
    task = explained(failed("emr_serverless_spark.job_run", {**RUN, "log": log}))
    assert task.detail[FAILED_PARTS][0]["log"] is None


def test_reads_a_log_from_before_the_task_until_after_its_end() -> None:
    asked = []

    def answering(_: str, parameters: dict[str, Any]) -> Any:
        asked.append(parameters)
        return {"Results": [{"LogJson": "last"}, {"LogJson": "first"}, {"LogJson": None}], "Context": "next"}

    times = {"created_at": TIME, "finished_at": TIME + timedelta(minutes=1)}
    task = explained(failed("dlc.task", {"State": -1}, **times), answering)
    assert asked == [{"TaskId": "t", "StartTime": 1767601756000, "EndTime": 1767601936000}]
    assert task.message == "the end of its log:\n  first\n  last"


@pytest.mark.parametrize("times", [{}, {"created_at": TIME}, {"finished_at": TIME}])
def test_a_task_without_times_has_no_log_between_them(times: dict[str, Any]) -> None:
    task = explained(failed("dlc.task", {"State": -1}, **times))
    assert task.detail[FAILED_PARTS][0]["log"] is None


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"offset_param": "Name"}, "its log takes 'Name', which is none of its parameters"),
        ({"times": ("From", "To")}, "its log takes 'From'"),
        ({"cursor": "Next"}, "expected both cursor and cursor_param"),
        ({"cursor_param": "Next"}, "expected both cursor and cursor_param"),
        ({"offset_param": "Skip"}, "expected all of offset_param, total, page_size_param and page_size"),
        ({"offset_param": "Skip", "total": "Count", "page_size_param": "Size"}, "expected all of offset_param"),
        (
            {
                "offset_param": "Skip",
                "total": "Count",
                "page_size_param": "Size",
                "page_size": 10,
                "cursor": "Next",
                "cursor_param": "Next",
            },
            "expected pages of its log by a cursor or by an offset, not both",
        ),
    ],
)
def test_refuses_a_log_that_cannot_be_read(fields: dict[str, Any], problem: str) -> None:
    action = Action(name="GetLog", params=("TaskId",), optional=("Next", "Skip", "Size"))
    with pytest.raises(ValueError, match=f"GetLog: {problem}"):
        Log(**{"action": action, "params": {"TaskId": "{TaskId}"}, "text": "Log", **fields})
