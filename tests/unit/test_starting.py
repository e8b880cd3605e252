"""Start requests and their answers, and which listed task a request has started."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CredentialsError,
    InvalidArguments,
    MalformedAnswer,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from airflow_cloudtasks.protocol.cancel_requests import cancel_requests, refusals
from airflow_cloudtasks.protocol.encode import encode
from airflow_cloudtasks.protocol.normalise import decoded
from airflow_cloudtasks.protocol.start_requests import (
    StartAnswer,
    can_find,
    created_at,
    earliest_creation,
    expected_fields,
    identifying_params,
    is_candidate,
    may_predate_request,
    read_start_answer,
    with_mark,
    with_queue,
)
from airflow_cloudtasks.spec import Action, Cancel, Start, TaskApi
from airflow_cloudtasks.spec.names import Arguments

TOKEN = "0123456789abcdef0123456789abcdef"
ICE, RUN, SQL, BDRC = (APIS[n] for n in ("ice.workflow_task", "wedata.workflow_run", "wedata.sql_run", "bdrc.task"))
RERUN, LKE, OPERATION = (APIS[n] for n in ("wedata.task_instance", "lke.task", "bpstudio.operation"))


QUEUE = "ice-callback-airflow"


@pytest.mark.parametrize("nothing", [{}, {"UserData": None}, {"UserData": ""}, {"UserData": {}}])
def test_names_the_queue_beside_the_mark(nothing: dict[str, Any]) -> None:
    marked = with_mark(ICE.start(), nothing, TOKEN)
    assert with_queue(ICE.start(), marked, QUEUE) == {"UserData": {"airflow_start": TOKEN, "NotifyAddress": QUEUE}}


@pytest.mark.parametrize("given", [{"a": 1}, '{"a": 1}'])
def test_names_the_queue_in_what_the_user_gave(given: Any) -> None:
    assert with_queue(ICE.start(), {"UserData": given}, QUEUE)["UserData"] == {"a": 1, "NotifyAddress": QUEUE}


@pytest.mark.parametrize(
    "given", ["nightly", "[1]", {"NotifyAddress": "https://callback.invalid"}, '{"NotifyAddress": "ice-callback-mine"}']
)
def test_names_no_queue_where_the_user_gave_another_address_or_no_object(given: Any) -> None:
    parameters = {"UserData": given}
    assert with_queue(ICE.start(), parameters, QUEUE) is parameters


def test_names_the_queue_only_if_there_is_room_for_it() -> None:
    room = 512 - len(json.dumps({"a": "", "NotifyAddress": QUEUE}))
    fits, large = ({"UserData": {"a": "x" * (room + more)}} for more in (0, 1))
    sent = encode(ICE, ICE.start(), {"WorkflowId": "w", **with_queue(ICE.start(), fits, QUEUE)})
    assert len(sent["UserData"]) == 512
    assert with_queue(ICE.start(), large, QUEUE) is large


def test_names_no_queue_where_the_vendor_takes_none() -> None:
    parameters = {"ProjectId": "1"}
    assert with_queue(RUN.start(), parameters, QUEUE) is parameters


def test_a_task_is_found_that_also_shows_the_queue() -> None:
    asked = with_mark(ICE.start(), {"WorkflowId": "w"}, TOKEN)
    shown = with_queue(ICE.start(), asked, QUEUE)["UserData"]
    listed = {"CreateTime": "2026-01-31T12:00:00Z", "Workflow": {"WorkflowId": "w"}, "UserData": json.dumps(shown)}
    assert is_found(ICE, asked, listed)


@pytest.mark.parametrize("given", [{"a": "x" * 505}, "x" * 513, {"a": "é" * 253}])
def test_refuses_user_data_that_the_vendor_would_refuse(given: Any) -> None:
    with pytest.raises(InvalidArguments, match=r"StartWorkflow: UserData has 51\d bytes; expected at most 512"):
        encode(ICE, ICE.start(), {"WorkflowId": "w", "UserData": given})
    pending = Arguments(is_pending=lambda value: value is given)
    assert encode(ICE, ICE.start(), {"WorkflowId": "w", "UserData": given}, pending)["UserData"] is None


def test_identifies_a_new_task_by_its_start_parameters() -> None:
    given = {"ProjectId": 7, "WorkflowId": "w"}
    assert identifying_params(RUN, RUN.start(), given) == {"ProjectId": "7"}


def test_identifies_a_new_lke_task_by_its_start_action() -> None:
    start = LKE.start("ExportAttributeLabel")
    assert identifying_params(LKE, start, {"BotBizId": "1"}) == {"TaskType": "ExportAttributeLabel", "BotBizId": "1"}


def test_omits_an_identifying_parameter_that_was_not_given() -> None:
    assert identifying_params(RUN, RUN.start(), {"WorkflowId": "w", "ProjectId": None}) == {}


@pytest.mark.parametrize("received", ["e-1", " e-1\n"])
def test_reads_the_id_of_the_new_task(received: str) -> None:
    assert read_start_answer(RUN, RUN.start(), {}, {"Data": {"WorkflowExecutionId": received}}).ids == ("e-1",)


def test_reads_an_id_that_is_a_number() -> None:
    assert read_start_answer(OPERATION, OPERATION.start(), {}, {"Data": 2615}).ids == ("2615",)


def test_restarted_tasks_keep_their_ids_and_have_a_job() -> None:
    found = read_start_answer(RERUN, RERUN.start(), {"InstanceKeyList": ["a", "b"]}, {"Data": {"AsyncId": "j"}})
    assert (found.ids, found.job) == (("a", "b"), "j")


RUN_AGAIN = Start(
    action=Action(name="RunAgain", params=("ProjectId", "RunId")), ids_param="RunId", encodings={"RunId": "id"}
)


def test_an_action_that_restarts_one_task_sends_its_id_as_text_and_starts_no_list() -> None:
    assert encode(RUN, RUN_AGAIN, {"ProjectId": 1, "RunId": 7}) == {"ProjectId": "1", "RunId": "7"}
    assert read_start_answer(RUN, RUN_AGAIN, {"ProjectId": 1, "RunId": 7}, {}) == StartAnswer(("7",))
    assert (RUN_AGAIN.starts_many, RERUN.start().starts_many) == (False, True)


def test_an_action_that_restarts_one_task_refuses_a_list() -> None:
    with pytest.raises(InvalidArguments, match="RunAgain: RunId is"):
        encode(RUN, RUN_AGAIN, {"ProjectId": 1, "RunId": ["7", "8"]})


def test_the_second_action_of_a_start_takes_the_new_id_and_parameters_of_the_request() -> None:
    then = Action(name="Run", params=("ProjectId", "RunId"))
    made = Start(action=Action(name="Make", params=("ProjectId", "Name")), id="RunId", then=then)
    assert made.then_parameters("7", {"ProjectId": "1", "Name": "n"}) == {"ProjectId": "1", "RunId": "7"}


@pytest.mark.parametrize(
    "answer", [{}, {"Data": None}, {"Data": {}}, {"Data": {"WorkflowExecutionId": " "}}, "text", None]
)
def test_an_answer_without_an_id_is_malformed(answer: Any) -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read_start_answer(RUN, RUN.start(), {}, answer)
    error = caught.value
    assert (error.api, error.field) == ("wedata.workflow_run", "Data.WorkflowExecutionId")
    assert (error.action, error.may_have_acted) == ("CreateTriggerWorkflowRun", True)
    assert "wedata.workflow_run: Data.WorkflowExecutionId holds no id of a new task" in str(error)


def test_a_malformed_answer_error_holds_the_request_id() -> None:
    with pytest.raises(MalformedAnswer) as caught:
        read_start_answer(RERUN, RERUN.start(), {"InstanceKeyList": ["a"]}, {"Data": {}, "RequestId": "r"})
    assert (caught.value.field, caught.value.request_id) == ("Data.AsyncId", "r")


@pytest.mark.parametrize("nothing", [{}, {"UserData": None}, {"UserData": ""}, {"UserData": {}}])
def test_adds_a_mark_where_the_user_gave_nothing(nothing: dict[str, Any]) -> None:
    assert with_mark(ICE.start(), nothing, TOKEN) == {"UserData": {"airflow_start": TOKEN}}


@pytest.mark.parametrize("given", [{"a": 1}, '{"a": 1}'])
def test_adds_a_mark_to_the_users_object(given: Any) -> None:
    assert with_mark(ICE.start(), {"UserData": given}, TOKEN)["UserData"] == {"a": 1, "airflow_start": TOKEN}


@pytest.mark.parametrize("given", ["plain text", "[1]", "7", [1], {"a": "x" * 460}, {"a": "影" * 160}])
def test_adds_no_mark_to_a_value_that_cannot_hold_one(given: Any) -> None:
    assert with_mark(ICE.start(), {"UserData": given}, TOKEN) == {"UserData": given}


def test_adds_a_mark_up_to_the_size_limit() -> None:
    room = 512 - len(json.dumps({"a": "", "airflow_start": TOKEN}))
    marked = with_mark(ICE.start(), {"UserData": {"a": "x" * room}}, TOKEN)["UserData"]
    assert len(json.dumps(marked)) == 512
    assert "airflow_start" not in with_mark(ICE.start(), {"UserData": {"a": "x" * (room + 1)}}, TOKEN)["UserData"]


def test_adding_a_mark_does_not_change_the_users_parameters() -> None:
    given = {"UserData": {"a": 1}}
    with_mark(ICE.start(), given, TOKEN)
    assert given == {"UserData": {"a": 1}}


@pytest.mark.parametrize(
    ("given", "sent"), [({}, TOKEN), ({"ClientToken": None}, TOKEN), ({"ClientToken": "mine"}, "mine")]
)
def test_adds_a_client_token_unless_the_user_gave_one(given: dict[str, Any], sent: str) -> None:
    assert with_mark(OPERATION.start(), given, TOKEN) == {"ClientToken": sent}


def test_adds_nothing_for_an_action_without_mark_or_token() -> None:
    assert with_mark(RUN.start(), {"WorkflowId": "w"}, TOKEN) == {"WorkflowId": "w"}


@pytest.mark.parametrize(
    ("api", "action", "given", "findable"),
    [
        (ICE, "StartWorkflow", {}, True),
        (RUN, "CreateTriggerWorkflowRun", {"ProjectId": "1", "WorkflowId": "w"}, True),
        (BDRC, "UpdateResources", {}, True),
        (SQL, "RunSQLScript", {"ProjectId": "1", "ScriptId": "s"}, True),
        (SQL, "RunSQLScript", {"ProjectId": "1"}, False),
        (BDRC, "CheckRules", {"ResourceArn": "a"}, False),
        (LKE, "ExportAttributeLabel", {"BotBizId": "1"}, False),
    ],
)
def test_a_task_is_findable_where_a_list_shows_its_parameters(
    api: TaskApi, action: str, given: dict[str, Any], findable: bool
) -> None:
    assert can_find(api.start(action), given) is findable


SENT_AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
SINCE = earliest_creation(SENT_AT.timestamp())


def is_found(api: TaskApi, asked: dict[str, Any], listed: dict[str, Any], action: str | None = None) -> bool:
    start, task = api.start(action), decoded(api, listed)
    return is_candidate(start, expected_fields(api, start, asked), task, created_at(api, start, task), SINCE)


def run(**changes: Any) -> dict[str, Any]:
    """Return a listed run of a workflow with some fields replaced."""
    made = str(int(SENT_AT.timestamp() * 1000))
    return {"ExecutionId": "e", "WorkflowId": "w", "CreateTime": made, "TriggerType": "ManualTrigger", **changes}


@pytest.mark.parametrize(
    ("created", "found"),
    [
        (int(SENT_AT.timestamp()), True),
        ("2026-01-31T11:59:00Z", True),
        ("2026-01-31T11:58:59Z", False),
        # A time without a zone is in the vendor's zone.
        ("2026-01-31 20:00:00", True),
        ("2026-01-31 12:00:00", False),
    ],
)
def test_matches_a_task_created_since_the_request_with_a_tolerance_for_clocks(created: Any, found: bool) -> None:
    assert is_found(RUN, {"WorkflowId": "w"}, run(CreateTime=created)) is found


@pytest.mark.parametrize("created", [None, "", "soon"])
def test_a_task_without_a_creation_time_matches_and_counts_as_older(created: Any) -> None:
    listed = run(CreateTime=created)
    assert is_found(RUN, {"WorkflowId": "w"}, listed)
    assert may_predate_request(created_at(RUN, RUN.start(), listed), SENT_AT.timestamp())


@pytest.mark.parametrize(("seconds", "before"), [(-3, True), (-2, False), (0, False), (60, False)])
def test_a_task_clearly_older_than_the_request_predates_it(seconds: float, before: bool) -> None:
    assert may_predate_request(SENT_AT + timedelta(seconds=seconds), SENT_AT.timestamp()) is before


@pytest.mark.parametrize("listed", [run(TriggerType="Scheduler"), run(TriggerType=None), run(WorkflowId="other")])
def test_does_not_match_a_task_that_something_else_started(listed: dict[str, Any]) -> None:
    assert not is_found(RUN, {"WorkflowId": "w"}, listed)


def test_ignores_fields_that_were_not_requested() -> None:
    assert is_found(RUN, {"WorkflowId": "w"}, run(WorkflowParams='{"a": "1"}', SelectedTaskIds=["1"]))


@pytest.mark.parametrize(
    "asked",
    [
        {"a": "1"},
        {"a": 1},
        '{"a": 1}',
        [{"ParamKey": "a", "ParamValue": "1"}],
    ],
)
@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ('{"a": "1"}', True),
        ('{"a": 1, "b": "the workflow\'s own"}', True),
        ({"a": "1"}, True),
        ('[{"ParamKey": "a", "ParamValue": "1"}]', True),
        ('{"a": "2"}', False),
        ('{"b": "1"}', False),
        ("", False),
        (None, False),
    ],
)
def test_matches_a_task_that_shows_every_requested_parameter(asked: Any, shown: Any, found: bool) -> None:
    assert is_found(RUN, {"WorkflowId": "w", "AdvancedParams": asked}, run(WorkflowParams=shown)) is found


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (True, "true"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31 20:00:00"),
        ([1], "[1]"),
        ({"b": 1}, '{"b": 1}'),
    ],
)
def test_matches_values_as_they_were_sent(asked: Any, shown: str) -> None:
    listed = run(WorkflowParams=json.dumps({"a": shown}))
    assert is_found(RUN, {"WorkflowId": "w", "AdvancedParams": {"a": asked}}, listed)


@pytest.mark.parametrize(
    ("shown", "found"), [(["1", "2"], True), (["2", "1", "3"], True), (["1"], False), (None, False)]
)
def test_matches_a_run_that_shows_every_requested_task(shown: Any, found: bool) -> None:
    assert is_found(RUN, {"WorkflowId": "w", "TaskIds": [1, "2"]}, run(SelectedTaskIds=shown)) is found


def test_matches_a_single_value_within_a_list() -> None:
    def listed(*types: str) -> dict[str, Any]:
        detail = json.dumps({"resourceTypes": types})
        return {"TaskType": "UPDATE_RESOURCES", "StartTime": int(SENT_AT.timestamp()), "TaskDetail": detail}

    asked = {"ResourceType": "ACS::ECS::Instance"}
    assert is_found(BDRC, asked, listed("ACS::OSS::Bucket", "ACS::ECS::Instance"), "UpdateResources")
    assert not is_found(BDRC, asked, listed("ACS::OSS::Bucket"), "UpdateResources")
    assert is_found(BDRC, {}, listed("ACS::OSS::Bucket"), "UpdateResources")


def test_the_mark_distinguishes_two_equal_tasks() -> None:
    asked = with_mark(ICE.start(), {"WorkflowId": "w", "TaskInput": {"Media": "m"}}, TOKEN)

    def listed(mark: str) -> dict[str, Any]:
        return {
            "CreateTime": "2026-01-31T12:00:00Z",
            "Workflow": {"WorkflowId": "w"},
            "TaskInput": '{"Media":"m"}',
            "UserData": json.dumps({"airflow_start": mark}),
        }

    assert is_found(ICE, asked, listed(TOKEN))
    assert not is_found(ICE, asked, listed("another"))


def test_compares_plain_text_user_data_as_text() -> None:
    listed = {"CreateTime": "2026-01-31T12:00:00Z", "Workflow": {"WorkflowId": "w"}, "UserData": "nightly"}
    assert is_found(ICE, {"WorkflowId": "w", "UserData": "nightly"}, listed)
    assert not is_found(ICE, {"WorkflowId": "w", "UserData": "daily"}, listed)


@pytest.mark.parametrize("shown", ["SELECT 1;", "U0VMRUNUIDE7"])
def test_matches_a_script_in_plain_text_or_base64(shown: str) -> None:
    asked = {"ProjectId": "1", "ScriptId": "s", "ScriptContent": "SELECT 1;"}
    listed = {"ScriptId": "s", "ScriptContent": shown, "CreateTime": "2026-01-31 20:00:00"}
    assert is_found(SQL, asked, listed)
    assert not is_found(SQL, asked | {"ScriptContent": "SELECT 2;"}, listed)


def test_matches_nothing_where_no_list_shows_the_task() -> None:
    assert not is_found(LKE, {"BotBizId": "1"}, {"TaskId": "8"})


def test_cancels_many_tasks_by_one_request_where_the_vendor_accepts_many() -> None:
    requests = cancel_requests(RUN, ["e1", "e2"], {"ProjectId": 7, "WorkflowId": "w", "AdvancedParams": {}})
    assert requests == [{"ProjectId": "7", "WorkflowId": "w", "WorkflowExecutionIdList": ["e1", "e2"]}]


def test_cancels_tasks_one_by_one_where_the_vendor_accepts_one() -> None:
    requests = cancel_requests(SQL, ["j1", "j2"], {"ProjectId": "7"})
    assert requests == [{"ProjectId": "7", "JobId": "j1"}, {"ProjectId": "7", "JobId": "j2"}]


@pytest.mark.parametrize(
    "known", [{"ProjectId": "7"}, {"ProjectId": "7", "WorkflowId": None}, {"ProjectId": "7", "WorkflowId": ""}]
)
def test_an_error_names_the_missing_parameter_of_a_cancel(known: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments, match=r"^wedata\.workflow_run: KillTriggerWorkflowRuns needs WorkflowId\.$"):
        cancel_requests(RUN, ["e"], known)


def test_an_error_names_a_product_that_cannot_cancel() -> None:
    with pytest.raises(InvalidArguments, match=r"^ice\.workflow_task: ICE has no action that cancels a task\.$"):
        cancel_requests(ICE, ["t"], {})


@pytest.mark.parametrize(
    ("error", "open_"),
    [
        (TransientError("no answer"), True),
        (TransientError("HTTP 500", code="InternalError"), True),
        (TransientError("nobody there", unsent=True), False),
        (TransientError("nobody there", code="ServiceUnavailable"), False),
        (MalformedAnswer("no id"), True),
        (UnreadableAnswer("a page of a proxy"), True),
        (Throttled("slow down"), False),
        (BadRequest("no such workflow"), False),
        (CredentialsError("wrong key"), False),
    ],
)
def test_may_have_acted_after_an_error_that_leaves_the_start_open(error: CloudApiError, open_: bool) -> None:
    assert error.may_have_acted is open_


def cancel_of(api: TaskApi) -> Cancel:
    assert api.cancel is not None
    return api.cancel


@pytest.mark.parametrize(
    ("items", "reasons"),
    [
        ([{"OpStatus": True}, {"OpStatus": False, "ErrorMessage": "has ended"}], ["has ended"]),
        ([{"OpStatus": False, "ErrorMessage": None}], ["the vendor does not say why"]),
        ([{"OpStatus": None}, {}, "text", None], []),
        (None, []),
    ],
)
def test_reads_the_refusal_of_each_canceled_task(items: Any, reasons: list[str]) -> None:
    assert refusals(cancel_of(RUN), {"Data": items}) == reasons


@pytest.mark.parametrize(("status", "reasons"), [(True, []), (False, ["the vendor does not say why"])])
def test_reads_the_refusal_of_a_single_canceled_task(status: bool, reasons: list[str]) -> None:
    assert refusals(cancel_of(SQL), {"Data": {"Status": status}}) == reasons


def test_an_answer_without_a_result_is_no_refusal() -> None:
    assert refusals(cancel_of(RERUN), {"Data": {"AsyncId": "j"}}) == []


def test_reads_a_refusal_from_the_whole_answer() -> None:
    cancel = dataclasses.replace(cancel_of(SQL), items="", ok="Done", why_not="Why")
    assert refusals(cancel, {"Done": False, "Why": "it has ended"}) == ["it has ended"]
