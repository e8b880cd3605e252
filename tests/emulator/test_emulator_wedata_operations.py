"""WeData's SQL runs, task instances, operations jobs and backfill plans, by Tencent Cloud's own client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from test_emulator_vendor_clients import run_tccli
from vendor_clients import tencent

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Client

    from airflow_cloudtasks.emulator.server import Emulator

SQL, INSTANCE, JOB, BACKFILL = "wedata.sql_run", "wedata.task_instance", "wedata.async_job", "wedata.backfill"
KEY = "20260101000000001_2026-01-01 00:00:00"
PLAN = {"TaskIds": ["t1"], "DataBackfillRangeList": [{"StartDate": "2026-01-01", "EndDate": "2026-01-02"}]}


def call(emulator: Emulator, action: str, **parameters: Any) -> Any:
    return tencent(emulator)(action, {"ProjectId": "p1", **parameters})["Data"]


def refusal(emulator: Emulator, action: str, **parameters: Any) -> str | None:
    with pytest.raises(TencentCloudSDKException) as raised:
        call(emulator, action, **parameters)
    code: str | None = raised.value.code
    return code


def run_sql(emulator: Emulator) -> str:
    job = call(emulator, "RunSQLScript", ScriptContent="SELECT 1;", ScriptConfig={"DatasourceId": "7"})
    assert job["JobExecutionList"][0]["JobId"] == job["JobId"]
    return str(job["JobId"])


def test_a_sql_run_has_rows_once_it_has_succeeded(cloudtasks_emulator: Emulator) -> None:
    job_id, seen = run_sql(cloudtasks_emulator), []
    for _ in range(3):
        result = call(cloudtasks_emulator, "GetSQLRunResult", JobId=job_id)
        assert result["StatusMessage"]
        seen.append((result["Status"], len(result["Results"])))
        cloudtasks_emulator.advance(1.5)
    assert seen == [("QUEUED", 0), ("RUNNING", 0), ("SUCCESS", 1)]
    (only,) = result["Results"]
    assert [row["Values"] for row in only["Rows"]] == [["2026-01-01", "17"], ["2026-01-02", None]]
    again = {"JobId": job_id, "JobExecutionId": only["JobExecutionId"]}
    assert len(call(cloudtasks_emulator, "GetSQLRunResult", **again)["Results"]) == 1
    assert call(cloudtasks_emulator, "GetSQLRunResult", JobId=job_id, JobExecutionId="else")["Results"] == []
    assert [entry["action"] for entry in cloudtasks_emulator.started(SQL)] == ["RunSQLScript"]


def test_rows_and_messages_are_as_planned(cloudtasks_emulator: Emulator) -> None:
    rows = [{"JobExecutionId": "x", "Status": "SUCCESS", "Columns": [], "Rows": [], "Total": 0}]
    cloudtasks_emulator.next_script(SQL, "SUCCESS", fields={"Results": rows, "CostMs": 5})
    failed = {"status": "FAILED", "fields": {"StatusMessage": "no such table", "Results": rows}}
    cloudtasks_emulator.next_script(SQL, failed)
    first, second = (call(cloudtasks_emulator, "GetSQLRunResult", JobId=run_sql(cloudtasks_emulator)) for _ in "12")
    assert (first["Results"], first["CostMs"]) == (rows, 5)
    assert (second["Status"], second["StatusMessage"], second["Results"]) == ("FAILED", "no such table", [])


def test_a_statement_that_selects_nothing_has_no_rows(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(SQL, {"status": "SUCCESS", "fields": {"Results": []}})
    assert call(cloudtasks_emulator, "GetSQLRunResult", JobId=run_sql(cloudtasks_emulator))["Results"] == []


def test_a_sql_run_is_stopped_once(cloudtasks_emulator: Emulator) -> None:
    job_id = run_sql(cloudtasks_emulator)
    assert [call(cloudtasks_emulator, "StopSQLScriptRun", JobId=job_id)["Status"] for _ in "12"] == [True, False]
    assert call(cloudtasks_emulator, "GetSQLRunResult", JobId=job_id)["Status"] == "TERMINATED"
    assert refusal(cloudtasks_emulator, "StopSQLScriptRun", JobId="none") == "ResourceNotFound"
    noted = [(entry["id"], entry["ended"]) for entry in cloudtasks_emulator.canceled(SQL)]
    assert noted == [(job_id, True), (job_id, False), ("none", False)]


@pytest.mark.parametrize(
    "given",
    [{}, {"ScriptContent": "SELECT 1;"}, {"ScriptConfig": {"DatasourceId": "7"}}, {"ScriptConfig": {}}],
)
def test_sql_without_a_saved_script_needs_text_and_source(cloudtasks_emulator: Emulator, given: dict[str, Any]) -> None:
    assert refusal(cloudtasks_emulator, "RunSQLScript", **given) == "MissingParameter"
    assert call(cloudtasks_emulator, "RunSQLScript", ScriptId="s1")["ScriptId"] == "s1"


def test_tccli_reads_the_rows_of_a_sql_run(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    cloudtasks_emulator.add_task(SQL, "7", "SUCCESS")
    asked = ("wedata", "GetSQLRunResult", "--version", "2025-08-06", "--ProjectId", "p1", "--JobId", "7")
    ended = run_tccli(cloudtasks_emulator, tmp_path, asked)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["Data"]["Results"][0]["Total"] == 2


def instance(emulator: Emulator, **parameters: Any) -> Any:
    return call(emulator, "GetTaskInstance", InstanceKey=KEY, **parameters)


def test_an_instance_shows_what_its_key_says_and_its_times(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, ("WAIT_RUN", 1), ("RUNNING", 4), "COMPLETED")
    shown = instance(cloudtasks_emulator)
    assert (shown["TaskId"], shown["CurRunDate"]) == ("20260101000000001", "2026-01-01 00:00:00")
    assert (shown["StartTime"], shown["EndTime"], shown["CostTime"]) == (None, None, None)
    cloudtasks_emulator.advance(9)
    shown, shifted = instance(cloudtasks_emulator), instance(cloudtasks_emulator, TimeZone="UTC+0")
    assert (shown["InstanceState"], shown["CostTime"]) == ("COMPLETED", 4000)
    assert (int(shown["EndTime"][11:13]) - int(shifted["EndTime"][11:13])) % 24 == 8
    assert refusal(cloudtasks_emulator, "GetTaskInstance", InstanceKey=KEY, TimeZone="Mars") == "InvalidParameter"


def test_a_rerun_lets_the_instance_begin_again_in_a_job(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "EXPIRED")
    cloudtasks_emulator.next_script(INSTANCE, ("RUNNING", 2), "COMPLETED")
    job_id = call(cloudtasks_emulator, "RerunTaskInstancesAsync", InstanceKeyList=[KEY])["AsyncId"]
    shown = instance(cloudtasks_emulator)
    assert (shown["InstanceState"], shown["TotalRunNum"]) == ("RUNNING", 2)
    job = call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId=job_id)
    assert (job["AsyncType"], job["Status"], job["FinishedSubProcessCount"]) == ("INSTANCE_RERUN", "INIT", 0)
    cloudtasks_emulator.advance(2)
    assert instance(cloudtasks_emulator)["InstanceState"] == "COMPLETED"
    job = call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId=job_id)
    assert (job["Status"], job["SuccessSubProcessCount"], job["TotalSubProcessCount"]) == ("SUCCESS", 1, 1)
    assert [(entry["api"], entry["id"]) for entry in cloudtasks_emulator.started()] == [(JOB, job_id), (INSTANCE, KEY)]
    assert refusal(cloudtasks_emulator, "RerunTaskInstancesAsync", InstanceKeyList=[KEY, "x"]) == "ResourceNotFound"
    assert len(cloudtasks_emulator.started()) == 2


def test_a_killed_instance_has_failed_and_its_log_says_why(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "RUNNING")
    job_id = call(cloudtasks_emulator, "KillTaskInstancesAsync", InstanceKeyList=[KEY])["AsyncId"]
    shown = instance(cloudtasks_emulator)
    assert (shown["InstanceState"], "killed" in shown["JobErrorMsg"]) == ("EXPIRED", True)
    log = call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=KEY, LogLevel="Error")
    assert ("killed" in log["LogInfo"], "INFO" in log["LogInfo"]) == (True, False)
    assert call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId=job_id)["AsyncType"] == "INSTANCE_KILL"
    assert [entry["ended"] for entry in cloudtasks_emulator.canceled(INSTANCE)] == [True]
    assert cloudtasks_emulator.started() == []


def test_no_instance_is_killed_where_one_does_not_exist(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "RUNNING")
    assert refusal(cloudtasks_emulator, "KillTaskInstancesAsync", InstanceKeyList=[KEY, "x"]) == "ResourceNotFound"
    assert instance(cloudtasks_emulator)["InstanceState"] == "RUNNING"
    assert [(entry["id"], entry["ended"]) for entry in cloudtasks_emulator.canceled()] == [("x", False)]


def test_a_rerun_begins_a_log_of_its_own(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "EXPIRED", fields={"LogInfo": "old", "JobErrorMsg": "old"})
    cloudtasks_emulator.next_script(INSTANCE, "COMPLETED", fields={"LogInfo": "new"})
    call(cloudtasks_emulator, "RerunTaskInstancesAsync", InstanceKeyList=[KEY])
    assert call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=KEY)["LogInfo"] == "new"
    assert instance(cloudtasks_emulator)["JobErrorMsg"] == ""


@pytest.mark.parametrize(("status", "counts"), [("FAIL", (3, 0)), ("PART_SUCCESS", (3, 2)), ("RUNNING", (0, 0))])
def test_a_job_counts_its_parts(cloudtasks_emulator: Emulator, status: str, counts: tuple[int, int]) -> None:
    cloudtasks_emulator.add_task(JOB, "j", status, fields={"TotalSubProcessCount": 3})
    job = call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId="j")
    assert (job["FinishedSubProcessCount"], job["SuccessSubProcessCount"]) == counts
    assert job["CreateTime"][10] == "T"


def test_a_long_log_is_read_page_by_page(cloudtasks_emulator: Emulator) -> None:
    text = "\n".join(f"line {number}" for number in range(600))
    cloudtasks_emulator.add_task(INSTANCE, KEY, "EXPIRED", fields={"LogInfo": text})
    pages, cursor = [], None
    while True:
        asked = {"InstanceKey": KEY, **({"NextCursor": cursor} if cursor else {})}
        page = call(cloudtasks_emulator, "GetTaskInstanceLog", **asked)
        pages.append(page["LogInfo"])
        cursor = page["NextCursor"]
        if cursor is None:
            break
    assert (len(pages), "".join(pages)) == (3, text)
    assert "LogInfo" not in instance(cloudtasks_emulator)
    for wrong in ({"NextCursor": "x"}, {"LogLevel": "Loud"}):
        assert refusal(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=KEY, **wrong) == "InvalidParameter"


def test_an_instance_that_waits_has_no_log(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "WAIT_UPSTREAM")
    log = call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=KEY)
    assert (log["LogInfo"], log["NextCursor"]) == ("", None)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["c", "b", "a"]),
        ({"InstanceState": "EXPIRED"}, ["b"]),
        ({"Keyword": "lo,none"}, ["b"]),
        ({"Keyword": "a"}, ["c", "b", "a"]),
        ({"OwnerUin": "1"}, ["a"]),
        ({"InstanceType": 0}, []),
        ({"StartTimeFrom": "2099-01-01 00:00:00"}, []),
        ({"ScheduleTimeFrom": "2000-01-01 00:00:00", "ScheduleTimeTo": "2099-01-01 00:00:00"}, ["c", "b", "a"]),
        ({"SortColumn": "COST_TIME", "SortType": "ASC"}, ["c", "b", "a"]),
        ({"SortColumn": "COST_TIME"}, ["a", "b", "c"]),
        ({"PageSize": 2, "PageNumber": 2}, ["a"]),
    ],
)
def test_instances_are_listed_as_asked(cloudtasks_emulator: Emulator, asked: dict[str, Any], found: list[str]) -> None:
    cloudtasks_emulator.add_task(INSTANCE, "a", ("RUNNING", 3), "COMPLETED", fields={"OwnerUinList": ["1"]})
    cloudtasks_emulator.add_task(INSTANCE, "b", "EXPIRED", fields={"TaskName": "load data"})
    cloudtasks_emulator.add_task(INSTANCE, "c", "RUNNING", fields={"ProjectId": "p1"})
    cloudtasks_emulator.add_task(INSTANCE, "d", "RUNNING", fields={"ProjectId": "p2"})
    cloudtasks_emulator.advance(5)
    page = call(cloudtasks_emulator, "ListTaskInstances", **asked)
    assert [one["InstanceKey"] for one in page["Items"]] == found


@pytest.mark.parametrize("asked", [{"SortColumn": "NAME"}, {"SortType": "UP"}, {"TimeZone": "UTC+99"}])
def test_a_bad_list_of_instances_is_refused(cloudtasks_emulator: Emulator, asked: dict[str, Any]) -> None:
    assert refusal(cloudtasks_emulator, "ListTaskInstances", **asked) == "InvalidParameter"


def plan(emulator: Emulator, plan_id: str) -> Any:
    return call(emulator, "GetDataBackfillPlan", DataBackfillPlanId=plan_id)


def test_a_backfill_tells_its_percentages(cloudtasks_emulator: Emulator) -> None:
    plan_id = call(cloudtasks_emulator, "CreateDataBackfillPlan", **PLAN)["DataBackfillPlanId"]
    seen = []
    for _ in range(3):
        shown = plan(cloudtasks_emulator, plan_id)
        seen.append(
            (shown["CompletePercent"], shown["SuccessPercent"], bool(shown["StartTime"]), bool(shown["EndTime"]))
        )
        cloudtasks_emulator.advance(1.5)
    assert seen == [(0, 0, False, False), (50, 50, True, False), (100, 100, True, True)]
    assert (shown["TaskIds"], shown["DataBackfillRangeList"][0]["ExecutionEndTime"]) == (["t1"], "23:59")
    assert cloudtasks_emulator.started(BACKFILL)[0]["parameters"] == {"ProjectId": "p1", **PLAN}


def test_a_backfill_may_fail_in_part(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(BACKFILL, "100/40")
    plan_id = call(cloudtasks_emulator, "CreateDataBackfillPlan", **PLAN)["DataBackfillPlanId"]
    shown = plan(cloudtasks_emulator, plan_id)
    assert (shown["CompletePercent"], shown["SuccessPercent"], bool(shown["EndTime"])) == (100, 40, True)


def test_a_deleted_backfill_is_gone(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(BACKFILL, "b1", "50/50")
    job_id = call(cloudtasks_emulator, "DeleteDataBackfillPlanAsync", DataBackfillPlanId="b1")["AsyncId"]
    assert refusal(cloudtasks_emulator, "GetDataBackfillPlan", DataBackfillPlanId="b1") == "ResourceNotFound"
    assert call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId=job_id)["Status"] == "INIT"
    assert refusal(cloudtasks_emulator, "DeleteDataBackfillPlanAsync", DataBackfillPlanId="b1") == "ResourceNotFound"
    noted = [(entry["status"], entry["ended"]) for entry in cloudtasks_emulator.canceled(BACKFILL)]
    assert noted == [("50/50", True), (None, False)]


@pytest.mark.parametrize("status", ["SUCCESS", "100", "100/x", None])
def test_a_backfills_script_is_made_of_percentages(client: Client, status: str | None) -> None:
    answer = client.control("POST", "tasks", {"api": BACKFILL, "id": "b1", "script": [status]})
    assert (answer.status, "CompletePercent/SuccessPercent such as 60/50" in answer.json["error"]) == (400, True)
