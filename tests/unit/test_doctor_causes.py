"""What an error of a cloud means for the person who has to mend it, and what it tells about a permission."""

from __future__ import annotations

import pytest

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.doctor.causes import cause_of, of_sentence
from airflow_cloudtasks.doctor.permissions import Needed, needed, policy
from airflow_cloudtasks.doctor.questions import request, told
from airflow_cloudtasks.doctor.report import Outcome
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CloudTasksError,
    CredentialsError,
    CredentialsExpired,
    InvalidConnection,
    MalformedAnswer,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
    UnreadableAnswer,
)
from airflow_cloudtasks.spec import TaskApi

RUNS = APIS["wedata.workflow_run"]
READ = Needed("read", RUNS.read, "wedata")


@pytest.mark.parametrize(
    ("error", "has", "outcome"),
    [
        (None, True, Outcome.OK),
        (NotFound("no such run", code="ResourceNotFound"), True, Outcome.OK),
        (BadRequest("no such run", code="InvalidParameter.WorkflowExecutionId"), True, Outcome.OK),
        (MalformedAnswer("no Response"), True, Outcome.OK),
        (PermissionDenied("no", code="UnauthorizedOperation"), False, Outcome.FAILED),
        (Throttled("slow down", code="RequestLimitExceeded"), None, Outcome.UNKNOWN),
        (TransientError("broken", code="InternalError", http_status=500), None, Outcome.UNKNOWN),
        (TransientError("no answer in time", code="Timeout"), None, Outcome.UNKNOWN),
        (UnreadableAnswer("the answer is no JSON object"), None, Outcome.UNKNOWN),
        (CredentialsError("no", code="AuthFailure.SignatureFailure"), None, Outcome.FAILED),
        (BadRequest("no", code="UnsupportedRegion"), None, Outcome.FAILED),
        (BadRequest("no", code="InvalidAction"), None, Outcome.FAILED),
        (InvalidConnection("WeData needs a region: set it in the field Region."), None, Outcome.FAILED),
    ],
)
def test_an_answer_tells_of_a_permission_yes_no_or_nothing(
    error: CloudTasksError | None, has: bool | None, outcome: Outcome
) -> None:
    found = told(READ, error, 12.0)
    assert (found.has, found.line.outcome) == (has, outcome)
    assert found.line.permission == "wedata:GetTriggerWorkflowRun"
    assert (found.line.mend is not None) is (outcome is not Outcome.OK)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (CredentialsError("m", code="InvalidAccessKeyId.NotFound"), "knows no key of this id"),
        (CredentialsError("m", code="AuthFailure.SecretIdNotFound"), "knows no key of this id"),
        (CredentialsError("m", code="SignatureDoesNotMatch"), "the secret does not belong"),
        (CredentialsError("m", code="InvalidTimeStamp.Expired"), "refuses the time of the request"),
        (CredentialsError("m", code="AuthFailure.SignatureExpire"), "refuses the time of the request"),
        (CredentialsExpired("m", code="InvalidSecurityToken.Expired"), "token has expired"),
        (CredentialsExpired("m", code="AnotherWord"), "token has expired"),
        (CredentialsError("m", code="Rejected"), "no credentials that the cloud accepts"),
        (
            TransientError("m", code="Timeout", action="Fetching credentials (metadata service of this machine)"),
            "the metadata service of this machine gives no key",
        ),
        (CredentialsError("m", code="EntityNotExist.Role"), "the role does not exist"),
        (
            CredentialsError("m", action="Fetching credentials (STS AssumeRole)"),
            "the service that gives the key refuses",
        ),
        (PermissionDenied("m", action="Fetching credentials"), "may not assume the role"),
        (PermissionDenied("m", action="Fetching credentials (STS AssumeRole)"), "may not assume the role"),
        (PermissionDenied("m", action="WeData GetTask"), "the key has no permission"),
        (Throttled("m"), "throttles the account"),
        (TransientError("m", http_status=502), "the service fails"),
        (TransientError("m", code="HTTP302", http_status=302), "a web page answers"),
        (TransientError("m", code="Timeout"), "no answer came"),
        (UnreadableAnswer("m"), "the answer is not the cloud's"),
        (BadRequest("m", code="SomethingElse"), "the cloud refuses the request"),
    ],
)
def test_a_cause_is_told_in_plain_words_with_the_vendors_own(error: CloudApiError, found: str) -> None:
    cause = cause_of(error)
    assert found in cause.found
    assert error.code in cause.found
    assert "m" in cause.found
    assert cause.expected
    assert cause.mend


def test_missing_credentials_are_told_by_the_places_that_were_searched() -> None:
    cause = cause_of(CredentialsError("~/.tencentcloud/credentials has no section [default]", code="NoCredentials"))
    assert cause.found == "~/.tencentcloud/credentials has no section [default]"
    assert cause.mend.startswith("put a key into one of them")


def test_a_page_is_named_by_its_title() -> None:
    assert "with the title “Log in”" in cause_of(UnreadableAnswer("no JSON"), "“Log in”").found


def test_the_request_id_is_shown_and_a_long_message_is_cut() -> None:
    found = cause_of(BadRequest("long " * 1000, code="Bad", request_id="r-1", http_status=400)).found
    assert "HTTP 400, request id r-1" in found
    assert len(found) < 400


@pytest.mark.parametrize(
    ("sentence", "found", "expected", "mend"),
    [
        ("site is 'x'; expected one of cn, intl.", "site is 'x'", "one of cn, intl", "correct the setting"),
        (
            "The Airflow connection 'c' cannot be used: it has no SecretId, which is needed; put it into Login.",
            "it has no SecretId, which is needed",
            "a setting that can be used",
            "put it into Login",
        ),
        ("Something else.", "Something else", "a setting that can be used", "correct the setting, or remove it"),
    ],
)
def test_a_sentence_about_a_setting_has_three_parts(sentence: str, found: str, expected: str, mend: str) -> None:
    cause = of_sentence(sentence)
    assert (cause.found, cause.expected, cause.mend) == (found, expected, mend)


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
def test_a_question_names_nothing_that_exists_or_says_what_the_user_has_to_add(api: TaskApi) -> None:
    for each in needed(api):
        if each.use in ("start", "cancel"):
            continue
        parameters, missing = request(api, each, {})
        assert set(parameters.values()) - set().union(*(start.names.values() for start in api.starts)) <= {"0"}
        assert set(missing) <= set(api.task_params)
        complete, left = request(api, each, dict.fromkeys(api.task_params, "given"))
        assert left == ()
        assert complete.keys() == set(each.action.params)


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
def test_the_permissions_of_an_api_are_all_actions_of_its_spec(api: TaskApi) -> None:
    actions = {each.action.name for each in needed(api)}
    assert {api.read.name, *(start.action.name for start in api.starts)} <= actions
    assert api.cancel is None or api.cancel.action.name in actions
    assert api.list_tasks is None or api.list_tasks.action.name in actions


def test_a_policy_is_written_in_the_clouds_own_language() -> None:
    assert policy("alibaba", ["ice:GetWorkflowTask"]) == {
        "Version": "1",
        "Statement": [{"Effect": "Allow", "Action": ["ice:GetWorkflowTask"], "Resource": "*"}],
    }
    assert policy("tencent", ["wedata:GetTask"]) == {
        "version": "2.0",
        "statement": [{"effect": "allow", "action": ["wedata:GetTask"], "resource": ["*"]}],
    }
