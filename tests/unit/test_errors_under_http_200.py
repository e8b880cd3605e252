"""Both clouds report errors under HTTP 200, too. Code and message are kept, and no ordinary answer is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from api_examples import EXAMPLES, Example

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    MalformedAnswer,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.spec import Action, TaskApi

from .calls import ALIBABA_SERVICE, FORM, RPC, answer, asked
from .every_action import actions, every_action, example_bodies

# One call of each action that the catalog names, with the API that names it.
CALLS = {
    f"{api.service.name} {action.name}": (asked(api.service, action), api)
    for api in APIS.values()
    for action in actions(api)
}
ALIBABA = [call for call, api in CALLS.values() if api.cloud == "alibaba"]
TENCENT = [call for call, api in CALLS.values() if api.cloud == "tencent"]


def name_of(call: Any) -> str | None:
    return f"{call.service.name} {call.action.name}" if isinstance(call, ApiCall) else None


def error_of(call: ApiCall, body: Any) -> CloudApiError:
    with pytest.raises(CloudApiError) as caught:
        CLOUDS[call.service.cloud].read(call, answer(body))
    return caught.value


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"Code": "Throttling", "Message": "slow down", "RequestId": "r"}, Throttled),
        ({"Code": "Throttling.User", "Message": "slow down", "RequestId": "r", "WorkflowTask": None}, Throttled),
        ({"code": "ServiceUnavailable", "message": "slow down", "requestId": "r"}, TransientError),
        (
            {"Code": "SystemBusy", "Message": "slow down", "RequestId": "r", "Success": False, "Data": {}},
            TransientError,
        ),
        (
            {"Code": "NoPermission", "Message": "slow down", "RequestId": "r", "Data": {"TaskId": None}},
            PermissionDenied,
        ),
        ({"Code": "429", "Message": "slow down", "RequestId": "r", "Data": ""}, Throttled),
        ({"Code": 503, "Message": "slow down", "RequestId": "r"}, TransientError),
        ({"Code": "New", "HttpStatusCode": 429, "Message": "slow down", "RequestId": "r"}, Throttled),
        (
            {"ErrorCode": "EntityNotExist.Task", "ErrorMessage": "slow down", "RequestId": "r", "Success": "false"},
            NotFound,
        ),
        (
            {"Code": "New", "Message": "slow down", "RequestId": "r", "HostId": "h", "Recommend": "https://x"},
            BadRequest,
        ),
        (
            {"Code": "Throttling", "HttpStatus": 429, "Message": "slow down", "RequestId": "r", "Type": "Sender"},
            Throttled,
        ),
        (
            {"Code": "Throttling", "Message": "slow down", "RequestId": "r", "TaskList": [], "MaxResults": 100},
            Throttled,
        ),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else value.__name__,
)
def test_every_action_of_alibaba_keeps_code_and_message(body: dict[str, Any], kind: type[CloudApiError]) -> None:
    code = str(next(body[name] for name in ("Code", "code", "ErrorCode") if name in body))
    for call in ALIBABA:
        error = error_of(call, body)
        assert (type(error), error.code) == (kind, code), name_of(call)
        assert (error.message, error.request_id, error.http_status) == ("slow down", "r", 200), name_of(call)


@pytest.mark.parametrize(
    ("response", "kind", "code", "message"),
    [
        ({"Error": {"Code": "RequestLimitExceeded", "Message": "slow"}}, Throttled, "RequestLimitExceeded", "slow"),
        (
            {"Error": {"Code": "ResourceBusy", "Message": None}, "Data": None},
            TransientError,
            "ResourceBusy",
            "no message",
        ),
        ({"Error": {"Code": None, "Message": "slow"}}, BadRequest, "UnknownError", "slow"),
        ({"Error": {"code": "InternalError", "message": "slow"}}, TransientError, "InternalError", "slow"),
        ({"Error": "slow"}, BadRequest, "UnknownError", "slow"),
        ({"Error": {"Code": None, "Message": None}, "Data": None}, BadRequest, "UnknownError", "no message"),
    ],
)
def test_every_action_of_tencent_keeps_code_and_message(
    response: dict[str, Any], kind: type[CloudApiError], code: str, message: str
) -> None:
    for call in TENCENT:
        error = error_of(call, {"Response": {**response, "RequestId": "r"}})
        assert (type(error), error.code, error.message, error.request_id) == (kind, code, message, "r"), name_of(call)


OWN_ERROR = asked(TENCENT[0].service, Action(name="GetToy", error_beside="Status"))


def test_a_task_of_tencent_may_have_an_error_of_its_own() -> None:
    content = {"Status": "Failed", "Error": {"Code": "InternalError", "Message": "no file"}, "RequestId": "r"}
    assert CLOUDS["tencent"].read(OWN_ERROR, answer({"Response": content})) == content


@pytest.mark.parametrize("beside", [{}, {"Status": None}, {"Status": ""}, {"State": "Failed"}])
def test_an_error_without_the_field_beside_it_refuses_the_request(beside: dict[str, Any]) -> None:
    content = {**beside, "Error": {"Code": "InternalError", "Message": "slow"}, "RequestId": "r"}
    error = error_of(OWN_ERROR, {"Response": content})
    assert (type(error), error.code, error.message) == (TransientError, "InternalError", "slow")


def test_reads_an_error_of_tencent_without_its_envelope() -> None:
    error = error_of(TENCENT[0], {"Error": {"Code": "InternalError", "Message": "slow"}, "RequestId": "r"})
    assert (type(error), error.code, error.message) == (TransientError, "InternalError", "slow")


def test_a_false_success_flag_is_an_error_without_a_code() -> None:
    error = error_of(asked(ALIBABA_SERVICE, RPC), {"Success": False, "Message": "no", "Data": {"Status": "FINISH"}})
    assert (type(error), error.code, error.message) == (BadRequest, "HTTP200", "no")


@pytest.mark.parametrize(
    ("call", "body"),
    [
        *((call, {"Response": {"Error": None, "Data": {"Status": "N"}}}) for call in TENCENT),
        *((call, {"Response": {"Error": {"Code": None, "Message": ""}, "Data": {"Status": "N"}}}) for call in TENCENT),
        *((call, {"Success": True, "Data": {"Status": "x"}}) for call in ALIBABA),
        # A task may have a code and a message of its own, next to its status.
        *((asked(ALIBABA_SERVICE, RPC), {"Code": code, "Status": "Failed"}) for code in ("JobFailed", "Throttling")),
        *((asked(ALIBABA_SERVICE, RPC), {"Code": code, "RequestId": "r"}) for code in ("OK", "200", "Success", 0)),
        (asked(ALIBABA_SERVICE, FORM), {"Code": None, "Data": {"Status": "FINISH"}}),
        (asked(ALIBABA_SERVICE, FORM), {"Code": "OK", "Data": {"Status": "FINISH"}}),
        (asked(ALIBABA_SERVICE, FORM), {"Code": "200", "Data": None}),
    ],
    ids=lambda value: name_of(value) or json.dumps(value)[:60],
)
def test_an_ordinary_answer_is_returned(call: ApiCall, body: dict[str, Any]) -> None:
    assert CLOUDS[call.service.cloud].read(call, answer(body)) == body.get("Response", body)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_no_example_of_a_task_is_taken_for_an_error(example: Example) -> None:
    body = json.loads(example.body)
    assert example.content == body.get("Response", body)


@every_action([name for name, api in APIS.items() if api.cloud == "tencent"])
def test_no_example_of_the_vendor_is_taken_for_an_error(api: TaskApi, action: Action) -> None:
    for body in example_bodies(api, action):
        assert CLOUDS["tencent"].read(asked(api.service, action), answer(body)) == json.loads(body)["Response"]


def test_a_json_object_that_is_not_tencents_is_malformed() -> None:
    assert type(error_of(TENCENT[0], {"message": "who are you"})) is MalformedAnswer
