"""WeData's SQL runs, task instances, operations jobs and backfill plans, with Tencent Cloud's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from vendor_clients import tccli, tencent

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Client

    from airflow_cloudtasks.emulator import Emulator

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


def start_sql(emulator: Emulator, **parameters: Any) -> Any:
    sent = {"ScriptContent": "SELECT 1;", "ScriptConfig": {"DatasourceId": "7"}, **parameters}
    job = call(emulator, "RunSQLScript", **sent)
    assert job["JobExecutionList"][0]["JobId"] == job["JobId"]
    return job


def run_sql(emulator: Emulator) -> str:
    return str(start_sql(emulator)["JobId"])


def test_a_sql_run_shows_rows_once_it_has_succeeded(cloudtasks_emulator: Emulator) -> None:
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


def test_a_sql_run_shows_planned_rows_and_messages(cloudtasks_emulator: Emulator) -> None:
    rows = [{"JobExecutionId": "x", "Status": "SUCCESS", "Columns": [], "Rows": [], "Total": 0}]
    cloudtasks_emulator.next_script(SQL, "SUCCESS", fields={"Results": rows, "CostMs": 5})
    failed = {"status": "FAILED", "fields": {"StatusMessage": "no such table", "Results": rows}}
    cloudtasks_emulator.next_script(SQL, failed)
    first, second = (call(cloudtasks_emulator, "GetSQLRunResult", JobId=run_sql(cloudtasks_emulator)) for _ in "12")
    assert (first["Results"], first["CostMs"]) == (rows, 5)
    assert (second["Status"], second["StatusMessage"], second["Results"]) == ("FAILED", "no such table", [])


def test_a_sql_run_without_results_shows_no_rows(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(SQL, {"status": "SUCCESS", "fields": {"Results": []}})
    assert call(cloudtasks_emulator, "GetSQLRunResult", JobId=run_sql(cloudtasks_emulator))["Results"] == []


def test_stops_a_sql_run_once(cloudtasks_emulator: Emulator) -> None:
    job_id = run_sql(cloudtasks_emulator)
    assert [call(cloudtasks_emulator, "StopSQLScriptRun", JobId=job_id)["Status"] for _ in "12"] == [True, False]
    assert call(cloudtasks_emulator, "GetSQLRunResult", JobId=job_id)["Status"] == "TERMINATED"
    assert refusal(cloudtasks_emulator, "StopSQLScriptRun", JobId="none") == "ResourceNotFound"
    noted = [(entry["id"], entry["ended"]) for entry in cloudtasks_emulator.canceled(SQL)]
    assert noted == [(job_id, True), (job_id, False), ("none", False)]


@pytest.mark.parametrize(
    "sent",
    [{}, {"ScriptContent": "SELECT 1;"}, {"ScriptConfig": {"DatasourceId": "7"}}, {"ScriptConfig": {}}],
)
def test_refuses_a_sql_run_without_script_text_or_data_source(
    cloudtasks_emulator: Emulator, sent: dict[str, Any]
) -> None:
    assert refusal(cloudtasks_emulator, "RunSQLScript", **sent) == "MissingParameter"
    assert call(cloudtasks_emulator, "RunSQLScript", ScriptId="s1")["ScriptId"] == "s1"


def test_lists_sql_runs_of_a_script(cloudtasks_emulator: Emulator) -> None:
    job, other = (start_sql(cloudtasks_emulator) for _ in "12")
    assert job["ScriptId"].startswith("adhoc-")
    seen = []
    for _ in range(3):
        (shown,) = call(cloudtasks_emulator, "ListSQLScriptRuns", ScriptId=job["ScriptId"])
        seen.append((shown["Status"], shown["EndTime"] is not None, shown["TimeCost"]))
        cloudtasks_emulator.advance(2)
    assert seen == [("QUEUED", False, None), ("RUNNING", False, None), ("SUCCESS", True, 3000)]
    shown_at_start = {"JobId", "ScriptId", "ScriptContent", "CreateTime", "JobName", "UserUin"}
    assert {name: shown[name] for name in shown_at_start} == {name: job[name] for name in shown_at_start}
    call(cloudtasks_emulator, "StopSQLScriptRun", JobId=start_sql(cloudtasks_emulator, ScriptId="s1")["JobId"])
    assert [one["Status"] for one in call(cloudtasks_emulator, "ListSQLScriptRuns", ScriptId="s1")] == ["TERMINATED"]
    (noticed,) = (one for one in cloudtasks_emulator.noticed(SQL) if one["id"] == job["JobId"])
    assert noticed["noticed_at"] >= noticed["ended_at"]
    assert other["JobId"] not in [one["id"] for one in cloudtasks_emulator.noticed(SQL)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["c", "b", "a"]),
        ({"ScriptId": "s2"}, ["d"]),
        ({"ScriptId": "s3"}, []),
        ({"ProjectId": "p2"}, ["e"]),
        ({"JobId": "b"}, ["b"]),
        ({"SearchWord": "orders"}, ["b", "a"]),
        ({"SearchWord": "orders", "JobId": "c"}, []),
        ({"ExecuteUserUin": "7"}, ["c"]),
        ({"StartTime": "2000-01-01 00:00:00", "EndTime": "2099-01-01 00:00:00"}, ["c", "b", "a"]),
        ({"StartTime": "2099-01-01 00:00:00"}, []),
        ({"EndTime": "2000-01-01 00:00:00"}, []),
    ],
)
def test_filters_the_list_of_sql_runs(cloudtasks_emulator: Emulator, asked: dict[str, Any], found: list[str]) -> None:
    first = {"ProjectId": "p1", "ScriptId": "s1", "ScriptContent": "SELECT * FROM orders;"}
    changes: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {},
        "c": {"ScriptContent": "SELECT 1;", "UserUin": "7"},
        "d": {"ScriptId": "s2"},
        "e": {"ProjectId": "p2"},
    }
    for job_id, changed in changes.items():
        cloudtasks_emulator.add_task(SQL, job_id, "RUNNING", fields={**first, **changed})
    jobs = call(cloudtasks_emulator, "ListSQLScriptRuns", **{"ScriptId": "s1", **asked})
    assert [one["JobId"] for one in jobs] == found


def test_the_time_bounds_of_a_list_of_sql_runs_are_inclusive(cloudtasks_emulator: Emulator) -> None:
    job = start_sql(cloudtasks_emulator, ScriptId="s1")
    bounds = {"StartTime": job["CreateTime"], "EndTime": job["CreateTime"]}
    (shown,) = call(cloudtasks_emulator, "ListSQLScriptRuns", ScriptId="s1", **bounds)
    assert shown["JobId"] == job["JobId"]


def test_the_list_and_the_result_of_a_sql_run_have_separate_fields(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(SQL, "SUCCESS", fields={"CostMs": 5, "StatusMessage": "fine", "TimeCost": 6})
    job = start_sql(cloudtasks_emulator, ScriptId="s1")
    result = call(cloudtasks_emulator, "GetSQLRunResult", JobId=job["JobId"])
    assert set(result) == {"JobId", "Status", "StatusMessage", "CostMs", "Truncated", "Results"}
    (shown,) = call(cloudtasks_emulator, "ListSQLScriptRuns", ScriptId="s1")
    assert (set(shown), shown["TimeCost"], result["CostMs"]) == (set(job), 6, 5)


def test_tccli_lists_the_runs_of_a_script(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    cloudtasks_emulator.add_task(SQL, "7", "FAILED", fields={"ScriptId": "s1"})
    asked = ("wedata", "ListSQLScriptRuns", "--version", "2025-08-06", "--ProjectId", "p1", "--ScriptId", "s1")
    answer = tccli(cloudtasks_emulator, tmp_path, asked)
    assert [(one["JobId"], one["Status"]) for one in answer["Data"]] == [("7", "FAILED")]


def test_tccli_reads_the_rows_of_a_sql_run(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    cloudtasks_emulator.add_task(SQL, "7", "SUCCESS")
    asked = ("wedata", "GetSQLRunResult", "--version", "2025-08-06", "--ProjectId", "p1", "--JobId", "7")
    answer = tccli(cloudtasks_emulator, tmp_path, asked)
    assert answer["Data"]["Results"][0]["Total"] == 2


def instance(emulator: Emulator, **parameters: Any) -> Any:
    return call(emulator, "GetTaskInstance", InstanceKey=KEY, **parameters)


def test_an_instance_shows_task_and_day_of_its_key_and_its_times(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, ("WAIT_RUN", 1), ("RUNNING", 4), "COMPLETED")
    shown = instance(cloudtasks_emulator)
    assert (shown["TaskId"], shown["CurRunDate"]) == ("20260101000000001", "2026-01-01 00:00:00")
    assert (shown["StartTime"], shown["EndTime"], shown["CostTime"]) == (None, None, None)
    cloudtasks_emulator.advance(9)
    shown, shifted = instance(cloudtasks_emulator), instance(cloudtasks_emulator, TimeZone="UTC+0")
    assert (shown["InstanceState"], shown["CostTime"]) == ("COMPLETED", 4000)
    assert (int(shown["EndTime"][11:13]) - int(shifted["EndTime"][11:13])) % 24 == 8
    assert refusal(cloudtasks_emulator, "GetTaskInstance", InstanceKey=KEY, TimeZone="Mars") == "InvalidParameter"


def test_a_rerun_restarts_the_instance_in_a_job(cloudtasks_emulator: Emulator) -> None:
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


def test_a_killed_instance_fails_and_its_log_says_why(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "RUNNING")
    job_id = call(cloudtasks_emulator, "KillTaskInstancesAsync", InstanceKeyList=[KEY])["AsyncId"]
    shown = instance(cloudtasks_emulator)
    assert (shown["InstanceState"], "killed" in shown["JobErrorMsg"]) == ("EXPIRED", True)
    log = call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=KEY, LogLevel="Error")
    assert ("killed" in log["LogInfo"], "INFO" in log["LogInfo"]) == (True, False)
    assert call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId=job_id)["AsyncType"] == "INSTANCE_KILL"
    assert [entry["ended"] for entry in cloudtasks_emulator.canceled(INSTANCE)] == [True]
    assert cloudtasks_emulator.started() == []


def test_kills_no_instance_if_one_of_them_does_not_exist(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(INSTANCE, KEY, "RUNNING")
    assert refusal(cloudtasks_emulator, "KillTaskInstancesAsync", InstanceKeyList=[KEY, "x"]) == "ResourceNotFound"
    assert instance(cloudtasks_emulator)["InstanceState"] == "RUNNING"
    assert [(entry["id"], entry["ended"]) for entry in cloudtasks_emulator.canceled()] == [("x", False)]


def test_a_rerun_begins_a_new_log(cloudtasks_emulator: Emulator) -> None:
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


def test_a_long_log_has_pages(cloudtasks_emulator: Emulator) -> None:
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
def test_filters_and_sorts_the_list_of_instances(
    cloudtasks_emulator: Emulator, asked: dict[str, Any], found: list[str]
) -> None:
    cloudtasks_emulator.add_task(INSTANCE, "a", ("RUNNING", 3), "COMPLETED", fields={"OwnerUinList": ["1"]})
    cloudtasks_emulator.add_task(INSTANCE, "b", "EXPIRED", fields={"TaskName": "load data"})
    cloudtasks_emulator.add_task(INSTANCE, "c", "RUNNING", fields={"ProjectId": "p1"})
    cloudtasks_emulator.add_task(INSTANCE, "d", "RUNNING", fields={"ProjectId": "p2"})
    cloudtasks_emulator.advance(5)
    page = call(cloudtasks_emulator, "ListTaskInstances", **asked)
    assert [one["InstanceKey"] for one in page["Items"]] == found


@pytest.mark.parametrize("asked", [{"SortColumn": "NAME"}, {"SortType": "UP"}, {"TimeZone": "UTC+99"}])
def test_refuses_a_list_of_instances_with_an_invalid_parameter(
    cloudtasks_emulator: Emulator, asked: dict[str, Any]
) -> None:
    assert refusal(cloudtasks_emulator, "ListTaskInstances", **asked) == "InvalidParameter"


def plan(emulator: Emulator, plan_id: str) -> Any:
    return call(emulator, "GetDataBackfillPlan", DataBackfillPlanId=plan_id)


def test_a_backfill_shows_its_percentages(cloudtasks_emulator: Emulator) -> None:
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


def test_a_backfill_can_fail_in_part(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.next_script(BACKFILL, "100/40")
    plan_id = call(cloudtasks_emulator, "CreateDataBackfillPlan", **PLAN)["DataBackfillPlanId"]
    shown = plan(cloudtasks_emulator, plan_id)
    assert (shown["CompletePercent"], shown["SuccessPercent"], bool(shown["EndTime"])) == (100, 40, True)


def add_plan(emulator: Emulator, *script: Any, tasks: tuple[str, ...] = ("t1", "t2"), last: str = "2026-02-01") -> None:
    ranges = [{"StartDate": "2026-01-30", "EndDate": last}]
    fields = {"ProjectId": "p1", "TaskIds": list(tasks), "DataBackfillRangeList": ranges}
    emulator.add_task(BACKFILL, "b1", *script, fields=fields)


def instances(emulator: Emulator, task_id: str, **parameters: Any) -> Any:
    return call(emulator, "ListDataBackfillInstances", DataBackfillPlanId="b1", TaskId=task_id, **parameters)


def states(emulator: Emulator, task_id: str) -> list[str]:
    return [one["State"] for one in instances(emulator, task_id)["Items"]]


@pytest.mark.parametrize(
    ("percents", "first", "second"),
    [
        ("0/0", "RWW", "WWW"),
        ("50/50", "CCC", "RWW"),
        ("60/40", "CCE", "RWW"),
        ("99/0", "EEE", "EER"),
        ("100/100", "CCC", "CCC"),
        ("100/60", "CCC", "CEE"),
        ("100/0", "EEE", "EEE"),
    ],
)
def test_derives_the_instances_of_a_backfill_from_its_percentages(
    cloudtasks_emulator: Emulator, percents: str, first: str, second: str
) -> None:
    add_plan(cloudtasks_emulator, percents)
    states_by_letter = {"C": "COMPLETED", "E": "EXPIRED", "R": "RUNNING", "W": "WAIT_RUN"}
    assert states(cloudtasks_emulator, "t1") == [states_by_letter[letter] for letter in first]
    assert states(cloudtasks_emulator, "t2") == [states_by_letter[letter] for letter in second]


def test_an_instance_of_a_backfill_shows_its_day_and_times(cloudtasks_emulator: Emulator) -> None:
    add_plan(cloudtasks_emulator, ("0/0", 1), ("25/25", 2), ("50/50", 3), "100/50", tasks=("t_1",), last="2026-01-31")
    begun = instances(cloudtasks_emulator, "t_1")["Items"]
    assert [one["StartTime"] is not None for one in begun] == [True, False]
    assert [(one["EndTime"], one["CostTime"]) for one in begun] == [(None, None)] * 2
    cloudtasks_emulator.advance(60)
    first, second = instances(cloudtasks_emulator, "t_1")["Items"]
    assert (first["TaskId"], first["CurRunDate"]) == ("t_1", "2026-01-30 00:00:00")
    assert (first["State"], first["CostTime"]) == ("COMPLETED", "00:00:03.000")
    assert (second["State"], second["CostTime"], second["StartTime"]) == ("EXPIRED", "00:00:03.000", first["EndTime"])


def test_the_list_of_instances_of_a_backfill_has_pages(cloudtasks_emulator: Emulator) -> None:
    add_plan(cloudtasks_emulator, "100/100", last="2026-02-13")
    page = instances(cloudtasks_emulator, "t1", PageNumber=2)
    assert [page[name] for name in ("TotalCount", "TotalPageNumber", "PageNumber", "PageSize")] == [15, 2, 2, 10]
    assert [one["CurRunDate"][:10] for one in page["Items"]] == [f"2026-02-{day}" for day in ("09", 10, 11, 12, 13)]
    for wrong in ({"PageNumber": 0}, {"PageSize": 101}):
        with pytest.raises(TencentCloudSDKException, match="InvalidParameter"):
            instances(cloudtasks_emulator, "t1", **wrong)


def test_a_backfill_has_no_instances_of_other_tasks_or_days(cloudtasks_emulator: Emulator) -> None:
    add_plan(cloudtasks_emulator, "50/50", last="soon")
    assert instances(cloudtasks_emulator, "t1")["TotalCount"] == 0
    add_plan(cloudtasks_emulator, "50/50")
    assert instances(cloudtasks_emulator, "t3")["Items"] == []
    other = {"DataBackfillPlanId": "b2", "TaskId": "t1"}
    assert refusal(cloudtasks_emulator, "ListDataBackfillInstances", **other) == "ResourceNotFound"


def test_a_day_of_two_ranges_counts_once(cloudtasks_emulator: Emulator) -> None:
    ranges = [
        {"StartDate": "2026-01-01", "EndDate": "2026-01-02"},
        {"StartDate": "2026-01-02", "EndDate": "2026-01-03"},
    ]
    made = call(cloudtasks_emulator, "CreateDataBackfillPlan", TaskIds=["t1"], DataBackfillRangeList=ranges)
    page = call(cloudtasks_emulator, "ListDataBackfillInstances", **made, TaskId="t1")
    assert [one["CurRunDate"][8:10] for one in page["Items"]] == ["01", "02", "03"]


def test_the_list_of_a_backfill_shows_an_instance_that_a_test_added(cloudtasks_emulator: Emulator) -> None:
    add_plan(cloudtasks_emulator, "100/100", tasks=("t1",))
    key = "t1_2026-01-31 00:00:00"
    cloudtasks_emulator.add_task(INSTANCE, key, "EXPIRED", fields={"ProjectId": "p2"})
    assert states(cloudtasks_emulator, "t1") == ["COMPLETED"] * 3
    fields = {"ProjectId": "p1", "TaskName": "load", "LogInfo": "mine"}
    cloudtasks_emulator.add_task(INSTANCE, key, ("RUNNING", 61), "EXPIRED", fields=fields)
    cloudtasks_emulator.advance(100)
    shown = instances(cloudtasks_emulator, "t1")["Items"][1]
    assert (shown["State"], shown["TaskName"], shown["CostTime"]) == ("EXPIRED", "load", "00:01:01.000")
    assert [one["id"] for one in cloudtasks_emulator.noticed(INSTANCE)] == [key]
    assert call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=key)["LogInfo"] == "mine"


def test_an_instance_of_a_backfill_has_a_log(cloudtasks_emulator: Emulator) -> None:
    add_plan(cloudtasks_emulator, ("0/0", 1), "100/40", tasks=("t1",), last="2026-01-31")
    keys = [f"t1_2026-01-{day} 00:00:00" for day in (30, 31)]
    waits = call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=keys[1])
    assert (waits["InstanceKey"], waits["LogInfo"]) == (keys[1], "")
    cloudtasks_emulator.advance(5)
    logs = [call(cloudtasks_emulator, "GetTaskInstanceLog", InstanceKey=key)["LogInfo"] for key in keys]
    assert logs[0].endswith("INFO The task has ended.")
    assert logs[1].endswith("ERROR The task has failed.")
    for wrong in ({"InstanceKey": "t1_2026-02-01 00:00:00"}, {"InstanceKey": keys[0], "ProjectId": "p2"}):
        assert refusal(cloudtasks_emulator, "GetTaskInstanceLog", **wrong) == "ResourceNotFound"
    assert refusal(cloudtasks_emulator, "GetTaskInstance", InstanceKey=keys[0]) == "ResourceNotFound"


def test_tccli_lists_the_instances_of_a_backfill(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    add_plan(cloudtasks_emulator, "100/0")
    asked = (
        *("wedata", "ListDataBackfillInstances", "--version", "2025-08-06", "--ProjectId", "p1"),
        *("--DataBackfillPlanId", "b1", "--TaskId", "t1", "--PageSize", "1"),
    )
    answer = tccli(cloudtasks_emulator, tmp_path, asked)
    assert answer["Data"]["Items"][0]["State"] == "EXPIRED"


def test_a_deleted_backfill_no_longer_exists(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task(BACKFILL, "b1", "50/50")
    job_id = call(cloudtasks_emulator, "DeleteDataBackfillPlanAsync", DataBackfillPlanId="b1")["AsyncId"]
    assert refusal(cloudtasks_emulator, "GetDataBackfillPlan", DataBackfillPlanId="b1") == "ResourceNotFound"
    assert call(cloudtasks_emulator, "GetOpsAsyncJob", AsyncId=job_id)["Status"] == "INIT"
    assert refusal(cloudtasks_emulator, "DeleteDataBackfillPlanAsync", DataBackfillPlanId="b1") == "ResourceNotFound"
    noted = [(entry["status"], entry["ended"]) for entry in cloudtasks_emulator.canceled(BACKFILL)]
    assert noted == [("50/50", True), (None, False)]


@pytest.mark.parametrize("status", ["SUCCESS", "100", "100/x", None])
def test_refuses_a_script_of_a_backfill_without_percentages(client: Client, status: str | None) -> None:
    answer = client.control("POST", "tasks", {"api": BACKFILL, "id": "b1", "script": [status]})
    assert (answer.status, "CompletePercent/SuccessPercent such as 60/50" in answer.json["error"]) == (400, True)


@pytest.mark.parametrize("sent", ["c2hvdyB0YWJsZXM7", "show tables;"])
def test_decodes_a_sql_script_in_base64(cloudtasks_emulator: Emulator, sent: str) -> None:
    assert start_sql(cloudtasks_emulator, ScriptContent=sent)["ScriptContent"] == "show tables;"


def test_decodes_a_sql_script_that_happens_to_be_valid_base64(cloudtasks_emulator: Emulator) -> None:
    assert start_sql(cloudtasks_emulator, ScriptContent="descTBLS")["ScriptContent"] != "descTBLS"
