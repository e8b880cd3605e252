"""Starts that go wrong, against the emulator: which are found, which are sent again, and which fail as unknown."""

from __future__ import annotations

import json
import socket
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.emulator import Emulator
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    InvalidArguments,
    InvalidConnection,
    NotFound,
    PermissionDenied,
    StartUnknown,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from airflow_cloudtasks.hooks.any_cloud import hook_for
from airflow_cloudtasks.protocol.status_overrides import StatusOverrides
from airflow_cloudtasks.starting import earlier as earlier_module
from airflow_cloudtasks.starting import finder as finder_module
from airflow_cloudtasks.starting import starter as starter_module
from airflow_cloudtasks.starting.asked import Asked
from airflow_cloudtasks.starting.attempt import Attempt
from airflow_cloudtasks.starting.doorway import Doorway
from airflow_cloudtasks.starting.earlier import Earlier
from airflow_cloudtasks.starting.stages import stages
from airflow_cloudtasks.starting.starter import Starter

PROJECT, BOT, DAY, INSTANCE = "2417334454903762944", "1749000000000000000", "2026-01-02", "20250714_2026-01-02 00:00:00"
# By the emulator's clock, which the tests put forward.
RUNNING_SECONDS = 1_000


@dataclass(frozen=True, eq=False)
class Case:
    """A start of the catalog.

    Args:
        api: The API that reads what it starts.
        action: The vendor's action.
        parameters: Its parameters.
        how: How an unanswered request can be found: by its ``token``, in a ``list``, or not (empty).
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
BACKFILL = Case(
    "wedata.backfill",
    "CreateDataBackfillPlan",
    {"ProjectId": PROJECT, "TaskIds": ["1"], "DataBackfillRangeList": [{"StartDate": DAY, "EndDate": DAY}]},
)
AI = Case("ice.ai_workflow_task", "StartAIWorkflow", {"WorkflowId": "w"})
CHECK = Case("bdrc.task", "CheckRules", {"ResourceArn": "acs:ecs:*:*:i"})
SQL = Case(
    "wedata.sql_run",
    "RunSQLScript",
    {"ProjectId": PROJECT, "ScriptContent": "SELECT 1", "ScriptConfig": {"DatasourceId": "1"}},
)
MODIFY = Case("lke.task", "ModifyAttributeLabel", {"BotBizId": BOT, "AttributeBizId": "1", "AttrName": "n"})
CASES = [WORKFLOW, MEDIA, OPERATION, RESOURCES, SAVED, CREATED, RERUN, EXPORT, AI, CHECK, SQL, BACKFILL, MODIFY]
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
        self.progresses: list[str] = []

    def get(self) -> dict[str, Any] | None:
        return self.value

    def keep(self, value: dict[str, Any]) -> None:
        # As a database keeps it.
        self.value = json.loads(json.dumps(value))
        self.progresses.append(value["progress"])

    def forget(self) -> None:
        self.value = None
        self.progresses.append("forgotten")


class Shared(dict[str, Any]):
    """The values that all Airflow tasks share which ask for the same."""

    def put(self, name: str, value: Any) -> None:
        self[name] = value

    def delete(self, name: str) -> None:
        self.pop(name, None)


class Cloud:
    """An emulator, and an Airflow task that starts something there."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.memory = Noting()
        self.slept: list[float] = []
        self.shared: defaultdict[str, Shared] = defaultdict(Shared)

    def start_as(self, task: str, case: Case, **more: Any) -> Attempt:
        """Try once as another Airflow task, which has a memory of its own."""

        def doorway(asked: Asked) -> Doorway:
            return Doorway(self.shared[asked.digest], task)

        return self.start(case, memory=Noting(), doorway=doorway, **more)

    def start(self, case: Case, run: int = 1, memory: Noting | None = None, **more: Any) -> Attempt:
        """Try once, as one try of Airflow does; another ``run`` is one after the user has cleared the task."""
        return self.starter(case, run, memory, **more).started()

    def starter(self, case: Case, run: int = 1, memory: Noting | None = None, **more: Any) -> Starter:
        api = APIS[case.api]
        return Starter(
            more.pop("hook", None) or hook_for(api, None, None),
            api,
            api.start(case.action),
            case.parameters | more.pop("parameters", {}),
            self.memory if memory is None else memory,
            run=run,
            sleep=self.slept.append,
            **more,
        )

    def ids(self, case: Case) -> list[str]:
        """Return the ids of all started tasks. A task that is created and then executed counts once."""
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
                if value["progress"] != "asking":
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
    """An address where nothing listens, held so that nothing else binds it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def outcomes(cloud: Cloud, case: Case) -> list[str]:
    """Return how the requests for a start ended."""
    return [request["outcome"] for request in cloud.emulator.requests(case.start_api)]


@each_case
def test_remembers_a_start_before_and_after_the_request(cloud: Cloud, case: Case) -> None:
    class Watching(Noting):
        def keep(self, value: dict[str, Any]) -> None:
            super().keep(value)
            sent.append(
                (value["progress"], cloud.requests(case), len(cloud.emulator.requests("bpstudio.task_execute")))
            )

    sent: list[tuple[str, int, int]] = []
    attempt = cloud.start(case, memory=Watching())
    if case is CREATED:
        assert sent == [("asking", 0, 0), ("made", 1, 0), ("setting_going", 1, 0), ("begun", 1, 1)]
    else:
        assert sent == [("asking", 0, 0), ("begun", 1, 0)]
    assert list(attempt.ids) == ([INSTANCE] if case is RERUN else cloud.ids(case))
    assert (attempt.job is not None) is (case is RERUN)


@each_case
def test_next_try_resumes_the_started_task(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    assert cloud.start(case) == first
    assert cloud.requests(case) == 1


@pytest.mark.parametrize("fault", CARRIED_OUT)
@each_told
def test_finds_a_task_whose_start_was_not_answered(cloud: Cloud, case: Case, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]
    assert cloud.requests(case) == (2 if case.how == "token" else 1)
    assert cloud.start(case) == attempt


@each_told
def test_token_survives_several_lost_answers_and_a_list_needs_one_look(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("lost_answer", count=2, api=case.start_api)
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]


@pytest.mark.parametrize("fault", NOT_CARRIED_OUT)
@each_told
def test_starts_once_if_the_lost_request_was_not_carried_out(cloud: Cloud, case: Case, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]
    assert cloud.requests(case) == 2
    # A list may show a new task a moment late.
    assert cloud.slept == ([0, 3.0, 3.0] if case.how == "list" else [])


@each_told
def test_leaves_an_unreachable_cloud_to_the_next_try(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("reset", api=case.start_api)
    with pytest.raises(CloudApiError) as caught:
        cloud.start(case)
    assert caught.value.retryable
    assert cloud.requests(case) == 3
    cloud.emulator.clear_faults()
    attempt = cloud.start(case)
    assert cloud.ids(case) == [*attempt.ids]
    assert cloud.memory.progresses == ["asking"] * 4 + ["begun"]


@pytest.mark.parametrize("fault", [*CARRIED_OUT, *NOT_CARRIED_OUT])
@each_untold
def test_fails_every_try_as_unknown_until_the_user_clears(cloud: Cloud, case: Case, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    for _ in range(2):
        with pytest.raises(
            StartUnknown, match="has started a task, and asking again might start a second one"
        ) as caught:
            cloud.start(case)
        assert "clear the Airflow task to start another one" in str(caught.value)
        assert "Look the task up in the console (https://" in str(caught.value)
        assert cloud.requests(case) == 1
    attempt = cloud.start(case, run=2)
    assert attempt.run == 2
    # A task instance that runs is not restarted.
    assert cloud.requests(case) == (1 if case is RERUN and fault in CARRIED_OUT else 2)
    assert cloud.start(case, run=2) == attempt


@pytest.mark.parametrize("carried_out", [True, False])
@each_case
def test_next_try_after_a_crash_before_the_answer_resumes_or_fails_as_unknown(
    cloud: Cloud, case: Case, carried_out: bool
) -> None:
    cloud.crash(case, carried_out=carried_out)
    if case.how:
        attempt = cloud.start(case)
        assert cloud.ids(case) == [*attempt.ids]
        return
    for _ in range(2):
        with pytest.raises(StartUnknown, match="ended before the answer arrived"):
            cloud.start(case)
    assert cloud.requests(case) == int(carried_out)
    cloud.start(case, run=2)
    # A task instance that runs is not restarted.
    assert cloud.requests(case) == (1 if case is RERUN else int(carried_out) + 1)


@each_told
def test_clear_resumes_a_task_that_can_be_found(cloud: Cloud, case: Case) -> None:
    cloud.crash(case, carried_out=True)
    attempt = cloud.start(case, run=2)
    assert attempt.run == 2
    assert cloud.ids(case) == [*attempt.ids]


@each_case
def test_retries_a_throttled_start(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("throttle", count=1, api=case.start_api)
    cloud.start(case)
    assert outcomes(cloud, case) == ["throttle", "ok"]


@each_case
def test_forgets_a_refused_start(cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=1, api=case.start_api)
    with pytest.raises(Throttled):
        cloud.start(case)
    assert cloud.memory.value is None
    cloud.start(case)
    assert cloud.requests(case) == 2


@each_told
def test_a_refusal_after_a_lost_answer_is_not_forgotten(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost request may still start the task, so the next try has to look for it."""
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault(["reset", "throttle"], count=2, api=case.start_api)
    with pytest.raises(Throttled):
        cloud.start(case)
    assert cloud.memory.value is not None
    assert cloud.memory.value["progress"] == "asking"
    assert cloud.start(case).progress == "begun"
    assert len(cloud.ids(case)) == 1


def test_a_created_task_of_an_action_that_needs_no_second_one_has_begun(cloud: Cloud) -> None:
    cloud.start(WORKFLOW)
    assert cloud.memory.value is not None
    cloud.memory.value["progress"] = "made"
    assert cloud.start(WORKFLOW).progress == "begun"
    assert cloud.requests(WORKFLOW) == 1


class Unforgetting(Noting):
    """A memory in which nothing can be deleted for a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def forget(self) -> None:
        self.times -= 1
        if self.times >= 0:
            raise TransientError("ServerError", unsent=True)
        super().forget()


@each_case
@pytest.mark.parametrize(("times", "stays"), [(2, False), (9, True)])
def test_a_refusal_is_not_hidden_by_a_memory_that_does_not_forget(
    cloud: Cloud, case: Case, times: int, stays: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=1, api=case.start_api)
    memory = Unforgetting(times)
    with pytest.raises(Throttled):
        cloud.start(case, memory=memory)
    assert ("stays stored" in caplog.text) is stays
    assert (memory.value is not None) is stays
    # What stays starts no second task, and adopts none.
    if stays and not case.how:
        with pytest.raises(StartUnknown):
            cloud.start(case, memory=memory)
        assert cloud.ids(case) == []
    else:
        assert cloud.start(case, memory=memory).progress == "begun"
        assert cloud.requests(case) == 2


@each_case
def test_refused_tcp_connection_means_nothing_was_started(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch, refused_url: str
) -> None:
    with monkeypatch.context() as patched:
        allow(cloud, patched, host=refused_url, max_tries=2, max_retry_seconds=30)
        with pytest.raises(CloudApiError, match="connection failed") as caught:
            cloud.start(case)
        assert caught.value.retryable
    assert cloud.memory.value is None
    cloud.start(case)
    assert cloud.requests(case) == 1


@each_case
def test_unusable_connection_means_nothing_was_started(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        allow(cloud, patched, max_tries="soon")
        with pytest.raises(InvalidConnection):
            cloud.start(case)
    cloud.start(case)
    assert cloud.requests(case) == 1


@each_case
def test_failed_connection_look_up_means_nothing_was_started(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = hook_for(APIS[case.api], None, None)

    def fails(conn_id: str) -> Any:
        raise ConnectionError("the database")

    with monkeypatch.context() as patched:
        patched.setattr(hook, "get_connection", fails)
        with pytest.raises(CloudApiError, match="could not be looked up"):
            cloud.start(case, hook=hook)
    cloud.start(case)
    assert cloud.requests(case) == 1


@each_case
def test_missing_credentials_mean_nothing_was_started(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing:
        lasting_key_id = ""

        def get(self) -> Any:
            raise UnreadableAnswer("no token")

    for variable, written in cloud.emulator.connections().items():
        connection = json.loads(written)
        connection["extra"]["max_tries"] = 1
        monkeypatch.setenv(variable, json.dumps(connection))
    hook = hook_for(APIS[case.api], None, None)
    connected = hook.get_conn()
    connected.account = replace(connected.account, credentials=Failing())
    with pytest.raises(UnreadableAnswer):
        cloud.start(case, hook=hook)
    assert cloud.memory.value is None


@each_listed
def test_does_not_resume_an_older_task_with_the_same_parameters(cloud: Cloud, case: Case) -> None:
    older = cloud.start(case, memory=Noting())
    cloud.emulator.advance(120)
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    with later(120):
        attempt = cloud.start(case)
    assert cloud.ids(case) == [*older.ids, *attempt.ids]


@pytest.mark.parametrize("case", [WORKFLOW, RESOURCES, SAVED], ids=str)
def test_fails_as_unknown_if_equal_tasks_started_in_the_same_minute(cloud: Cloud, case: Case) -> None:
    cloud.start(case, memory=Noting())
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    for _ in range(2):
        with pytest.raises(StartUnknown) as caught:
            cloud.start(case)
        ids = cloud.ids(case)
        assert len(ids) == 2
        assert all(each in str(caught.value) for each in ids)
    # The user has looked them up, and wants another one.
    attempt = cloud.start(case, run=2)
    assert cloud.ids(case) == [*ids, *attempt.ids]


@pytest.mark.parametrize("case", [WORKFLOW, RESOURCES, SAVED], ids=str)
def test_does_not_resume_a_task_listed_before_the_start(cloud: Cloud, case: Case) -> None:
    cloud.start(case, memory=Noting())
    cloud.emulator.fault("reset", count=1, api=case.start_api)
    with later(30), pytest.raises(StartUnknown, match="was there before"):
        cloud.start(case)
    assert len(cloud.ids(case)) == 1


def test_ice_mark_distinguishes_equal_tasks(cloud: Cloud) -> None:
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
def test_different_parameters_distinguish_tasks(
    cloud: Cloud, case: Case, one: dict[str, Any], another: dict[str, Any]
) -> None:
    other = cloud.start(case, memory=Noting(), parameters=one)
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    attempt = cloud.start(case, parameters=another)
    assert cloud.ids(case) == [*other.ids, *attempt.ids]


@each_told
def test_fails_as_unknown_if_the_parameters_changed_since_the_start(cloud: Cloud, case: Case) -> None:
    cloud.crash(case, carried_out=True)
    changed = {name: f"{value}-changed" if isinstance(value, str) else value for name, value in case.parameters.items()}
    with pytest.raises(StartUnknown):
        cloud.start(case, parameters=changed)
    assert cloud.requests(case) == 1


def test_does_not_reuse_a_token_after_the_vendor_forgets_the_operation(cloud: Cloud) -> None:
    cloud.crash(OPERATION, carried_out=True)
    with later(3601), pytest.raises(StartUnknown):
        cloud.start(OPERATION)
    assert cloud.requests(OPERATION) == 1


@each_listed
def test_unreadable_list_starts_nothing_until_the_user_clears(cloud: Cloud, case: Case) -> None:
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

    hook = Forbidding(hook_for(APIS[case.api], None, None))
    with pytest.raises(PermissionDenied):
        cloud.start(case, hook=hook)
    assert cloud.requests(case) == 1
    cloud.start(case, run=2, hook=hook)
    assert cloud.requests(case) == 2


def test_fails_as_unknown_if_the_list_never_ends(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder_module, "_MOST_PAGES", 1)
    for index in range(501):
        cloud.emulator.add_finished("bdrc.task", f"t{index}")
    cloud.crash(RESOURCES, carried_out=False)
    with pytest.raises(StartUnknown, match="lists too much"):
        cloud.start(RESOURCES)
    assert not cloud.requests(RESOURCES)


def test_reads_only_the_new_runs_of_a_workflow(cloud: Cloud) -> None:
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
def test_resumes_a_remembered_task_that_still_runs(cloud: Cloud, case: Case, run: int) -> None:
    first = cloud.start(case)
    assert cloud.start(case, run=run) == replace(first, run=run)
    assert cloud.requests(case) == 1


@each_case
def test_clear_starts_another_task_after_the_remembered_one_succeeded(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    cloud.emulator.advance(RUNNING_SECONDS + 10)
    assert cloud.start(case) == first
    assert cloud.requests(case) == 1
    assert cloud.start(case, run=2) != first
    assert cloud.requests(case) == 2


@each_case
@pytest.mark.parametrize("run", [1, 2])
def test_starts_another_task_after_the_remembered_one_failed(cloud: Cloud, case: Case, run: int) -> None:
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
def test_starts_another_task_after_the_cloud_removed_the_remembered_one(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    assert cloud.memory.value is not None
    cloud.memory.value |= {"ids": ["1"], "job": first.job and "1"}
    # It may be too new to be seen.
    assert cloud.start(case).ids == ("1",)
    with later(61):
        assert cloud.start(case).ids != ("1",)
    assert cloud.requests(case) == 2


@pytest.mark.parametrize("case", [case for case in CASES if not remove_on_cancel(case)], ids=str)
def test_fails_as_unknown_if_the_cloud_no_longer_knows_the_remembered_task(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    assert cloud.memory.value is not None
    cloud.memory.value |= {"ids": ["1"], "job": first.job and "1"}
    # It may be too new to be seen.
    assert cloud.start(case).ids == ("1",)
    with later(61):
        for _ in range(2):
            with pytest.raises(StartUnknown, match=r"the cloud no longer knows it.*Clear the Airflow task"):
                cloud.start(case)
        assert cloud.requests(case) == 1
        assert cloud.start(case, run=2).ids != ("1",)
    # A task instance that runs is not restarted.
    assert cloud.requests(case) == (1 if case is RERUN else 2)


@each_case
def test_clear_during_an_outage_starts_nothing(cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    first = cloud.start(case)
    cloud.emulator.advance(RUNNING_SECONDS + 10)
    read = "wedata.async_job" if case is RERUN else case.api
    cloud.emulator.fault("http_500", count=2, api=read)
    assert cloud.start(case) == first, "the wait asks again"
    with pytest.raises(CloudApiError):
        cloud.start(case, run=2)
    assert cloud.start(case, run=2) != first


def test_status_overrides_decide_how_a_remembered_task_ended(cloud: Cloud) -> None:
    warns = ("FINISH",)
    cloud.emulator.next_script(CREATED.api, *warns, fields={"ErrorMessage": "a warning"})
    overrides = StatusOverrides.of(["FINISH"], [])
    first = cloud.start(CREATED, overrides=overrides)
    assert cloud.start(CREATED, overrides=overrides) == first
    assert cloud.requests(CREATED) == 1


def test_rerun_resumes_a_running_job_and_starts_another_after_a_failed_one(cloud: Cloud) -> None:
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
def test_error_names_a_created_task_that_may_have_been_executed(cloud: Cloud, fault: str) -> None:
    cloud.emulator.fault(fault, count=1, api="bpstudio.task_execute")
    for _ in range(2):
        with pytest.raises(StartUnknown, match="ExecuteTask") as caught:
            cloud.start(CREATED)
        (created,) = cloud.ids(CREATED)
        assert f"{created} is there" in str(caught.value)
    assert len(cloud.emulator.requests("bpstudio.task_execute")) == 1
    assert cloud.start(CREATED, run=2).ids != (created,)


def test_next_try_executes_a_created_task_that_was_not_executed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=2, api="bpstudio.task_execute")
    for _ in range(2):
        with pytest.raises(Throttled):
            cloud.start(CREATED)
    attempt = cloud.start(CREATED)
    assert cloud.ids(CREATED) == [*attempt.ids]


def test_clear_creates_another_task_if_the_created_one_cannot_be_executed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    cloud.emulator.fault("throttle", count=1, api="bpstudio.task_execute")
    with pytest.raises(Throttled):
        cloud.start(CREATED)
    (created,) = cloud.ids(CREATED)
    attempt = cloud.start(CREATED, run=2)
    assert cloud.ids(CREATED) == [created, *attempt.ids]


def test_refuses_ids_that_are_no_list_before_any_request(cloud: Cloud) -> None:
    with pytest.raises(InvalidArguments):
        cloud.start(RERUN, parameters={"InstanceKeyList": [None]})
    assert not cloud.requests(RERUN)


@each_case
def test_a_kill_finds_the_start_of_the_current_run_only(cloud: Cloud, case: Case) -> None:
    starter = cloud.starter(case)
    assert starter.unanswered() is None
    attempt = starter.started()
    assert starter.unanswered() == attempt
    assert cloud.starter(case).unanswered() == attempt
    assert cloud.starter(case, run=2).unanswered() is None


@each_case
def test_clear_starts_another_task_if_the_cloud_rejects_the_read_of_the_remembered_one(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rejected(earlier: Earlier) -> Any:
        raise BadRequest("the parameters of the remembered task are wrong")

    first = cloud.start(case)
    monkeypatch.setattr(Earlier, "_read", rejected)
    assert cloud.start(case, run=2) != first
    # A task instance that runs is not restarted.
    assert cloud.requests(case) == (1 if case is RERUN else 2)


# Other parameters for each case.
CHANGES: dict[Case, dict[str, Any]] = {
    WORKFLOW: {"AdvancedParams": {"day": "2"}},
    MEDIA: {"TaskInput": {"Media": "another"}},
    OPERATION: {"Operation": "another"},
    RESOURCES: {"ResourceType": "ACS::OSS::Bucket"},
    SAVED: {"ScriptContent": "SELECT 2"},
    CREATED: {"TaskName": "another"},
    RERUN: {"CheckParentType": "another"},
    EXPORT: {"LoginUin": "7"},
    AI: {"Inputs": {"a": "2"}},
    CHECK: {"RuleId": "another"},
    SQL: {"ScriptContent": "SELECT 2"},
    BACKFILL: {"DataBackfillPlanName": "another"},
    MODIFY: {"AttrName": "another"},
}


@each_case
def test_another_dag_run_with_the_same_run_id_starts_a_task_of_its_own(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case, identity="row 1")
    cloud.emulator.advance(RUNNING_SECONDS + 10)
    second = cloud.start(case, identity="row 2")
    assert second.token != first.token
    assert cloud.requests(case) == 2
    assert cloud.start(case, identity="row 2") == second


@each_case
def test_clear_with_other_parameters_cancels_the_running_task_and_starts_another(
    cloud: Cloud, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    first = cloud.start(case)
    second = cloud.start(case, run=2, parameters=CHANGES[case])
    assert second.token != first.token
    assert cloud.requests(case) == 2
    canceled = [each["id"] for each in cloud.emulator.canceled(case.api)]
    if APIS[case.api].cancel is None:
        assert canceled == []
        assert f"{case.api} {first.ids[0]} may still run. It is not canceled: " in caplog.text
    else:
        assert canceled == [*first.ids]
        assert f"{case.api} {first.ids[0]} was started with other parameters. Canceling it" in caplog.text


@each_case
def test_retry_with_other_parameters_waits_for_the_running_task(
    cloud: Cloud, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    first = cloud.start(case)
    assert cloud.start(case, parameters=CHANGES[case]) == first
    assert cloud.requests(case) == 1
    assert cloud.emulator.canceled() == []
    assert "with other parameters" in caplog.text
    assert "Clear the Airflow task to start one with the current parameters." in caplog.text


@pytest.mark.parametrize("case", [WORKFLOW, BACKFILL], ids=str)
def test_wait_and_kill_use_the_parameters_of_the_earlier_start(cloud: Cloud, case: Case) -> None:
    first = cloud.start(case)
    other = {"ProjectId": "1", "WorkflowId": "another"} if case is WORKFLOW else {"ProjectId": "1"}
    api, asked = APIS[case.api], {**case.parameters, **other}
    (stage,) = stages(api, api.start(case.action), asked, cloud.start(case, parameters=other))
    assert stage.api_params == {"ProjectId": PROJECT}
    # A clear reads and cancels it with these, too.
    cloud.start(case, run=2, parameters=other)
    assert [each["id"] for each in cloud.emulator.canceled(case.api)] == [*first.ids]


def test_clear_raises_if_the_task_with_other_parameters_cannot_be_canceled_now(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(cloud, monkeypatch, max_tries=1)
    first = cloud.start(WORKFLOW)
    cloud.emulator.fault("http_500", count=1, api="wedata.workflow_run_cancel")
    with pytest.raises(CloudApiError):
        cloud.start(WORKFLOW, run=2, parameters=CHANGES[WORKFLOW])
    assert cloud.requests(WORKFLOW) == 1
    cloud.start(WORKFLOW, run=2, parameters=CHANGES[WORKFLOW])
    assert [each["id"] for each in cloud.emulator.canceled("wedata.workflow_run")] == [*first.ids]


def test_clear_cancels_a_task_of_another_api_and_a_retry_fails_as_unknown(cloud: Cloud) -> None:
    first = cloud.start(WORKFLOW)
    with pytest.raises(StartUnknown, match="with another API, account or region"):
        cloud.start(SAVED)
    assert not cloud.requests(SAVED)
    cloud.start(SAVED, run=2)
    assert [each["id"] for each in cloud.emulator.canceled()] == [*first.ids]


def test_the_region_of_the_argument_and_of_the_connection_are_the_same(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = APIS[WORKFLOW.api]
    allow(cloud, monkeypatch, region="ap-guangzhou")
    first = cloud.start(WORKFLOW)
    assert cloud.start(WORKFLOW, run=2, hook=hook_for(api, None, "ap-guangzhou")).ids == first.ids
    assert cloud.start(WORKFLOW, run=3, hook=hook_for(api, None, "ap-beijing")).ids != first.ids


def test_a_renamed_connection_of_the_same_account_is_the_same(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cloud.start(WORKFLOW)
    renamed = cloud.emulator.connections()["AIRFLOW_CONN_TENCENT_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_RENAMED", renamed)
    assert cloud.start(WORKFLOW, run=2, hook=hook_for(APIS[WORKFLOW.api], "renamed", None)).ids == first.ids
    assert cloud.requests(WORKFLOW) == 1


@each_case
def test_clear_waits_until_the_vendor_shows_a_new_task(
    cloud: Cloud, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looks = Earlier._read, []

    def hidden_at_first(earlier: Earlier) -> Any:
        looks.append(1)
        if len(looks) < 4:
            raise NotFound("no such task")
        return read(earlier)

    first = cloud.start(case)
    monkeypatch.setattr(Earlier, "_read", hidden_at_first)
    assert cloud.start(case, run=2).ids == first.ids
    assert cloud.requests(case) == 1


class Failing(Noting):
    """A memory that cannot keep an attempt of some progress for a number of times."""

    def __init__(self, progress: str, times: int) -> None:
        super().__init__()
        self.progress, self.times = progress, times

    def keep(self, value: dict[str, Any]) -> None:
        if value["progress"] == self.progress and self.times:
            self.times -= 1
            raise TransientError("Airflow does not answer", unsent=True)
        super().keep(value)


@each_case
def test_sends_nothing_unless_airflow_has_stored_the_attempt(cloud: Cloud, case: Case) -> None:
    memory = Failing("asking", 1)
    with pytest.raises(TransientError, match="Airflow does not answer"):
        cloud.start(case, memory=memory)
    assert cloud.requests(case) == 0
    cloud.start(case, memory=memory)
    assert cloud.requests(case) == 1


def test_does_not_execute_a_created_task_unless_airflow_has_stored_the_attempt(cloud: Cloud) -> None:
    memory = Failing("setting_going", 1)
    with pytest.raises(TransientError):
        cloud.start(CREATED, memory=memory)
    assert not cloud.emulator.requests("bpstudio.task_execute")
    assert cloud.ids(CREATED) == [*cloud.start(CREATED, memory=memory).ids]


@pytest.mark.parametrize("times", [1, 2, 3])
@each_case
def test_continues_with_a_started_task_that_airflow_cannot_store(cloud: Cloud, case: Case, times: int) -> None:
    memory = Failing("begun", times)
    attempt = cloud.start(case, memory=memory)
    assert (attempt.progress, cloud.requests(case)) == ("begun", 1)
    assert memory.value is not None
    assert memory.value["progress"] == ("begun" if times < 3 else "setting_going" if case is CREATED else "asking")


LIKE = [WORKFLOW, RESOURCES, SAVED]
each_like = pytest.mark.parametrize("case", LIKE, ids=str)


@each_like
def test_a_task_found_by_its_parameters_alone_is_not_surely_ours(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    attempt = cloud.start_as("one", case)
    assert [*attempt.ids] == cloud.ids(case)
    assert not attempt.is_ours


def test_a_task_found_by_its_mark_is_ours(cloud: Cloud) -> None:
    cloud.emulator.fault("lost_answer", count=1, api=MEDIA.start_api)
    assert cloud.start_as("one", MEDIA).is_ours
    cloud.emulator.fault("lost_answer", count=1, api=MEDIA.start_api)
    text = {"UserData": "holds no mark", "TaskInput": {"Media": "m2"}}
    assert not cloud.start_as("two", MEDIA, parameters=text).is_ours


def test_clear_with_other_parameters_does_not_cancel_a_task_found_by_its_parameters(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.emulator.fault("lost_answer", count=1, api=WORKFLOW.start_api)
    first = cloud.start(WORKFLOW)
    second = cloud.start(WORKFLOW, run=2, parameters=CHANGES[WORKFLOW])
    assert cloud.ids(WORKFLOW) == [*first.ids, *second.ids]
    assert cloud.emulator.canceled() == []
    assert "It is not canceled: it was only found by its parameters and may be another's." in caplog.text


@pytest.mark.parametrize("fault", [*CARRIED_OUT, *NOT_CARRIED_OUT])
@each_like
def test_does_not_adopt_the_task_of_another_airflow_task(cloud: Cloud, case: Case, fault: str) -> None:
    one = cloud.start_as("one", case)
    cloud.emulator.fault(fault, count=1, api=case.start_api)
    with pytest.raises(StartUnknown) as caught:
        cloud.start_as("another", case)
    assert one.ids[0] in str(caught.value)
    assert len(cloud.ids(case)) == (2 if fault in CARRIED_OUT else 1)


@each_like
def test_does_not_adopt_the_task_of_an_airflow_task_that_came_later(cloud: Cloud, case: Case) -> None:
    """The request of the first one is lost; before it looks, another one starts its task."""
    others: list[Attempt] = []

    def another_starts(seconds: float) -> None:
        if not others:
            others.append(cloud.start_as("another", case))

    cloud.emulator.fault("reset", count=1, api=case.start_api)
    doorway = lambda asked: Doorway(cloud.shared[asked.digest], "one")  # noqa: E731
    api = APIS[case.api]
    with pytest.raises(StartUnknown, match="another Airflow task asked for the same"):
        Starter(
            hook_for(api, None, None),
            api,
            api.start(case.action),
            case.parameters,
            Noting(),
            run=1,
            doorway=doorway,
            sleep=another_starts,
        ).started()
    assert cloud.ids(case) == [*others[0].ids]


@pytest.mark.parametrize("fault", ["reset", "lost_answer", "http_500"])
@each_told
def test_sixteen_equal_tasks_at_once_share_no_cloud_task(cloud: Cloud, case: Case, fault: str) -> None:
    cloud.emulator.fault(fault, count=5, api=case.start_api)

    def start(number: int) -> Attempt | StartUnknown | TransientError:
        try:
            return cloud.start_as(f"task {number}", case)
        except (StartUnknown, TransientError) as error:  # the latter of a start that meets three of the faults
            return error

    with ThreadPoolExecutor(16) as executor:
        results = list(executor.map(start, range(16)))
    claimed = [each.ids[0] for each in results if isinstance(each, Attempt)]
    assert len(claimed) == len(set(claimed)) >= 11
    assert set(claimed) <= set(cloud.ids(case))
    assert len(cloud.ids(case)) <= 16
    if case in (OPERATION, MEDIA):
        assert len(claimed) >= 15


def test_retry_waits_for_instances_that_a_partly_failed_rerun_set_going(cloud: Cloud) -> None:
    cloud.emulator.next_script("wedata.async_job", "PART_SUCCESS")
    first = cloud.start(RERUN)
    for run in (1, 2):
        assert cloud.start(RERUN, run=run).ids == first.ids
    assert cloud.requests(RERUN) == 1
    cloud.emulator.advance(RUNNING_SECONDS + 10)
    assert cloud.start(RERUN, run=2).job != first.job
    assert cloud.requests(RERUN) == 2


def test_clear_restarts_an_instance_only_after_its_cancellation_ended_it(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cloud.start(RERUN)
    runs = [True, True, False]
    monkeypatch.setattr(Starter, "_runs", lambda starter, task_id: runs.pop(0))
    assert cloud.start(RERUN, run=2, parameters=CHANGES[RERUN]).job != first.job
    assert (runs, cloud.requests(RERUN)) == ([], 2)


def test_clear_leaves_an_instance_that_does_not_end_to_the_next_try(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.start(RERUN)
    monkeypatch.setattr(starter_module, "_CANCEL_SECONDS", 0)
    monkeypatch.setattr(Starter, "_runs", lambda starter, task_id: True)
    with pytest.raises(TransientError, match="was canceled but still runs"):
        cloud.start(RERUN, run=2, parameters=CHANGES[RERUN])
    assert cloud.requests(RERUN) == 1


def allow(cloud: Cloud, patched: pytest.MonkeyPatch, host: str | None = None, **extra: Any) -> None:
    """Change the Airflow connections to the emulator."""
    for variable, value in cloud.emulator.connections().items():
        said = json.loads(value)
        patched.setenv(variable, json.dumps(said | {"host": host or said["host"], "extra": said["extra"] | extra}))


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Let the starter's clock be ahead, as it will be then; signatures go by the real one all the same."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (starter_module, earlier_module):
            patched.setattr(module, "time", SimpleNamespace(time=lambda: time.time() + seconds))
        yield


def interrupted(case: Case) -> tuple[Starter, Noting]:
    """Return a starter whose process was interrupted after it had stored an attempt, and its memory."""
    api, memory = APIS[case.api], Noting()
    attempt = Attempt(run=1, progress="asking", token="t" * 32, sent_at=time.time())
    memory.keep(attempt.as_dict())
    hook = hook_for(api, None, None)
    return Starter(hook, api, api.start(case.action), case.parameters, memory, run=1, sleep=lambda _: None), memory


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("case", [EXPORT, WORKFLOW], ids=["cannot be looked up", "is not listed"])
def test_an_interrupted_start_that_left_nothing_is_unknown(case: Case) -> None:
    assert interrupted(case)[0].unanswered() is None


@pytest.mark.usefixtures("cloud")
def test_an_interrupted_start_that_has_begun_is_known() -> None:
    starter, memory = interrupted(WORKFLOW)
    memory.keep(Attempt(run=1, progress="begun", token="t", sent_at=1.0, ids=("e",)).as_dict())
    assert getattr(starter.unanswered(), "ids", None) == ("e",)


def test_an_interrupted_start_does_not_take_the_task_of_another_start(cloud: Cloud) -> None:
    starter, _ = interrupted(MEDIA)
    cloud.start(MEDIA)
    assert starter.unanswered() is None


@pytest.mark.usefixtures("cloud")
def test_a_look_up_of_an_interrupted_start_that_fails_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise TransientError("no list")

    monkeypatch.setattr(finder_module.Finder, "find", fails)
    with pytest.raises(TransientError, match="no list"):
        interrupted(WORKFLOW)[0].unanswered()


@each_case
def test_says_that_a_new_task_was_not_found_but_started(cloud: Cloud, case: Case) -> None:
    starter = cloud.starter(case)
    assert (starter.is_found, starter.region) == (False, None)
    starter.started()
    assert not starter.is_found
    assert starter.region


@each_case
def test_says_that_a_retry_found_the_task_of_the_earlier_try(cloud: Cloud, case: Case) -> None:
    cloud.start(case)
    retry = cloud.starter(case)
    retry.started()
    assert retry.is_found


@each_listed
def test_says_that_a_look_up_found_the_task_of_a_lost_answer(cloud: Cloud, case: Case) -> None:
    cloud.emulator.fault("lost_answer", count=1, api=case.start_api)
    starter = cloud.starter(case)
    starter.started()
    assert starter.is_found
