"""What an operator does between a start and its end: in a worker, and up to where it hands over to the triggerer."""

from __future__ import annotations

import json
import re
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowTaskTimeout
from in_process import Run
from state_store import StateStore

from airflow_cloudtasks.catalog import find_api
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import CloudTaskFailed, MalformedAnswer, NotFound, WaitTimedOut
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.hooks.base import CloudTasksHook
from airflow_cloudtasks.hooks.calling import CallingHook
from airflow_cloudtasks.operators import start_cloud_task
from airflow_cloudtasks.operators.alibaba import IceStartWorkflowOperator
from airflow_cloudtasks.operators.cloud_task import CancelCloudTaskOperator, StartCloudTaskOperator
from airflow_cloudtasks.operators.tencent import (
    WeDataBackfillOperator,
    WeDataRerunInstancesOperator,
    WeDataRunSqlOperator,
)
from airflow_cloudtasks.operators.tencent import WeDataRunWorkflowOperator as RunWorkflow
from airflow_cloudtasks.spec import Start
from airflow_cloudtasks.starting import doorway, doorway_variables, earlier, memory, starter
from airflow_cloudtasks.version_compat import STORES_NONE

WORKFLOW = {"project_id": "p1", "workflow_id": "w1"}
IN_THE_WORKER_AND_DEFERRED = pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "deferrable"])


@pytest.fixture
def cloud(emulator: Emulator) -> Emulator:
    emulator.reset()
    doorway_variables._OfThisProcess._values.clear()
    return emulator


def operator(kind: type[StartCloudTaskOperator] = RunWorkflow, **arguments: Any) -> Any:
    return kind(task_id="start", **{"poke_interval": 0.2, "timeout": 30, **arguments})


@IN_THE_WORKER_AND_DEFERRED
def test_cancels_a_task_at_the_timeout_and_the_next_try_starts_another(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow, waiting = Run(), operator(**WORKFLOW, timeout=1.5, deferrable=deferrable)
    with pytest.raises(WaitTimedOut, match=r"wedata\.workflow_run took longer than 1\.5 seconds; last seen: .*RUNNING"):
        airflow(waiting)
    assert [each["ended"] for each in cloud.canceled("wedata.workflow_run")] == [True]
    assert airflow(operator(**WORKFLOW, deferrable=deferrable))["state"] == "succeeded"
    assert len(cloud.started("wedata.workflow_run")) == 2


@IN_THE_WORKER_AND_DEFERRED
@pytest.mark.parametrize("ends", ["succeeded", "failed", "timeout"])
def test_no_note_for_other_tasks_stays_however_the_wait_ends(
    cloud: Emulator, deferrable: bool, ends: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorway, "_CLOCK_SECONDS", -1.0)
    cloud.next_running("wedata.workflow_run", *((None,) if ends == "timeout" else (0.3, ends)))
    waiting = operator(**WORKFLOW, timeout=1.0 if ends == "timeout" else 30, deferrable=deferrable)
    noted = doorway_variables._OfThisProcess._values
    with suppress(WaitTimedOut, CloudTaskFailed):
        Run()(waiting)
    assert len(cloud.started("wedata.workflow_run")) == 1
    assert noted == {}


class Unforgetting(StateStore):
    """A store in which nothing can be deleted."""

    def delete(self, key: str) -> None:
        raise ConnectionError


@IN_THE_WORKER_AND_DEFERRED
@pytest.mark.parametrize("ends", ["timeout", "failure"])
def test_the_error_of_a_wait_is_not_hidden_by_a_memory_that_does_not_forget(
    cloud: Emulator, deferrable: bool, ends: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(memory, "_SECONDS_BETWEEN_TRIES", 0.0)
    airflow = Run()
    airflow.store = airflow.context["task_state_store"] = Unforgetting()
    if ends == "failure":
        cloud.next_running("wedata.workflow_run", 0.2, "failed")
    else:
        cloud.next_running("wedata.workflow_run")
    with pytest.raises(WaitTimedOut if ends == "timeout" else CloudTaskFailed):
        airflow(operator(**WORKFLOW, timeout=1.0 if ends == "timeout" else 30, deferrable=deferrable))
    assert "stays stored" in caplog.text
    assert airflow(operator(**WORKFLOW))["state"] == "succeeded"
    assert len(cloud.started("wedata.workflow_run")) == 2


@IN_THE_WORKER_AND_DEFERRED
def test_next_try_waits_for_a_task_that_cannot_be_canceled(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_running("ice.workflow_task", 3)
    airflow, arguments = Run(), {"workflow_id": "w", "deferrable": deferrable}
    with pytest.raises(WaitTimedOut):
        airflow(operator(IceStartWorkflowOperator, **arguments, timeout=1))
    assert airflow(operator(IceStartWorkflowOperator, **arguments))["state"] == "succeeded"
    assert len(cloud.started("ice.workflow_task")) == 1


def test_cancels_nothing_with_cancel_on_kill_false(cloud: Emulator) -> None:
    cloud.next_running("wedata.workflow_run")
    with pytest.raises(WaitTimedOut):
        Run()(operator(**WORKFLOW, timeout=0.5, cancel_on_kill=False))
    assert cloud.canceled() == []


def test_kill_during_the_start_cancels_the_started_task(cloud: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting, started = operator(**WORKFLOW), start_cloud_task.Starter.started

    def interrupted(starter: start_cloud_task.Starter) -> Any:
        attempt = started(starter)
        # Airflow's signal arrives before the operator knows the started task.
        waiting.on_kill()
        return attempt

    monkeypatch.setattr(start_cloud_task.Starter, "started", interrupted)
    with pytest.raises(AirflowException, match="killed while the cloud task was being started"):
        Run()(waiting)
    assert [each["ended"] for each in cloud.canceled("wedata.workflow_run")] == [True]


@IN_THE_WORKER_AND_DEFERRED
def test_looks_for_a_new_task_until_the_vendor_shows_it(
    cloud: Emulator, deferrable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_cloud_task, "_UNSEEN_INTERVAL", 0.1)
    waiting, looks = operator(**WORKFLOW, deferrable=deferrable), []
    first_look = waiting._read_first

    def hidden_at_first(*arguments: Any) -> Any:
        hook = waiting._hook
        read = hook.read_task

        def read_task(*asked: Any) -> Any:
            looks.append(1)
            if len(looks) < 4:
                raise NotFound("no such run")
            return read(*asked)

        monkeypatch.setattr(hook, "read_task", read_task)
        return first_look(*arguments)

    waiting._read_first = hidden_at_first
    assert Run()(waiting)["state"] == "succeeded"
    assert len(looks) >= 4


def test_returns_the_running_task_without_waiting(cloud: Emulator) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow = Run()
    result = airflow(operator(**WORKFLOW, wait_for_completion=False))
    assert (result["state"], result["id"]) == ("running", airflow.xcoms["id"])
    assert cloud.canceled() == []


def test_rerun_without_waiting_returns_its_job(cloud: Emulator) -> None:
    key = "t_2026-01-01 00:00:00"
    cloud.add_finished("wedata.task_instance", key, "failed", fields={"ProjectId": "p1"})
    arguments = {"project_id": "p1", "instance_keys": [key], "wait_for_completion": False}
    assert Run()(operator(WeDataRerunInstancesOperator, **arguments))["api"] == "wedata.async_job"


@IN_THE_WORKER_AND_DEFERRED
def test_rerun_fails_if_its_job_fails(cloud: Emulator, deferrable: bool) -> None:
    key = "t_2026-01-01 00:00:00"
    cloud.add_finished("wedata.task_instance", key, "failed", fields={"ProjectId": "p1"})
    cloud.next_running("wedata.async_job", 0.5, "failed", fields={"ErrorDesc": "no right to rerun"})
    with pytest.raises(CloudTaskFailed, match="no right to rerun"):
        Run()(operator(WeDataRerunInstancesOperator, project_id="p1", instance_keys=[key], deferrable=deferrable))


KEY = "t_2026-01-01 00:00:00"
RERUN = {"project_id": "p1", "instance_keys": [KEY]}


@pytest.fixture
def instance(cloud: Emulator) -> str:
    cloud.add_finished("wedata.task_instance", KEY, "failed", fields={"ProjectId": "p1"})
    return KEY


def state_of(instance: str) -> str:
    api = find_api("wedata.task_instance")
    return str(hook_for(api).read_task(api, instance, {"ProjectId": "p1"}).state)


@IN_THE_WORKER_AND_DEFERRED
@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_rerun_that_fails_in_part_waits_for_what_it_set_going_before_it_fails(
    cloud: Emulator, instance: str, deferrable: bool, end: str
) -> None:
    cloud.next_script("wedata.async_job", ("RUNNING", 0.3), "PART_SUCCESS", fields={"ErrorDesc": "one of two"})
    cloud.next_running("wedata.task_instance", 1.5, end)
    airflow = Run()
    with pytest.raises(CloudTaskFailed, match="'PART_SUCCESS'; message: one of two") as caught:
        airflow(operator(WeDataRerunInstancesOperator, **RERUN, deferrable=deferrable))
    assert state_of(instance) == end
    assert len(caught.value.tasks) == (1 if end == "succeeded" else 2)
    # Nothing runs any more, so the next try starts all of them again.
    (again,) = airflow(operator(WeDataRerunInstancesOperator, **RERUN, deferrable=deferrable))
    assert again["state"] == "succeeded"
    assert len(cloud.requests("wedata.task_instance_start")) == 2


@IN_THE_WORKER_AND_DEFERRED
def test_timeout_cancels_what_a_rerun_that_failed_in_part_set_going(
    cloud: Emulator, instance: str, deferrable: bool
) -> None:
    cloud.next_script("wedata.async_job", "PART_SUCCESS")
    cloud.next_running("wedata.task_instance")
    with pytest.raises(WaitTimedOut, match="has been canceled"):
        Run()(operator(WeDataRerunInstancesOperator, **RERUN, deferrable=deferrable, timeout=1.5))
    assert [each["id"] for each in cloud.canceled("wedata.task_instance")] == [instance]


def test_next_try_does_not_rerun_what_a_killed_try_left_running(cloud: Emulator, instance: str) -> None:
    cloud.next_script("wedata.async_job", "PART_SUCCESS")
    cloud.next_running("wedata.task_instance", 2)
    airflow = Run()

    class WorkerDied(BaseException):
        pass

    def dies(*arguments: Any) -> Any:
        raise WorkerDied

    first = operator(WeDataRerunInstancesOperator, **RERUN)
    first._wait_in_worker = dies
    with pytest.raises(WorkerDied):
        airflow(first)
    with pytest.raises(CloudTaskFailed, match="PART_SUCCESS"):
        airflow(operator(WeDataRerunInstancesOperator, **RERUN))
    assert state_of(instance) == "succeeded"
    assert len(cloud.requests("wedata.task_instance_start")) == 1


TASK_INSTANCE = find_api("wedata.task_instance")
# Like a rerun, but only the job tells which instances it has started.
MADE_BY_A_JOB = replace(
    TASK_INSTANCE,
    name="my.made_instance",
    starts=(
        Start(
            action=TASK_INSTANCE.starts[0].action,
            job="Data.AsyncId",
            job_api="wedata.async_job",
            job_ids="ErrorDesc",
            encodings={"InstanceKeyList": "ids"},
        ),
    ),
)


def made(**arguments: Any) -> Any:
    parameters = {"ProjectId": "p1", "InstanceKeyList": [KEY]}
    return operator(StartCloudTaskOperator, api=MADE_BY_A_JOB, parameters=parameters, **arguments)


@IN_THE_WORKER_AND_DEFERRED
@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_waits_for_the_tasks_that_the_job_of_a_start_names(
    cloud: Emulator, instance: str, deferrable: bool, end: str
) -> None:
    cloud.next_script("wedata.async_job", ("RUNNING", 0.3), "SUCCESS", fields={"ErrorDesc": KEY})
    cloud.next_running("wedata.task_instance", 1.0, end)
    airflow = Run()
    if end == "failed":
        with pytest.raises(CloudTaskFailed, match=re.escape(KEY)):
            airflow(made(deferrable=deferrable))
    else:
        (result,) = airflow(made(deferrable=deferrable))
        assert (result["id"], result["state"]) == (KEY, "succeeded")
    assert state_of(instance) == end
    assert len(cloud.requests("wedata.task_instance_start")) == 1


@IN_THE_WORKER_AND_DEFERRED
def test_fails_and_starts_anew_if_the_job_of_a_start_fails_and_names_no_task(
    cloud: Emulator, instance: str, deferrable: bool
) -> None:
    cloud.next_script("wedata.async_job", ("RUNNING", 0.3), "FAIL")
    airflow = Run()
    with pytest.raises(CloudTaskFailed, match="FAIL"):
        airflow(made(deferrable=deferrable))
    cloud.next_script("wedata.async_job", "SUCCESS", fields={"ErrorDesc": KEY})
    assert airflow(made(deferrable=deferrable))[0]["state"] == "succeeded"
    assert len(cloud.requests("wedata.task_instance_start")) == 2


def test_a_job_that_succeeds_without_naming_a_task_is_an_error_and_is_not_started_again(
    cloud: Emulator, instance: str
) -> None:
    cloud.next_script("wedata.async_job", "SUCCESS")
    airflow = Run()
    for _ in range(2):
        with pytest.raises(MalformedAnswer, match="has succeeded, and ErrorDesc holds no id of a task"):
            airflow(made())
    assert len(cloud.requests("wedata.task_instance_start")) == 1


@IN_THE_WORKER_AND_DEFERRED
def test_timeout_cancels_the_tasks_that_the_job_of_a_start_names(
    cloud: Emulator, instance: str, deferrable: bool
) -> None:
    cloud.next_script("wedata.async_job", "SUCCESS", fields={"ErrorDesc": KEY})
    cloud.next_running("wedata.task_instance")
    with pytest.raises(WaitTimedOut, match="has been canceled"):
        Run()(made(deferrable=deferrable, timeout=1.5))
    assert [each["id"] for each in cloud.canceled("wedata.task_instance")] == [instance]


def test_kill_before_the_job_has_named_a_task_says_that_its_tasks_go_on(
    cloud: Emulator, instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, started = made(), starter.Starter.started

    def killed_meanwhile(self: starter.Starter) -> Any:
        attempt = started(self)
        waiting.on_kill()
        return attempt

    monkeypatch.setattr(starter.Starter, "started", killed_meanwhile)
    with pytest.raises(AirflowException, match=r"killed before job .* told the ids of its tasks: they go on"):
        Run()(waiting)
    assert cloud.canceled() == []


def test_next_try_waits_for_the_tasks_that_the_job_of_an_earlier_try_has_made(cloud: Emulator, instance: str) -> None:
    cloud.next_script("wedata.async_job", ("RUNNING", 0.3), "SUCCESS", fields={"ErrorDesc": KEY})
    cloud.next_running("wedata.task_instance", 2)
    airflow = Run()

    class WorkerDied(BaseException):
        pass

    def dies(*arguments: Any) -> Any:
        raise WorkerDied

    first = made()
    first._wait_in_worker = dies
    with pytest.raises(WorkerDied):
        airflow(first)
    assert airflow(made())[0]["id"] == KEY
    assert len(cloud.requests("wedata.task_instance_start")) == 1


@pytest.mark.parametrize("pushes", [True, False])
def test_multiple_outputs_push_each_part_of_the_result_as_an_xcom(cloud: Emulator, pushes: bool) -> None:
    airflow = Run()
    result = airflow(operator(**WORKFLOW, multiple_outputs=pushes))
    parts = {name: value for name, value in airflow.xcoms.items() if name != "cloud_console_url"}
    stored = {name: value for name, value in result.items() if value is not None or STORES_NONE}
    assert parts == (stored if pushes else {})


@pytest.mark.parametrize(("max_rows", "rows"), [(2, [{"n": "1"}, {"n": "2"}]), (1, None)])
def test_returns_the_rows_up_to_max_rows(cloud: Emulator, max_rows: int, rows: Any) -> None:
    results = [{"Columns": [{"ColumnName": "n"}], "Rows": [{"Values": ["1"]}, {"Values": ["2"]}]}]
    cloud.next_running("wedata.sql_run", 0, fields={"Results": results})
    arguments = {"project_id": "p1", "sql": "SELECT n FROM t;", "datasource_id": "7", "max_rows": max_rows}
    result = Run()(operator(WeDataRunSqlOperator, **arguments))
    assert result["rows"] == rows
    assert bool(result["detail"]["Results"][0]["Rows"]) is (rows is not None)


def test_fails_without_a_retry_if_an_unanswered_start_cannot_be_looked_up(cloud: Emulator) -> None:
    cloud.fault("lost_answer", count=1, api="lke.task_start")
    parameters = {"BotBizId": "1"}
    with pytest.raises(AirflowException, match="Nobody can tell whether LKE ExportAttributeLabel has started a task"):
        Run()(operator(StartCloudTaskOperator, api="lke.task", action="ExportAttributeLabel", parameters=parameters))
    assert len(cloud.started("lke.task")) == 1


@IN_THE_WORKER_AND_DEFERRED
def test_starts_no_second_task_while_the_first_has_an_unknown_status(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_script("wedata.workflow_run", ("PENDING", 0.5), "RESUMING")
    airflow = Run()
    for _ in range(2):
        with pytest.raises(CloudTaskFailed, match="'RESUMING'"):
            airflow(operator(**WORKFLOW, on_unknown="fail", deferrable=deferrable))
    assert len(cloud.started("wedata.workflow_run")) == 1


@pytest.mark.parametrize(("site", "host"), [("cn", "console.cloud.tencent.com"), ("intl", "console.tencentcloud.com")])
def test_link_opens_the_console_of_the_account_site(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, site: str, host: str
) -> None:
    connection = json.loads(cloud.connections()["AIRFLOW_CONN_TENCENT_DEFAULT"])
    connection["extra"]["site"] = site
    monkeypatch.setenv("AIRFLOW_CONN_TENCENT_DEFAULT", json.dumps(connection))
    airflow = Run()
    airflow(operator(**WORKFLOW))
    assert airflow.xcoms["cloud_console_url"] == f"https://{host}/wedata"


BACKFILL = {"project_id": "p1", "wedata_task_ids": ["t"], "data_ranges": [("2026-01-01", "2026-01-02")]}


def test_next_try_creates_the_plan_again_after_a_kill_deleted_it(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = Run()
    killed = operator(WeDataBackfillOperator, **BACKFILL, wait_for_completion=False)
    airflow(killed)
    killed.on_kill()
    assert [each["ended"] for each in cloud.canceled("wedata.backfill")] == [True]
    monkeypatch.setattr(earlier, "UNSEEN_SECONDS", 0)
    assert airflow(operator(WeDataBackfillOperator, **BACKFILL))["state"] == "succeeded"
    assert len(cloud.started("wedata.backfill")) == 2


def test_signal_after_the_end_cancels_nothing(cloud: Emulator) -> None:
    ended = operator(WeDataBackfillOperator, **BACKFILL)
    Run()(ended)
    ended.on_kill()
    assert cloud.canceled() == []


@IN_THE_WORKER_AND_DEFERRED
def test_execution_timeout_cancels_the_task(cloud: Emulator, deferrable: bool) -> None:
    cloud.next_running("wedata.workflow_run")
    with pytest.raises(AirflowTaskTimeout, match=r"longer than 1 seconds; .* execution_timeout is over: .* canceled"):
        Run()(operator(**WORKFLOW, deferrable=deferrable, execution_timeout=timedelta(seconds=1)))
    assert [each["ended"] for each in cloud.canceled("wedata.workflow_run")] == [True]


@pytest.mark.parametrize("reason", [AirflowException, AirflowTaskTimeout], ids=["killed", "timed out"])
@pytest.mark.parametrize("kind", [RunWorkflow, WeDataBackfillOperator], ids=["can be looked up", "cannot"])
def test_an_exception_that_interrupts_the_start_request_cancels_the_started_task(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch, kind: type[StartCloudTaskOperator], reason: type[BaseException]
) -> None:
    """Airflow 2 raises an exception wherever the main thread is when its signal arrives."""
    arguments = WORKFLOW if kind is RunWorkflow else BACKFILL
    waiting, call, airflow = operator(kind, **arguments), CallingHook.call, Run()
    cloud.next_running(waiting.api.name)

    def interrupt(number: int, frame: Any) -> None:
        if reason is AirflowException:
            waiting.on_kill()
        raise reason("interrupted")

    def interrupted_before_the_answer(hook: Any, service: Any, action: Any, *arguments: Any, **named: Any) -> Any:
        answer = call(hook, service, action, *arguments, **named)
        if action.name == waiting.start.action.name:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            asked.wait(10)
        return answer

    asked, unanswered = threading.Event(), starter.Starter.unanswered
    monkeypatch.setattr(CallingHook, "call", interrupted_before_the_answer)
    monkeypatch.setattr(starter.Starter, "unanswered", lambda each: (asked.set(), unanswered(each))[1])
    monkeypatch.setattr(start_cloud_task, "get_current_context", lambda: airflow.context)
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        airflow(waiting)
    except AirflowTaskTimeout:
        waiting.on_kill()  # as Airflow does after its timer
    except AirflowException:
        pass
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [each["ended"] for each in cloud.canceled(waiting.api.name)] == [True]


def test_a_kill_before_the_operator_runs_starts_nothing(cloud: Emulator) -> None:
    """Airflow 3 calls on_kill once, also while it still renders templates."""
    waiting = operator(**WORKFLOW)
    waiting.on_kill()
    with pytest.raises(AirflowException, match="killed before it began"):
        Run()(waiting)
    assert cloud.started("wedata.workflow_run") == []


def test_a_kill_before_a_retry_runs_cancels_what_the_first_try_started(cloud: Emulator) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow = Run()
    airflow(operator(**WORKFLOW, wait_for_completion=False))
    retry = operator(**WORKFLOW)
    retry.on_kill()
    with pytest.raises(AirflowException, match="killed"):
        airflow(retry)
    assert [each["ended"] for each in cloud.canceled("wedata.workflow_run")] == [True]
    assert len(cloud.started("wedata.workflow_run")) == 1


@IN_THE_WORKER_AND_DEFERRED
def test_a_task_found_by_its_parameters_alone_is_not_canceled(
    cloud: Emulator, deferrable: bool, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.next_running("wedata.workflow_run")
    cloud.fault("lost_answer", count=1, api="wedata.workflow_run_start")
    with pytest.raises(WaitTimedOut, match="may go on"):
        Run()(operator(**WORKFLOW, timeout=1, deferrable=deferrable))
    assert cloud.canceled() == []
    assert "it was only found by its parameters and may be another's" in caplog.text


@pytest.mark.parametrize(
    ("parameters", "map_index"), [({}, 1), ({"advanced_params": {"day": "2"}}, -1)], ids=["another task", "mended"]
)
def test_kill_of_one_of_two_equal_tasks_cancels_its_own_only(
    cloud: Emulator, parameters: dict[str, Any], map_index: int
) -> None:
    cloud.next_running("wedata.workflow_run", for_all=True)
    first, second = Run(), Run(map_index=map_index)
    own = first(operator(**WORKFLOW, wait_for_completion=False))["id"]
    killed = operator(**WORKFLOW, **parameters, wait_for_completion=False)
    others = second(killed)["id"]
    killed.on_kill()
    assert own != others
    assert [each["id"] for each in cloud.canceled()] == [others]


@pytest.mark.parametrize("fault", ["reset", "lost_answer"])
def test_a_lost_start_beside_an_equal_mapped_task_fails_as_unknown(cloud: Emulator, fault: str) -> None:
    cloud.next_running("wedata.workflow_run", for_all=True)
    first = Run(map_index=0)(operator(**WORKFLOW, wait_for_completion=False))["id"]
    cloud.fault(fault, count=1, api="wedata.workflow_run_start")
    second = operator(**WORKFLOW, wait_for_completion=False)
    with pytest.raises(AirflowFailException, match="asking again might start a second one") as caught:
        Run(map_index=1)(second)
    assert first in str(caught.value)
    second.on_kill()
    assert cloud.canceled() == []


@pytest.mark.parametrize(("max_tries", "try_number"), [(1, 2), (0, 2)], ids=["deferred", "in a worker"])
def test_clear_with_mended_parameters_cancels_the_wrong_task_and_starts_the_right_one(
    cloud: Emulator, max_tries: int, try_number: int
) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow = Run()
    wrong = airflow(operator(**WORKFLOW, advanced_params={"day": "1"}, wait_for_completion=False))["id"]
    airflow.task_instance.max_tries, airflow.task_instance.try_number = max_tries, try_number
    right = airflow(operator(**WORKFLOW, advanced_params={"day": "2"}))
    assert (right["id"] != wrong, right["state"]) == (True, "succeeded")
    assert [each["id"] for each in cloud.canceled()] == [wrong]


def test_retry_with_a_changed_template_returns_the_result_of_the_running_task(cloud: Emulator) -> None:
    cloud.next_running("wedata.workflow_run", 1)
    airflow = Run()
    first = airflow(operator(**WORKFLOW, advanced_params={"try": "1"}, wait_for_completion=False))["id"]
    assert airflow(operator(**WORKFLOW, advanced_params={"try": "2"}))["id"] == first
    assert len(cloud.started("wedata.workflow_run")) == 1


def test_cancels_runs_of_several_workflows_each_with_its_workflow(cloud: Emulator) -> None:
    for run_id, workflow in (("r1", "wA"), ("r2", "wB")):
        fields = {"ProjectId": "p1", "WorkflowId": workflow}
        cloud.add_running("wedata.workflow_run", run_id, fields=fields)
    CancelCloudTaskOperator(
        task_id="cancel", api="wedata.workflow_run", cloud_task_id=["r1", "r2"], api_params={"ProjectId": "p1"}
    ).execute(Run().context)
    assert [(each["id"], each["ended"]) for each in cloud.canceled()] == [("r1", True), ("r2", True)]


def test_retries_the_reads_that_a_cancellation_needs_until_the_task_is_readable(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.next_running("wedata.workflow_run")
    waiting, prepared = operator(**WORKFLOW, timeout=1), []
    requests = CloudTasksHook.cancel_requests

    def not_there_at_first(hook: Any, *arguments: Any) -> Any:
        prepared.append(1)
        if len(prepared) == 1:
            raise NotFound("the run is too new to be read")
        return requests(hook, *arguments)

    monkeypatch.setattr(CloudTasksHook, "cancel_requests", not_there_at_first)
    with pytest.raises(WaitTimedOut):
        Run()(waiting)
    assert [each["ended"] for each in cloud.canceled("wedata.workflow_run")] == [True]
