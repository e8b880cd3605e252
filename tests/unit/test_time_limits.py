"""``timeout`` and ``execution_timeout`` bound a try from its start in every mode, by a clock that the tests move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.exceptions import AirflowRescheduleException
from airflow.providers.common.compat.sdk import (
    DAG,
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    PokeReturnValue,
    TaskDeferred,
)
from airflow.triggers.base import TaskSkippedEvent
from state_store import StateStore

from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import WaitTimedOut
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.operators import _time_limits, start_cloud_task
from airflow_cloudtasks.operators.cloud_task import GetCloudTaskOperator, StartCloudTaskOperator
from airflow_cloudtasks.operators.tencent import WeDataRerunInstancesOperator, WeDataRunWorkflowOperator
from airflow_cloudtasks.sensors import cloud_task
from airflow_cloudtasks.sensors.alibaba import BdrcTaskSensor
from airflow_cloudtasks.triggers.cloud_task import TIMEOUT_GRACE, CloudTaskTrigger
from airflow_cloudtasks.waiting import airflow_try, backoff
from airflow_cloudtasks.waiting.verdicts import Waiting

START = 1_700_000_000.0
# Airflow knows a try before the operator runs in its worker.
AGO = 10.0


class Clock:
    """Stands for the module ``time``: sleeping moves it on."""

    def __init__(self) -> None:
        self.now = START + AGO

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (_time_limits, start_cloud_task, cloud_task, airflow_try):
        monkeypatch.setattr(module, "time", clock)
    # No randomness.
    monkeypatch.setattr(backoff, "random", SimpleNamespace(uniform=lambda low, high: high))
    return clock


@pytest.fixture
def cloud(cloudtasks_emulator: Emulator) -> Emulator:
    cloudtasks_emulator.reset()
    return cloudtasks_emulator


def context(**more: Any) -> Any:
    names = {"dag_id": "dag", "run_id": "run", "task_id": "start", "map_index": -1}
    begun = {"start_date": datetime.fromtimestamp(START, UTC), "end_date": None, "try_number": 1, "max_tries": 0}
    return {
        "ti": SimpleNamespace(**names, **begun, xcom_push=lambda **_: None),
        "dag_run": SimpleNamespace(id=1, run_after=datetime.fromtimestamp(START, UTC)),
        "task_state_store": StateStore(),
        **more,
    }


class Pokes(BdrcTaskSensor):
    """A sensor that notes when it polls a task that goes on."""

    polled: list[float]

    def poke(self, context: Any) -> PokeReturnValue:
        self.polled.append(cloud_task.time.time() - START)
        return PokeReturnValue(is_done=False)


def sensor(kind: type[BdrcTaskSensor] = Pokes, **arguments: Any) -> Any:
    waiting = kind(task_id="wait", cloud_task_id="1", **{"poke_interval": 10, "timeout": 100, **arguments})
    waiting.polled = []  # type: ignore[attr-defined]
    return waiting


# Poke and reschedule mode.


@pytest.mark.parametrize(
    ("arguments", "polled"),
    [
        ({"poke_interval": 30}, [10, 40, 70, 100]),
        ({"exponential_backoff": True}, [10, 20, 40, 80, 100]),
        ({"exponential_backoff": True, "max_wait": 25}, [10, 20, 40, 65, 90, 100]),
        ({"exponential_backoff": True, "max_wait": timedelta(seconds=15), "timeout": 30}, [10, 20, 30]),
        ({"timeout": 5}, [10]),
    ],
)
def test_poke_mode_polls_until_the_limit_and_never_sleeps_beyond_it(
    clock: Clock, arguments: dict[str, Any], polled: list[float]
) -> None:
    waiting = sensor(**arguments)
    with pytest.raises(AirflowSensorTimeout, match="timed out after the specified timeout of"):
        waiting.execute(context())
    assert waiting.polled == polled


def test_poke_mode_ends_at_execution_timeout_as_airflow_would(clock: Clock) -> None:
    waiting = sensor(execution_timeout=timedelta(seconds=35), soft_fail=True)
    with pytest.raises(AirflowTaskTimeout, match="execution_timeout of 35 seconds; last seen"):
        waiting.execute(context())
    assert waiting.polled == [10, 20, 30, 35]


@pytest.mark.parametrize(("rescheduled", "delay"), [(0, 10), (1, 20), (2, 30), (3, 30)])
def test_reschedule_mode_backs_off_by_the_polls_of_earlier_workers(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, rescheduled: int, delay: float
) -> None:
    monkeypatch.setattr(airflow_try, "_reschedules", lambda *_: (None, rescheduled))
    waiting = sensor(mode="reschedule", exponential_backoff=True, max_wait=30)
    with pytest.raises(AirflowRescheduleException) as rescheduling:
        waiting.execute(context())
    assert rescheduling.value.reschedule_date.timestamp() == pytest.approx(datetime.now(UTC).timestamp() + delay, abs=9)


def test_reschedule_mode_keeps_the_worker_if_the_last_poll_is_near(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_try, "_reschedules", lambda *_: (None, 0))
    waiting = sensor(mode="reschedule", poke_interval=30, timeout=18)
    with pytest.raises(AirflowSensorTimeout):
        waiting.execute(context())
    assert waiting.polled == [10, 18]


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"timeout": 60}, AirflowSensorTimeout),
        ({"timeout": 60, "soft_fail": True}, AirflowSkipException),
        ({"execution_timeout": timedelta(seconds=60)}, AirflowTaskTimeout),
    ],
)
def test_reschedule_mode_counts_from_the_first_worker_of_the_try(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], error: type[BaseException]
) -> None:
    an_hour_ago = datetime.fromtimestamp(START - 3600, UTC)
    monkeypatch.setattr(airflow_try, "_reschedules", lambda *_: (an_hour_ago, 5))
    waiting = sensor(mode="reschedule", **limits)
    with pytest.raises(error):
        waiting.execute(context())
    assert waiting.polled == [10]


# Deferrable mode.


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [({"timeout": 70}, 70), ({"execution_timeout": timedelta(seconds=15)}, 15), ({"timeout": 9e9}, 9e9)],
)
def test_the_trigger_ends_at_the_limit_and_airflow_a_little_later(
    clock: Clock, limits: dict[str, Any], seconds: float
) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(deferrable=True, **limits).execute(context())
    assert deferred.value.trigger.deadline == START + seconds
    assert deferred.value.timeout == timedelta(seconds=seconds - AGO) + TIMEOUT_GRACE


def test_a_wait_whose_time_is_over_is_not_deferred(clock: Clock) -> None:
    waiting = sensor(deferrable=True, timeout=5)
    with pytest.raises(AirflowSensorTimeout):
        waiting.execute(context())
    assert waiting.polled == [10]


def test_airflow_2_does_not_end_a_deferral_before_the_trigger_does(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow 2 takes the earlier one of its execution_timeout and of the timeout that is passed to ``defer``."""
    monkeypatch.setattr(_time_limits, "IS_AIRFLOW_2", True)
    waiting = sensor(deferrable=True, execution_timeout=timedelta(seconds=15))
    for _ in range(2):  # dag.test() continues with the same object.
        with pytest.raises(TaskDeferred) as deferred:
            waiting.execute(context())
        assert deferred.value.trigger.deadline == START + 15
        assert waiting.execution_timeout == timedelta(seconds=15) + TIMEOUT_GRACE


@pytest.mark.parametrize(
    ("limits", "skips"), [({"timeout": 60}, True), ({"execution_timeout": timedelta(seconds=60)}, False)]
)
def test_a_wait_that_ends_in_the_triggerer_is_skipped_at_its_timeout_only(
    clock: Clock, cloud: Emulator, limits: dict[str, Any], skips: bool
) -> None:
    waiting = sensor(end_from_trigger=True, soft_fail=True, **limits)
    with pytest.raises(TaskDeferred) as deferred:
        waiting.execute(context())
    trigger = deferred.value.trigger
    assert isinstance(trigger, CloudTaskTrigger)
    event = asyncio.run(trigger._end([Waiting(None)], many=False))
    if skips:
        assert isinstance(event, TaskSkippedEvent)
    else:
        assert event is None, "a worker has to raise the error that Airflow retries"


@pytest.mark.parametrize("error", ["Trigger timeout", "Trigger/execution timeout"])
@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ({"timeout": 60}, AirflowSensorTimeout),
        ({"timeout": 60, "soft_fail": True}, AirflowSkipException),
        ({"execution_timeout": timedelta(seconds=60)}, AirflowTaskTimeout),
        ({"execution_timeout": timedelta(seconds=60), "soft_fail": True}, AirflowTaskTimeout),
    ],
)
def test_a_sensor_that_no_triggerer_watched_times_out_as_any(
    clock: Clock, error: str, limits: dict[str, Any], raised: type[BaseException]
) -> None:
    waiting = sensor(deferrable=True, **limits)
    with pytest.raises(raised, match=r"time|specified"):
        waiting.resume_execution("__fail__", {"error": error}, context())
    assert waiting.polled == [10], "it polls once more, as a triggerer that comes late does"


def test_a_trigger_that_failed_is_no_timeout(clock: Clock) -> None:
    waiting = sensor(deferrable=True)
    with pytest.raises(AirflowException, match="Trigger failure"):
        waiting.resume_execution("__fail__", {"error": "Trigger failure"}, context())
    assert waiting.polled == []


@pytest.mark.parametrize(
    ("task_instance", "expected"),
    [
        (SimpleNamespace(start_date=datetime.fromtimestamp(START, UTC), end_date=None), START),
        (SimpleNamespace(start_date=datetime(2023, 11, 14, 22, 13, 20), end_date=None), START),
        # dag.test() of Airflow 2 runs a task instance again that has ended.
        (SimpleNamespace(start_date=datetime.fromtimestamp(START, UTC), end_date=datetime.now(UTC)), START + AGO),
        (SimpleNamespace(start_date=None), START + AGO),
        (None, START + AGO),
    ],
)
def test_a_try_begins_when_airflow_says_or_now(clock: Clock, task_instance: Any, expected: float) -> None:
    assert airflow_try.current_try({"ti": task_instance}).started_at == expected  # type: ignore[typeddict-item]


# Operators.

RERUN = {"project_id": "p1", "instance_keys": ["t_2026-01-01 00:00:00"]}
WORKFLOW = {"project_id": "p1", "workflow_id": "w1"}


def operator(kind: type[StartCloudTaskOperator] = WeDataRunWorkflowOperator, **arguments: Any) -> Any:
    return kind(task_id="start", **{"deferrable": True, "timeout": 600, **arguments})


def deferred_by(call: Any) -> CloudTaskTrigger:
    with pytest.raises(TaskDeferred) as deferred:
        call()
    trigger = deferred.value.trigger
    assert isinstance(trigger, CloudTaskTrigger)
    return trigger


def test_all_stages_of_an_operator_share_one_deadline(clock: Clock, cloud: Emulator) -> None:
    cloud.add_finished("wedata.task_instance", RERUN["instance_keys"][0], "failed", fields={"ProjectId": "p1"})
    cloud.next_running("wedata.async_job", 1)
    cloud.next_running("wedata.task_instance")
    waiting, airflow = (
        operator(WeDataRerunInstancesOperator, **RERUN, execution_timeout=timedelta(seconds=17)),
        context(),
    )
    first = deferred_by(lambda: waiting.execute(airflow))
    cloud.advance(5)
    clock.now += 5
    job = CloudTask(api="wedata.async_job", cloud="tencent", id="1", state=TaskState.SUCCEEDED)
    event = {"task": job.as_dict(), "carried": {**(first.carried or {}), "cancel": first.cancel, "is_canceled": False}}
    resumed = operator(WeDataRerunInstancesOperator, **RERUN, execution_timeout=timedelta(seconds=17))
    second = deferred_by(lambda: resumed.execute_complete(airflow, event))
    assert (first.api.name, second.api.name) == ("wedata.async_job", "wedata.task_instance")
    assert first.deadline == second.deadline == START + 17


@pytest.mark.parametrize(
    ("limits", "raised", "named"),
    [
        ({"timeout": 20}, WaitTimedOut, "timeout"),
        ({"execution_timeout": timedelta(seconds=20)}, AirflowTaskTimeout, "execution_timeout"),
    ],
)
def test_an_operator_that_no_triggerer_watched_cancels_what_it_started(
    clock: Clock, cloud: Emulator, limits: dict[str, Any], raised: type[BaseException], named: str
) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow = context()
    deferred_by(lambda: operator(**WORKFLOW, **limits).execute(airflow))
    with pytest.raises(raised, match=f"RUNNING.*Its {named} is over: it has been canceled"):
        operator(**WORKFLOW, **limits).resume_execution("__fail__", {"error": "Trigger timeout"}, airflow)
    assert [each["ended"] for each in cloud.canceled()] == [True]


def test_an_operator_that_no_triggerer_watched_returns_what_has_ended(clock: Clock, cloud: Emulator) -> None:
    cloud.next_running("wedata.workflow_run", 60)
    airflow = context()
    deferred_by(lambda: operator(**WORKFLOW).execute(airflow))
    cloud.advance(61)
    result = operator(**WORKFLOW).resume_execution("__fail__", {"error": "Trigger timeout"}, airflow)
    assert result["state"] == "succeeded"
    assert cloud.canceled() == []


def timed_out_by_airflow(killed: StartCloudTaskOperator) -> None:
    """Do as Airflow after its own timer has fired, or if it is over before Airflow 2 resumes a deferred task."""
    try:
        raise AirflowTaskTimeout
    except AirflowTaskTimeout:
        killed.on_kill()


@pytest.mark.parametrize("cancel_on_kill", [True, False])
def test_airflow_2_ends_a_resumed_operator_before_it_runs_and_the_operator_cancels(
    clock: Clock, cloud: Emulator, monkeypatch: pytest.MonkeyPatch, cancel_on_kill: bool
) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow = context()
    monkeypatch.setattr(start_cloud_task, "get_current_context", lambda: airflow)
    deferred_by(lambda: operator(**WORKFLOW, cancel_on_kill=cancel_on_kill).execute(airflow))
    timed_out_by_airflow(operator(**WORKFLOW, cancel_on_kill=cancel_on_kill))
    assert [each["ended"] for each in cloud.canceled()] == [True] * cancel_on_kill


def test_airflow_2_ends_a_resumed_operator_whose_trigger_has_canceled(
    clock: Clock, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.next_running("wedata.workflow_run")
    airflow = context()
    monkeypatch.setattr(start_cloud_task, "get_current_context", lambda: airflow)
    carried = deferred_by(lambda: operator(**WORKFLOW).execute(airflow)).carried or {}
    airflow["ti"].next_kwargs = {"event": {"timeout": "", "carried": {**carried, "is_canceled": True}}}
    timed_out_by_airflow(operator(**WORKFLOW))
    assert cloud.canceled() == []
    assert airflow["task_state_store"] == {}


def test_airflow_2_ends_a_resumed_operator_whose_task_has_ended_and_a_retry_returns_it(
    clock: Clock, cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.next_running("wedata.workflow_run", 60)
    airflow = context()
    monkeypatch.setattr(start_cloud_task, "get_current_context", lambda: airflow)
    carried = deferred_by(lambda: operator(**WORKFLOW).execute(airflow)).carried or {}
    cloud.advance(61)
    ended = CloudTask(api="wedata.workflow_run", cloud="tencent", id="1", state=TaskState.SUCCEEDED).as_dict()
    airflow["ti"].next_kwargs = {"event": {"task": ended, "carried": {**carried, "is_canceled": False}}}
    timed_out_by_airflow(operator(**WORKFLOW))
    assert cloud.canceled() == []
    assert operator(**WORKFLOW).execute(airflow)["state"] == "succeeded"
    assert len(cloud.started()) == 1


def test_airflows_timer_interrupts_the_start_and_the_started_task_is_canceled(
    cloud: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.next_running("wedata.workflow_run")
    waiting, airflow, started = operator(**WORKFLOW), context(), start_cloud_task.Starter.started
    monkeypatch.setattr(start_cloud_task, "get_current_context", lambda: airflow)

    def interrupted(starter: start_cloud_task.Starter) -> Any:
        started(starter)
        raise AirflowTaskTimeout

    monkeypatch.setattr(start_cloud_task.Starter, "started", interrupted)
    with pytest.raises(AirflowTaskTimeout):
        waiting.execute(airflow)
    timed_out_by_airflow(waiting)
    assert [each["ended"] for each in cloud.canceled()] == [True]


def test_on_kill_after_a_timeout_cancels_nothing_more(clock: Clock, cloud: Emulator) -> None:
    cloud.next_running("wedata.workflow_run")
    waiting = operator(**WORKFLOW, deferrable=False, execution_timeout=timedelta(seconds=15))
    with pytest.raises(AirflowTaskTimeout):
        waiting.execute(context())
    timed_out_by_airflow(waiting)
    assert len(cloud.canceled()) == 1


# Arguments.


@pytest.mark.parametrize("name", ["poke_interval", "timeout", "max_wait"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e12, -1, True, "60", timedelta(-1)])
def test_sensors_and_operators_refuse_the_same_durations_by_name(name: str, value: Any) -> None:
    said = []
    for build in (sensor, lambda **rules: operator(**WORKFLOW, **rules)):
        with pytest.raises(ValueError, match=f"^{name} is .*; expected") as refused:
            build(**{name: value})
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("value", [timedelta(-1), timedelta.max])
def test_execution_timeout_is_checked_by_the_same_rule(value: timedelta) -> None:
    get = {"task_id": "get", "api": "bdrc.task", "cloud_task_id": "1"}
    for build in (
        sensor,
        lambda **rules: operator(**WORKFLOW, **rules),
        lambda **rules: GetCloudTaskOperator(**get, **rules),
    ):
        with pytest.raises(ValueError, match=r"^execution_timeout is .*; expected"):
            build(execution_timeout=value)


@pytest.mark.parametrize("name", ["poke_interval", "timeout", "max_wait"])
def test_default_args_are_checked_by_the_same_rule(name: str) -> None:
    with DAG(dag_id="d", schedule=None, default_args={name: float("inf")}):
        for build in (lambda: BdrcTaskSensor(task_id="wait", cloud_task_id="1"), plain_operator):
            with pytest.raises(ValueError, match=f"^{name} is inf; expected"):
                build()


def plain_operator() -> StartCloudTaskOperator:
    return WeDataRunWorkflowOperator(task_id="start", **WORKFLOW)


def test_a_sensor_without_timeout_takes_airflows_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SENSORS__DEFAULT_TIMEOUT", "90")
    assert BdrcTaskSensor(task_id="wait", cloud_task_id="1").timeout == 90
    monkeypatch.setenv("AIRFLOW__SENSORS__DEFAULT_TIMEOUT", "inf")
    with pytest.raises(ValueError, match=r"^timeout is inf; expected"):
        BdrcTaskSensor(task_id="wait", cloud_task_id="1")
