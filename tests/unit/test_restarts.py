"""A task object that runs again shows the end of its last run for a while. That end is none of the new run."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import CloudTask, TaskState
from airflow_cloudtasks.operators.cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.protocol.normalise import fingerprint, normalise
from airflow_cloudtasks.protocol.start_requests import earliest_end
from airflow_cloudtasks.protocol.status_overrides import NO_OVERRIDES, StatusOverrides
from airflow_cloudtasks.spec import Action, Service, Start, TaskApi
from airflow_cloudtasks.starting.attempt import Attempt
from airflow_cloudtasks.starting.earlier import Earlier
from airflow_cloudtasks.starting.stages import stages
from airflow_cloudtasks.triggers.cloud_task import CloudTaskTrigger
from airflow_cloudtasks.waiting.verdicts import WaitRules

from .simulated_cloud import SimulatedCloud
from .simulated_time import run_simulated

PENDING, RUNNING, SUCCEEDED, FAILED, CANCELED, EXPIRED, SKIPPED, UNKNOWN = TaskState

JOB = TaskApi(
    name="sync.job",
    service=Service(cloud="tencent", name="sync", version="2026-01-31"),
    read=Action(name="DescribeJob", params=("JobId",)),
    id_param="JobId",
    states={"WAIT": PENDING, "RUN": RUNNING, "DONE": SUCCEEDED, "BROKEN": FAILED, "STOPPED": CANCELED},
    started_at="Start",
    finished_at="End",
    restarts=True,
    starts=(Start(action=Action(name="StartJob", params=("JobId",)), id="JobId"),),
)
NOW = 1_800_000_000.0


def read(task: dict[str, Any], api: TaskApi = JOB, **overrides: Any) -> CloudTask:
    return normalise(api, task, parameters={"JobId": "j"}, overrides=StatusOverrides(**overrides))


def shown(status: str, start: float | None, end: float | None) -> dict[str, Any]:
    return {"Status": status, "Start": start, "End": end}


@pytest.mark.parametrize("status", ["DONE", "BROKEN", "STOPPED"])
@pytest.mark.parametrize(
    ("start", "end", "overrides"),
    [
        (NOW, NOW - 1, {}),
        (NOW, NOW - 86_400, {}),
        # The object does not show the new start yet.
        (NOW - 900, NOW - 600, {"ended_since": NOW}),
        (None, NOW - 600, {"ended_since": NOW}),
    ],
)
def test_an_end_of_an_earlier_run_is_none(
    status: str, start: float | None, end: float, overrides: dict[str, Any]
) -> None:
    task = read(shown(status, start, end), **overrides)
    assert (task.state, task.status, task.finished_at) == (RUNNING, status, None)


@pytest.mark.parametrize(("status", "state"), [("DONE", SUCCEEDED), ("BROKEN", FAILED), ("STOPPED", CANCELED)])
@pytest.mark.parametrize(
    ("start", "end", "overrides"),
    [
        (NOW, NOW + 1, {}),
        (NOW, NOW, {}),
        (None, NOW, {}),
        # Without an end, only the status counts.
        (NOW, None, {}),
        (NOW, 0, {"ended_since": NOW}),
        (NOW, NOW + 1, {"ended_since": NOW}),
        (None, NOW, {"ended_since": NOW}),
    ],
)
def test_any_other_end_counts(
    status: str, state: TaskState, start: float | None, end: float | None, overrides: dict[str, Any]
) -> None:
    task = read(shown(status, start, end), **overrides)
    assert task.state is state
    assert task.finished_at == (datetime.fromtimestamp(end, UTC) if end else None)


@pytest.mark.parametrize(("status", "state"), [("WAIT", PENDING), ("RUN", RUNNING), ("?", UNKNOWN)])
def test_a_task_that_has_not_ended_shows_no_end(status: str, state: TaskState) -> None:
    task = read(shown(status, NOW, NOW - 1))
    assert (task.state, task.finished_at) == (state, None)


def test_a_status_that_the_user_calls_a_success_does_not_end_an_earlier_run_again() -> None:
    assert read(shown("HALTED", NOW, NOW - 1), success=["HALTED"]).state is RUNNING
    assert read(shown("HALTED", NOW, NOW + 1), success=["HALTED"]).state is SUCCEEDED


def test_tasks_that_run_once_end_as_they_say() -> None:
    once = dataclasses.replace(JOB, restarts=False)
    task = read(shown("DONE", NOW, NOW - 1), once, ended_since=NOW)
    assert (task.state, task.finished_at) == (SUCCEEDED, datetime.fromtimestamp(NOW - 1, UTC))


times = st.none() | st.integers(1, 2_000_000_000) | st.sampled_from(["", "x", "2026-01-31 00:00:00", "1800000000"])


@given(st.sampled_from([*JOB.states, "?"]), times, times, st.none() | st.integers(1, 2_000_000_000))
def test_no_end_is_older_than_its_start_or_its_request(status: str, start: Any, end: Any, since: int | None) -> None:
    once = read({"Status": status, "Start": start, "End": end}, dataclasses.replace(JOB, restarts=False))
    task = read({"Status": status, "Start": start, "End": end}, ended_since=since)
    assert task.started_at == once.started_at
    if task.done:
        assert (task.state, task.finished_at) == (once.state, once.finished_at)
        assert once.finished_at is None or once.started_at is None or once.started_at <= once.finished_at
        assert once.finished_at is None or since is None or since <= once.finished_at.timestamp()
    else:
        assert task.state is (RUNNING if once.done else once.state)
        assert task.finished_at is None


def test_a_change_of_either_time_changes_the_fingerprint() -> None:
    objects = [shown("DONE", NOW, NOW - 1), shown("DONE", NOW, NOW + 1), shown("DONE", NOW - 2, NOW - 1)]
    assert len({fingerprint(JOB, task) for task in objects}) == 3
    once = dataclasses.replace(JOB, restarts=False)
    assert len({fingerprint(once, task) for task in objects}) == 1


def test_a_spec_that_restarts_survives_json() -> None:
    assert TaskApi.from_dict(json.loads(json.dumps(JOB.as_dict()))) == JOB


def begun(api: TaskApi, **changes: Any) -> Attempt:
    return Attempt(**{"run": 1, "progress": "begun", "token": "t", "sent_at": NOW, "ids": ("j",), **changes})


def test_a_start_knows_the_earliest_end_of_its_run() -> None:
    (stage,) = stages(JOB, JOB.start(), {"JobId": "j"}, begun(JOB))
    # Two seconds for clocks that differ, and for times in whole seconds.
    assert stage.ended_since == earliest_end(NOW) == NOW - 2
    once = dataclasses.replace(JOB, restarts=False)
    assert [each.ended_since for each in stages(once, once.start(), {"JobId": "j"}, begun(once))] == [None]


RERUN = dataclasses.replace(APIS["wedata.task_instance"], restarts=True)


def test_the_job_of_a_start_has_no_earliest_end() -> None:
    known = {"ProjectId": "1", "InstanceKeyList": ["j"]}
    job, tasks = stages(RERUN, RERUN.start(), known, begun(RERUN, job="7"))
    assert (job.ended_since, tasks.ended_since) == (None, NOW - 2)


class Hook:
    """Reads a task object as it is, however it is asked for."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.task = task

    def read_task(self, api: TaskApi, task_id: str, api_params: Any, overrides: StatusOverrides) -> CloudTask:
        return normalise(api, self.task, parameters={"JobId": task_id}, overrides=overrides)

    def get_conn(self) -> Any:
        return type("Client", (), {"account": type("Account", (), {"requests_per_second": {}})})


@pytest.mark.parametrize(
    ("task", "says"),
    [
        (shown("DONE", NOW - 900, NOW - 600), "running"),
        (shown("DONE", NOW + 1, NOW - 600), "running"),
        (shown("DONE", NOW + 1, NOW + 60), "succeeded"),
        (shown("BROKEN", NOW + 1, NOW + 60), "failed"),
    ],
)
def test_a_retry_waits_for_the_run_that_the_earlier_try_started(task: dict[str, Any], says: str) -> None:
    hook: Any = Hook(task)
    assert Earlier(begun(JOB), hook, JOB, JOB.start(), {"JobId": "j"}, NO_OVERRIDES).says() == (says, None)


@pytest.mark.parametrize(
    ("task", "is_over"),
    [(shown("DONE", NOW - 900, NOW - 600), False), (shown("DONE", NOW + 1, NOW + 60), True)],
)
def test_the_operator_waits_for_the_run_that_it_started(task: dict[str, Any], is_over: bool) -> None:
    operator = StartCloudTaskOperator(task_id="start", api=JOB, parameters={"JobId": "j"})
    hook: Any = Hook(task)
    operator._hook = hook
    (stage,) = operator._stages(begun(JOB))
    assert operator._worker_wait(stage, WaitRules()).read() is is_over
    assert operator._trigger(stage, NOW, {}).serialize()[1]["ended_since"] == NOW - 2


RUNS = dataclasses.replace(APIS["wedata.workflow_run"], restarts=True, list_tasks=None)


@pytest.mark.parametrize(("ended_since", "seconds"), [(NOW, 100), (None, 0)])
def test_the_trigger_waits_for_the_end_of_the_run_that_was_started(
    monkeypatch: pytest.MonkeyPatch, ended_since: float | None, seconds: float
) -> None:
    cloud = SimulatedCloud(monkeypatch)
    done = next(status for status, state in RUNS.states.items() if state is SUCCEEDED)

    def run(task: str, _: str) -> dict[str, Any]:
        # The vendor shows the last run for 100 seconds after the start.
        began = NOW + 5 if cloud.sent[-1].at >= 100 else NOW - 900
        times = {"ExecutionStartTime": f"{began * 1000:.0f}", "ExecutionEndTime": f"{(began + 60) * 1000:.0f}"}
        found = {"ExecutionId": task, "ExecutionState": done, **times}
        return {"Data": {"TriggerWorkflowRun": found}, "RequestId": "r"}

    monkeypatch.setattr(cloud, "run", run)
    trigger = CloudTaskTrigger(
        api=RUNS,
        cloud_task_id="j",
        api_params={"ProjectId": "1"},
        poke_interval=10.0,
        ended_since=ended_since,
        deadline=None,
    )
    path, stored = trigger.serialize()
    assert path.endswith("CloudTaskTrigger")
    rebuilt = CloudTaskTrigger(**json.loads(json.dumps(stored, default=lambda value: value.as_dict())))

    async def body() -> Any:
        return (await anext(rebuilt.run())).payload

    event = run_simulated(body())
    assert event["task"]["state"] == "succeeded"
    assert seconds <= cloud.sent[-1].at < seconds + 20
