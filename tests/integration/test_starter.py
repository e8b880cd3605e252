"""Starts that go wrong, against the emulator: what is found, what is sent again, and what is said to be unknown."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks import client
from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import (
    CloudApiError,
    InvalidArguments,
    InvalidConnection,
    PermissionDenied,
    StartUnknown,
    Throttled,
    UnreadableAnswer,
)
from airflow_cloudtasks.normalise import StatusOverrides
from airflow_cloudtasks.starting import finder as finder_module
from airflow_cloudtasks.starting import starter as starter_module
from airflow_cloudtasks.starting.attempt import Attempt
from airflow_cloudtasks.starting.starter import Starter
from airflow_cloudtasks.task_arguments import hook_of

PROJECT, BOT, DAY, INSTANCE = "2417334454903762944", "1749000000000000000", "2026-01-02", "20250714_2026-01-02 00:00:00"
# By the emulator's clock, which the tests put forward.
RUNNING_SECONDS = 1_000


@dataclass(frozen=True)
class Case:
    """A start of the catalog.

    Args:
        api: The API that reads what it starts.
        action: The vendor's action.
        parameters: Its parameters.
        how: How a request that was not answered can be told: by its ``token``, in a ``list``, or not (empty).
    """

    api: str
    action: str
    parameters: Mapping[str, Any]
    how: str = ""

    @property
    def start_api(self) -> str:
        """The emulator's name of the request."""
        return f"{self.api}_start"

    def __str__(self) -> str:
        return f"{self.action}{'-saved' if 'ScriptId' in self.parameters else ''}"


WORKFLOW = Case("wedata.workflow_run", "CreateTriggerWorkflowRun", {"ProjectId": PROJECT, "WorkflowId": "w"}, "list")
MEDIA = Case("ice.workflow_task", "StartWorkflow", {"WorkflowId": "w", "TaskInput": {"Media": "m"}}, "list")
OPERATION = Case("bpstudio.operation", "ExecuteOperationASync", {"ServiceType": "ecs", "Operation": "o"}, "token")
RESOURCES = Case("bdrc.task", "UpdateResources", {"ResourceType": "ACS::ECS::Instance"}, "list")
SAVED = Case("wedata.sql_run", "RunSQLScript", {"ProjectId": PROJECT, "ScriptId": "s"}, "list")
CREATED = Case("bpstudio.task", "CreateTask", {"AppId": "a", "ProcessId": "p", "TaskName": "n"})
RERUN = Case("wedata.task_instance", "RerunTaskInstancesAsync", {"ProjectId": PROJECT, "InstanceKeyList": [INSTANCE]})
EXPORT = Case("lke.task", "ExportAttributeLabel", {"BotBizId": BOT})
CASES = [
    WORKFLOW,
    MEDIA,
    OPERATION,
    RESOURCES,
    SAVED,
    CREATED,
    RERUN,
    EXPORT,
    Case("ice.ai_workflow_task", "StartAIWorkflow", {"WorkflowId": "w"}),
    Case("bdrc.task", "CheckRules", {"ResourceArn": "acs:ecs:*:*:i"}),
    Case(
        "wedata.sql_run",
        "RunSQLScript",
        {"ProjectId": PROJECT, "ScriptContent": "SELECT 1", "ScriptConfig": {"DatasourceId": "1"}},
    ),
    Case(
        "wedata.backfill",
        "CreateDataBackfillPlan",
        {"ProjectId": PROJECT, "TaskIds": ["1"], "DataBackfillRangeList": [{"StartDate": DAY, "EndDate": DAY}]},
    ),
    Case("lke.task", "ModifyAttributeLabel", {"BotBizId": BOT, "AttributeBizId": "1", "AttrName": "n"}),
]
TOLD = [case for case in CASES if case.how]
UNTOLD = [case for case in CASES if not case.how]
LISTED = [case for case in CASES if case.how == "list"]
# An answer that fails, or none, though the emulator has carried the request out; and though it has not.
CARRIED_OUT = ("lost_answer", "bad_json")
NOT_CARRIED_OUT = ("reset", "http_500")

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_told = pytest.mark.parametrize("case", TOLD, ids=str)
each_untold = pytest.mark.parametrize("case", UNTOLD, ids=str)
each_listed = pytest.mark.parametrize("case", LISTED, ids=str)


class Noting:
    """A memory of this process that notes what it was to keep."""

    def __init__(self) -> None:
        self.value: dict[str, Any] | None = None
        self.stages: list[str] = []

    def get(self) -> dict[str, Any] | None:
        return self.value

    def keep(self, value: dict[str, Any]) -> None:
        # As a database keeps it.
        self.value = json.loads(json.dumps(value))
        self.stages.append(value["stage"])

    def forget(self) -> None:
        self.value = None
        self.stages.append("forgotten")


class Cloud:
    """An emulator, and an Airflow task that starts something there."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.memory = Noting()
        self.slept: list[float] = []

    def start(self, case: Case, run: int = 1, memory: Noting | None = None, **more: Any) -> Attempt:
        """Try once, as one try of Airflow does; another ``run`` is one after the user has cleared the task."""
        return self.starter(case, run, memory, **more).started()

    def starter(self, case: Case, run: int = 1, memory: Noting | None = None, **more: Any) -> Starter:
        api = APIS[case.api]
        return Starter(
            more.pop("hook", None) or hook_of(api, None, None),
            api,
            api.start(case.action),
            case.parameters | more.pop("parameters", {}),
            self.memory if memory is None else memory,
            run=run,
            sleep=self.slept.append,
            **more,
        )

    def ids(self, case: Case) -> list[str]:
        """Give the ids of all that was started; of what is created, and then executed, once."""
        found = [each for each in self.emulator.started(case.api) if each["action"] == case.action]
        return [each["id"] for each in found]

    def requests(self, case: Case) -> int:
        """Count the requests to start it."""
        return len(self.emulator.requests(case.start_api))

    def crash(self, case: Case, *, carried_out: bool) -> None:
        """Let a try die before the request for the start is answered, and whether or not it is carried out."""

        class Died(BaseException):
            pass

        class Dying(Noting):
            def keep(self, value: dict[str, Any]) -> None:
                if value["stage"] != "asking":
                    raise Died
                super().keep(value)
                if not carried_out:
                    raise Died

        memory = Dying()
        with pytest.raises(Died):
            self.start(case, memory=memory)
        self.memory.value = memory.value


@pytest.fixture
def cloud(cloudtasks_emulator: Emulator) -> Cloud:
    cloudtasks_emulator.add_finished("wedata.task_instance", INSTANCE, fields={"ProjectId": PROJECT})
    for api in (
        *("wedata.workflow_run", "wedata.sql_run", "wedata.backfill", "wedata.task_instance"),
        *("ice.workflow_task", "ice.ai_workflow_task"),
        *("bpstudio.task", "bpstudio.operation", "bdrc.task", "lke.task"),
    ):
        cloudtasks_emulator.next_running(api, RUNNING_SECONDS, for_all=True)
    return Cloud(cloudtasks_emulator)


@pytest.fixture
def refused_url() -> Iterator[str]:
    """An address where nobody listens, which nobody else takes meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def outcomes(cloud: Cloud, case: Case) -> list[str]:
    """Give how the requests for a start ended."""
    return [request["outcome"] for request in cloud.emulator.requests(case.start_api)]


@each_case
def test_what_is_started_is_remembered_before_and_after(cloud: Cloud, case: Case) -> None:
    class Watching(Noting):
        def keep(self, value: dict[str, Any]) -> None:
            super().keep(value)
            sent.append((value["stage"], cloud.requests(case), len(cloud.emulator.requests("bpstudio.task_execute"))))

    sent: list[tuple[str, int, int]] = []
    attempt = cloud.start(case, memory=Watching())
    if case is CREATED:
        assert sent == [("asking", 0, 0), ("made", 1, 0), ("setting_going", 1, 0), ("begun", 1, 1)]
    else:
        assert sent == [("asking", 0, 0), ("begun", 1, 0)]
    assert list(attempt.ids) == ([INSTANCE] if case is RERUN else cloud.ids(case))
    assert (attempt.job is not None) is (case is RERUN)


@each_case
def test_the_next_try_goes_on_with_what_was_started(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    assert cloud.start(case) == first
    assert cloud.requests(case) == 1


@pytest.mark.parametrize("fault", CARRIED_OUT)
@each_told
def test_what_was_started_unanswered_is_found(cloud: Cloud, case: Case, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]
    assert cloud.requests(case) == (2 if case.how == "token" else 1)
    assert cloud.start(case) == attempt


@each_told
def test_a_token_outlives_several_lost_answers_and_a_list_needs_one_look(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("lost_answer", count=2, api=case.start_api)
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]


@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
@each_told
def test_what_was_not_even_carried_out_is_started_once(cloud: Cloud, case: Case, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]
    assert cloud.requests(case) == 2
    # A list may show a new task a moment late.
    assert cloud.slept == ([0, 3.0, 3.0] if case.how == "list" else [])


@each_told
def test_a_cloud_that_does_not_answer_is_left_for_the_next_try(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("reset", api=case.start_api)
    with pytest.raises(CloudApiError) as told:
        cloud.start(case)
    assert told.value.retryable
    assert cloud.requests(case) == 3
    cloud.emulator.clear_faults()
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]
    assert cloud.memory.stages == ["asking"] * 4 + ["begun"]


@pytest.mark.parametrize("fault", [*CARRIED_OUT, *NOT_CARRIED_OUT])
@each_untold
def test_what_nobody_can_tell_is_said_once_and_again_until_the_user_clears(
    cloud: Cloud, case: Case, fault: str
) -> None:
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    for _ in range(2):
        with pytest.raises(StartUnknown, match="has started a task, and asking again might start a second one") as told:
            cloud.start(case)
        assert "clear the Airflow task to start another one" in str(told.value)
        assert "Look the task up in the console (https://" in str(told.value)
        assert cloud.requests(case) == 1
    attempt = cloud.start(case, run=2)
    assert attempt.run == 2
    assert cloud.requests(case) == 2
    assert cloud.start(case, run=2) == attempt


@pytest.mark.parametrize("carried_out", [True, False])
@each_case
def test_a_try_that_dies_before_the_answer(cloud: Cloud, case: Case, carried_out: bool) -> None:
    cloud.crash(case, carried_out=carried_out)
    if case.how:
        attempt = cloud.start(case)
        assert cloud.ids(case) == [*attempt.ids]
        return
    for _ in range(2):
        with pytest.raises(StartUnknown, match="did not live to see the answer"):
            cloud.start(case)
    assert cloud.requests(case) == int(carried_out)
    cloud.start(case, run=2)
    assert cloud.requests(case) == int(carried_out) + 1


@each_told
def test_a_clear_goes_on_with_what_can_be_told(cloud: Cloud, case: Case) -> None:
    cloud.crash(case, carried_out=True)
    attempt = cloud.start(case, run=2)
    assert attempt.run == 2
    assert cloud.ids(case) == [*attempt.ids]


@each_case
def test_throttling_does_nothing_and_is_waited_out(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("throttle", count=1, api=case.start_api)
    cloud.start(case)
    assert outcomes(cloud, case) == ["throttle", "ok"]


@each_case
def test_what_is_refused_is_forgotten(cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=1, api=case.start_api)
    with pytest.raises(Throttled):
        cloud.start(case)
    assert cloud.memory.value is None
    cloud.start(case)
    assert cloud.requests(case) == 2


@each_case
def test_where_nobody_listens_nothing_was_started(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch, refused_url: str
) -> None:
    with monkeypatch.context() as patched:
        allow(cloud, patched, host=refused_url, max_tries=2, max_retry_seconds=30)
        with pytest.raises(CloudApiError, match="connection failed") as told:
            cloud.start(case)
        assert told.value.retryable
    assert cloud.memory.value is None
    cloud.start(case)
    assert cloud.requests(case) == 1


@each_case
def test_a_connection_that_cannot_be_used_has_started_nothing(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        allow(cloud, patched, max_tries="soon")
        with pytest.raises(InvalidConnection):
            cloud.start(case)
    cloud.start(case)
    assert cloud.requests(case) == 1


@each_case
def test_a_connection_that_cannot_be_looked_up_has_started_nothing(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hook_of(APIS[case.api], None, None)

    def fails(conn_id: str) -> Any:
        raise ConnectionError("the database")

    with monkeypatch.context() as patched:
        patched.setattr(hook, "get_connection", fails)
        with pytest.raises(CloudApiError, match="could not be looked up"):
            cloud.start(case, hook=hook)
    cloud.start(case)
    assert cloud.requests(case) == 1


@each_case
def test_credentials_that_nobody_gives_have_started_nothing(cloud: Cloud, case: Case) -> None:
    class Failing:
        def get(self) -> Any:
            raise UnreadableAnswer("no token")

    hook = hook_of(APIS[case.api], None, None)
    connected = hook.get_conn()
    connected.account = replace(connected.account, credentials=Failing(), retries=client.Retries(tries=1))
    with pytest.raises(UnreadableAnswer):
        cloud.start(case, hook=hook)
    assert cloud.memory.value is None


@each_listed
def test_an_older_task_with_the_same_parameters_is_not_taken(cloud: Cloud, case: Case) -> None:
    older = cloud.start(case, memory=Noting())
    cloud.emulator.advance(120)
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    with later(120):
        attempt = cloud.start(case)
    assert cloud.ids(case) == [*older.ids, *attempt.ids]


@pytest.mark.parametrize("case", [WORKFLOW, RESOURCES, SAVED], ids=str)
def test_equal_tasks_of_the_same_minute_cannot_be_told_apart(cloud: Cloud, case: Case) -> None:
    cloud.start(case, memory=Noting())
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    for _ in range(2):
        with pytest.raises(StartUnknown) as told:
            cloud.start(case)
        ids = cloud.ids(case)
        assert len(ids) == 2
        assert all(each in str(told.value) for each in ids)
    # The user has looked them up, and wants another one.
    attempt = cloud.start(case, run=2)
    assert cloud.ids(case) == [*ids, *attempt.ids]


@pytest.mark.parametrize("case", [WORKFLOW, RESOURCES, SAVED], ids=str)
def test_one_that_was_there_before_is_not_taken_for_ours(cloud: Cloud, case: Case) -> None:
    cloud.start(case, memory=Noting())
    cloud.emulator.fault("reset", count=1, api=case.start_api)
    with later(30), pytest.raises(StartUnknown, match="was there before"):
        cloud.start(case)
    assert len(cloud.ids(case)) == 1


def test_ice_keeps_a_mark_by_which_equal_tasks_are_told_apart(cloud: Cloud) -> None:
    other = cloud.start(MEDIA, memory=Noting())
    cloud.emulator.fault("lost_answer", count=1, api=MEDIA.start_api)
    attempt = cloud.start(MEDIA)
    assert cloud.ids(MEDIA) == [*other.ids, *attempt.ids]


@pytest.mark.parametrize(
    ("case", "one", "another"),
    [
        (WORKFLOW, {"AdvancedParams": {"day": "1"}}, {"AdvancedParams": {"day": "2"}}),
        (MEDIA, {"UserData": "one"}, {"UserData": "another"}),
        (MEDIA, {"UserData": {"job": 1}}, {"UserData": {"job": 2}}),
        (RESOURCES, {"ResourceType": "ACS::ECS::Instance"}, {"ResourceType": "ACS::OSS::Bucket"}),
        (SAVED, {"ScriptContent": "SELECT 1"}, {"ScriptContent": "SELECT 2"}),
    ],
    ids=str,
)
def test_different_parameters_are_told_apart(
    cloud: Cloud, case: Case, one: dict[str, Any], another: dict[str, Any]
) -> None:
    other = cloud.start(case, memory=Noting(), parameters=one)
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    attempt = cloud.start(case, parameters=another)
    assert cloud.ids(case) == [*other.ids, *attempt.ids]


@each_told
def test_what_is_asked_for_otherwise_now_cannot_be_looked_up(cloud: Cloud, case: Case) -> None:
    cloud.crash(case, carried_out=True)
    changed = {name: f"{value}-changed" if isinstance(value, str) else value for name, value in case.parameters.items()}
    with pytest.raises(StartUnknown):
        cloud.start(case, parameters=changed)
    assert cloud.requests(case) == 1


def test_a_token_is_not_trusted_for_longer_than_the_vendor_knows_an_operation(cloud: Cloud) -> None:
    cloud.crash(OPERATION, carried_out=True)
    with later(3601), pytest.raises(StartUnknown):
        cloud.start(OPERATION)
    assert cloud.requests(OPERATION) == 1


@each_listed
def test_a_list_that_cannot_be_read_starts_nothing_until_the_user_clears(cloud: Cloud, case: Case) -> None:
    cloud.crash(case, carried_out=True)
    cloud.memory.value = (cloud.memory.value or {}) | {"sent_at": time.time()}
    listing = APIS[case.api].start(case.action).find
    assert listing is not None

    class Forbidding:
        """A hook whose key may not list."""

        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def call(self, service: Any, action: Any, *args: Any, **more: Any) -> Any:
            if action.name == listing.tasks.action.name:
                raise PermissionDenied("no")
            return self._real.call(service, action, *args, **more)

    hook = Forbidding(hook_of(APIS[case.api], None, None))
    with pytest.raises(PermissionDenied):
        cloud.start(case, hook=hook)
    assert cloud.requests(case) == 1
    cloud.start(case, run=2, hook=hook)
    assert cloud.requests(case) == 2


def test_a_list_without_end_tells_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "_MOST_PAGES", 1)
    for index in range(501):
        cloud.emulator.add_finished("bdrc.task", f"t{index}")
    cloud.crash(RESOURCES, carried_out=False)
    with pytest.raises(StartUnknown, match="lists too much"):
        cloud.start(RESOURCES)
    assert not cloud.requests(RESOURCES)


def test_the_runs_of_a_workflow_are_read_as_far_as_they_are_new(cloud: Cloud) -> None:
    cloud.emulator.advance(-10_000)
    old = {"ProjectId": PROJECT, "WorkflowId": "w"}
    for index in range(250):
        cloud.emulator.add_finished("wedata.workflow_run", f"t{index}", fields=old)
    cloud.emulator.advance(10_000)
    for index in range(250):
        cloud.emulator.add_finished("wedata.workflow_run", f"o{index}", fields=old | {"WorkflowId": "other"})
    cloud.crash(WORKFLOW, carried_out=True)
    attempt = cloud.start(WORKFLOW)
    assert cloud.ids(WORKFLOW) == [*attempt.ids]
    assert len(cloud.emulator.requests("wedata.workflow_run_list")) == 1


@pytest.mark.parametrize("run", [1, 2])
@each_case
def test_a_remembered_task_that_goes_on(cloud: Cloud, case: Case, run: int) -> None:
    first = cloud.start(case)
    assert cloud.start(case, run=run) == replace(first, run=run)
    assert cloud.requests(case) == 1


@each_case
def test_a_remembered_task_that_has_succeeded_is_started_anew_for_who_clears(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    cloud.emulator.advance(RUNNING_SECONDS + 10)
    assert cloud.start(case) == first
    assert cloud.requests(case) == 1
    assert cloud.start(case, run=2) != first
    assert cloud.requests(case) == 2


@each_case
@pytest.mark.parametrize("run", [1, 2])
def test_a_remembered_task_that_has_failed_is_started_anew(cloud: Cloud, case: Case, run: int) -> None:
    if case is CREATED:
        cloud.emulator.next_script(case.api, "FINISH", fields={"ErrorMessage": "no"})
    else:
        cloud.emulator.next_running(case.api, 0, "failed")
    first = cloud.start(case)
    cloud.emulator.advance(10)
    assert cloud.start(case, run=run) != first
    assert cloud.requests(case) == 2


def remove_on_cancel(case: Case) -> bool:
    """Whether the cloud forgets a task of this case when it cancels it."""
    cancel = APIS[case.api].cancel
    return cancel is not None and cancel.removes


@pytest.mark.parametrize("case", [case for case in CASES if remove_on_cancel(case)], ids=str)
def test_a_remembered_task_that_the_cloud_removed_was_canceled_and_is_started_anew(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    assert cloud.memory.value is not None
    cloud.memory.value |= {"ids": ["1"], "job": first.job and "1"}
    # It may be too new to be seen.
    assert cloud.start(case).ids == ("1",)
    with later(61):
        assert cloud.start(case).ids != ("1",)
    assert cloud.requests(case) == 2


@pytest.mark.parametrize("case", [case for case in CASES if not remove_on_cancel(case)], ids=str)
def test_a_remembered_task_that_the_cloud_does_not_know(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    assert cloud.memory.value is not None
    cloud.memory.value |= {"ids": ["1"], "job": first.job and "1"}
    # It may be too new to be seen.
    assert cloud.start(case).ids == ("1",)
    with later(61):
        for _ in range(2):
            with pytest.raises(StartUnknown, match=r"the cloud knows it no more.*Clear the Airflow task"):
                cloud.start(case)
        assert cloud.requests(case) == 1
        assert cloud.start(case, run=2).ids != ("1",)
    assert cloud.requests(case) == 2


@each_case
def test_an_outage_does_not_decide_for_who_clears(cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    first = cloud.start(case)
    cloud.emulator.advance(RUNNING_SECONDS + 10)
    read = "wedata.async_job" if case is RERUN else case.api
    cloud.emulator.fault("http_500", count=2, api=read)
    assert cloud.start(case) == first, "the wait asks again"
    with pytest.raises(CloudApiError):
        cloud.start(case, run=2)
    assert cloud.start(case, run=2) != first


def test_the_statuses_of_the_wait_decide_how_a_remembered_task_has_ended(cloud: Cloud) -> None:
    warns = ("FINISH",)
    cloud.emulator.next_script(CREATED.api, *warns, fields={"ErrorMessage": "a warning"})
    overrides = StatusOverrides.of(["FINISH"], [])
    first = cloud.start(CREATED, overrides=overrides)
    assert cloud.start(CREATED, overrides=overrides) == first
    assert cloud.requests(CREATED) == 1


def test_a_rerun_goes_on_while_its_job_does_and_starts_anew_when_it_has_failed(cloud: Cloud) -> None:
    # Until the job has begun with it, the instance is as it was.
    cloud.emulator.next_running("wedata.async_job", RUNNING_SECONDS, "failed")
    cloud.emulator.next_running("wedata.task_instance", 0)
    first = cloud.start(RERUN)
    for run in (1, 2):
        assert cloud.start(RERUN, run=run) == replace(first, run=run)
    cloud.emulator.advance(RUNNING_SECONDS + 1)
    assert cloud.start(RERUN, run=2).job != first.job
    assert cloud.requests(RERUN) == 2


@pytest.mark.parametrize("fault", ["lost_answer", "reset", "http_500", "bad_json"])
def test_a_created_task_that_may_have_been_executed_is_named(cloud: Cloud, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api="bpstudio.task_execute")
    for _ in range(2):
        with pytest.raises(StartUnknown, match="ExecuteTask") as told:
            cloud.start(CREATED)
        (created,) = cloud.ids(CREATED)
        assert f"{created} is there" in str(told.value)
    assert len(cloud.emulator.requests("bpstudio.task_execute")) == 1
    assert cloud.start(CREATED, run=2).ids != (created,)


def test_a_created_task_that_is_not_executed_is_executed_by_the_next_try(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=2, api="bpstudio.task_execute")
    for _ in range(2):
        with pytest.raises(Throttled):
            cloud.start(CREATED)
    attempt = cloud.start(CREATED)
    assert cloud.ids(CREATED) == [*attempt.ids]


def test_who_clears_is_not_held_to_a_created_task_that_cannot_be_executed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=1, api="bpstudio.task_execute")
    with pytest.raises(Throttled):
        cloud.start(CREATED)
    (created,) = cloud.ids(CREATED)
    attempt = cloud.start(CREATED, run=2)
    assert cloud.ids(CREATED) == [created, *attempt.ids]


def test_what_is_no_list_of_ids_is_refused_while_nothing_is_done(cloud: Cloud) -> None:
    with pytest.raises(InvalidArguments):
        cloud.start(RERUN, parameters={"InstanceKeyList": [None]})
    assert not cloud.requests(RERUN)


def allow(cloud: Cloud, patched: pytest.MonkeyPatch, host: str | None = None, **extra: Any) -> None:
    """Change the Airflow connections to the emulator."""
    for variable, value in cloud.emulator.connections().items():
        said = json.loads(value)
        patched.setenv(variable, json.dumps(said | {"host": host or said["host"], "extra": said["extra"] | extra}))


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Let the starter's clock be ahead, as it will be then; signatures go by the real one all the same."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(starter_module, "time", SimpleNamespace(time=lambda: time.time() + seconds))
        yield
