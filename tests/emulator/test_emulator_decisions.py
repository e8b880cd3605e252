"""The pure parts of the emulator, without a network or a clock: scripts, limits, faults, merged fields."""

from __future__ import annotations

from itertools import cycle

import pytest

from airflow_cloudtasks.emulator.control.parsing import parse_task
from airflow_cloudtasks.emulator.engine.faults import FaultRule, Faults
from airflow_cloudtasks.emulator.engine.journal import Exchange, Journal
from airflow_cloudtasks.emulator.engine.limits import WINDOW_KINDS, Limits, WindowKind, make_limiter
from airflow_cloudtasks.emulator.engine.nonces import Nonces
from airflow_cloudtasks.emulator.engine.scripts import Step, position
from airflow_cloudtasks.emulator.engine.times import beijing_time, iso_utc
from airflow_cloudtasks.emulator.engine.values import JsonObject
from airflow_cloudtasks.emulator.products.discovery import find_actions
from airflow_cloudtasks.emulator.products.shared.answers import merge, put, show_task
from airflow_cloudtasks.emulator.vendor.registry import Registry

REGISTRY = Registry(find_actions())
START = 1_700_000_000.0
SCRIPT = (Step("Init", 2), Step("Processing", 3), Step("Succeed"))


def show(api: str, script: object, at: float, **fields: object) -> JsonObject:
    task = parse_task({"api": api, "id": "7", "script": script, "fields": fields}, REGISTRY, START)
    asked = {"ProjectId": "p", "TaskId": "7", "TaskType": "ExportAttributeLabel", "BotBizId": "b"}
    return show_task(REGISTRY.shape(api), task, START + at, asked)


@pytest.mark.parametrize(
    ("at", "status", "entered", "last"),
    [
        (-5, "Init", 0, False),
        (0, "Init", 0, False),
        (1.999, "Init", 0, False),
        (2, "Processing", 2, False),
        (4.999, "Processing", 2, False),
        (5, "Succeed", 5, True),
        (1e9, "Succeed", 5, True),
    ],
)
def test_a_script_goes_by_the_clock_and_stays_in_its_last_step(
    at: float, status: str, entered: float, last: bool
) -> None:
    where = position(SCRIPT, START, START + at)
    assert (where.step.status, where.entered_at - START, where.is_last) == (status, entered, last)


def test_a_step_of_no_seconds_is_skipped() -> None:
    assert position((Step("A", 0), Step("B")), START, START).step.status == "B"


def test_progress_is_the_share_of_the_timed_steps() -> None:
    assert position(SCRIPT, START, START + 2.5).progress == 0.5


def test_ice_shows_a_finish_time_only_for_a_finished_task() -> None:
    script = [("Processing", 60), "Failed"]
    assert show("ice.workflow_task", script, 59)["WorkflowTask"]["CreateTime"] == iso_utc(START)
    assert "FinishTime" not in show("ice.workflow_task", script, 59)["WorkflowTask"]
    assert show("ice.workflow_task", script, 99)["WorkflowTask"]["FinishTime"] == iso_utc(START + 60)


def test_a_script_that_ends_on_a_running_status_never_finishes() -> None:
    task = show("bdrc.task", "RUNNING", 500)["Data"]
    assert "CompleteTime" not in task
    assert task["Progress"] < 10_000


def test_bdrc_shows_unix_seconds_and_a_progress_of_up_to_10000() -> None:
    script = [("RUNNING", 10), "COMPLETE"]
    running, complete = show("bdrc.task", script, 5)["Data"], show("bdrc.task", script, 10)["Data"]
    assert (running["Progress"], running["StartTime"]) == (5_000, int(START))
    assert (complete["Progress"], complete["CompleteTime"]) == (10_000, int(START) + 10)


def test_bpstudio_and_wedata_show_times_in_utc_plus_8() -> None:
    assert beijing_time(0) == "1970-01-01 08:00:00"
    assert show("bpstudio.task", "FINISH", 0)["Data"]["GmtCreate"] == beijing_time(START)
    assert show("wedata.task", "Y", 0)["Data"]["TaskBaseAttribute"]["CreateTime"] == beijing_time(START)


def test_merges_fields_of_the_task_and_of_its_step_into_its_object() -> None:
    script = [{"status": "Processing", "seconds": 9, "fields": {"Workflow": {"Name": "step"}}}, "Succeed"]
    task = show("ice.workflow_task", script, 1, Workflow={"Type": "Mine"}, UserData="{}")["WorkflowTask"]
    assert (task["Workflow"]["Name"], task["Workflow"]["Type"], task["UserData"]) == ("step", "Mine", "{}")
    assert task["Workflow"]["Status"] == "Active"
    assert show("ice.workflow_task", script, 9)["WorkflowTask"]["Workflow"]["Name"] == "Emulated workflow"


def test_merges_fields_of_wedata_into_the_parts_beside_the_base_attributes() -> None:
    data = show("wedata.task", "Y", 0, TaskName="mine", TaskConfiguration={"BrokerIp": "10.0.0.1"})["Data"]
    assert data["TaskBaseAttribute"]["TaskName"] == "mine"
    assert (data["TaskConfiguration"]["BrokerIp"], data["TaskConfiguration"]["DataCluster"]) == ("10.0.0.1", "")


def test_showing_a_task_does_not_change_the_example() -> None:
    before = repr(REGISTRY.shape("ice.workflow_task"))
    show("ice.workflow_task", "Succeed", 0, Workflow={"Name": "mine"})
    assert repr(REGISTRY.shape("ice.workflow_task")) == before


def test_put_and_merge_do_not_change_their_arguments() -> None:
    tree: JsonObject = {"a": {"b": 1}, "c": {}}
    assert put(tree, ("a", "d", "e"), 2) == {"a": {"b": 1, "d": {"e": 2}}, "c": {}}
    assert merge(tree, {"a": {"b": None}, "c": 3}) == {"a": {"b": None}, "c": 3}
    assert tree == {"a": {"b": 1}, "c": {}}


@pytest.mark.parametrize(
    ("kind", "counts_refused", "admitted"),
    [
        ("sliding", False, [True, True, False, True, False, True]),
        ("sliding", True, [True, True, False, False, False, False]),
        ("fixed", False, [True, True, False, True, True, False]),
        ("fixed", True, [True, True, False, True, True, False]),
        ("bucket", False, [True, True, True, True, False, True]),
        ("bucket", True, [True, True, True, True, False, False]),
    ],
)
def test_each_limiter_counts_as_documented(kind: WindowKind, counts_refused: bool, admitted: list[bool]) -> None:
    limiter = make_limiter(kind, 2, counts_refused)
    assert [limiter.admit(at) for at in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == admitted


@pytest.mark.parametrize("kind", WINDOW_KINDS)
def test_a_limit_below_one_a_second_stretches_the_window(kind: WindowKind) -> None:
    limiter = make_limiter(kind, 0.5)
    assert [limiter.admit(at) for at in (0.0, 1.9, 2.0)] == [True, False, True]


@pytest.mark.parametrize(
    ("kind", "counts_refused", "share"),
    [("sliding", True, 0.0), ("bucket", True, 0.0), ("sliding", False, 0.9), ("fixed", True, 0.9)],
)
def test_only_a_limiter_that_counts_refused_requests_silences_a_client_that_sends_too_much(
    kind: WindowKind, counts_refused: bool, share: float
) -> None:
    limiter = make_limiter(kind, 20, counts_refused)
    admitted = [limiter.admit(number / 30) for number in range(3000)]
    assert share <= sum(admitted[300:]) / (20 * 90) <= share + 0.1


def test_every_limiter_admits_a_client_that_stays_below_the_limit() -> None:
    for kind in WINDOW_KINDS:
        for counts_refused in (False, True):
            limiter = make_limiter(kind, 20, counts_refused)
            assert all(limiter.admit(number / 19) for number in range(1000))


def test_each_account_and_action_has_its_own_window() -> None:
    limits = Limits()
    assert all(limits.admit(("a", "x"), 0.0) for _ in range(99))
    limits.set(1)
    assert [limits.admit(who, 0.0) for who in ("ax", "ax", "bx", "ay")] == [True, False, True, True]


def test_a_fault_alternates_its_kinds_and_is_spent_after_its_count() -> None:
    faults = Faults(random_number=lambda: 0.0)
    faults.add(FaultRule(("reset", "throttle"), count=3))
    assert [hit.kind if (hit := faults.strike("ice.workflow_task")) else None for _ in range(5)] == [
        "reset",
        "throttle",
        "reset",
        None,
        None,
    ]


def test_a_fault_strikes_at_its_rate() -> None:
    numbers = cycle([0.1, 0.29, 0.3, 0.9])
    faults = Faults(random_number=lambda: next(numbers))
    faults.add(FaultRule(("reset",), rate=0.3))
    assert [faults.strike("ice.workflow_task") is not None for _ in range(4)] == [True, True, False, False]


def test_the_first_fault_that_strikes_decides() -> None:
    faults = Faults(random_number=lambda: 0.5)
    faults.add(FaultRule(("reset",), rate=0.2))
    faults.add(FaultRule(("throttle",)))
    hit = faults.strike("ice.workflow_task")
    assert hit is not None
    assert hit.kind == "throttle"


def test_accepts_a_nonce_once_for_each_key_until_its_request_has_expired() -> None:
    nonces = Nonces()
    assert nonces.use("k", "n", expires_at=10, now=0)
    assert not nonces.use("k", "n", expires_at=10, now=10)
    assert nonces.use("other", "n", expires_at=10, now=10)
    assert nonces.use("k", "n", expires_at=30, now=11)


def test_the_journal_is_bounded_and_its_totals_are_not() -> None:
    journal = Journal(kept=2)
    for number in range(5):
        exchange = Exchange("alibaba", api="bdrc.task", parameters={"TaskId": str(number)})
        journal.begin(exchange, 0.0, "ok", 200, throttled=number == 0)
        journal.end(exchange)
    assert [entry["sequence"] for entry in journal.requests()] == [4, 5]
    assert [entry["sequence"] for entry in journal.requests(since=4)] == [5]
    assert journal.totals()["bdrc.task"] == {"total": 5, "refused": 1, "peak_concurrency": 1}


def test_clearing_the_journal_still_counts_requests_in_flight() -> None:
    journal, exchange = Journal(), Exchange("alibaba", api="bdrc.task")
    journal.begin(exchange, 0.0, "ok", 200, throttled=False)
    journal.clear()
    journal.begin(exchange, 1.0, "ok", 200, throttled=False)
    assert journal.totals()["bdrc.task"] == {"total": 1, "refused": 0, "peak_concurrency": 2}
    journal.end(exchange)
    journal.end(exchange)
