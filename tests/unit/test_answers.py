"""Each envelope of a vendor's error becomes an error of the right class with its texts, and without secrets."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall, HttpAnswer
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    CloudTaskFailed,
    CredentialsError,
    CredentialsExpired,
    MalformedAnswer,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
    UnreadableAnswer,
    error_from_dict,
)
from airflow_cloudtasks.model import CloudTask, TaskState

from .calls import ALIBABA_SERVICE, FORM, JSON, RPC, TENCENT_SERVICE, answer, asked

ALIBABA, BPSTUDIO, TENCENT = asked(ALIBABA_SERVICE, RPC), asked(ALIBABA_SERVICE, FORM), asked(TENCENT_SERVICE, JSON)
CALLS = pytest.mark.parametrize("call", [ALIBABA, BPSTUDIO, TENCENT], ids=["alibaba", "bpstudio", "tencent"])


def read(call: ApiCall, received: HttpAnswer) -> dict[str, Any]:
    return CLOUDS[call.service.cloud].read(call, received)


def error_of(call: ApiCall, received: HttpAnswer) -> CloudApiError:
    with pytest.raises(CloudApiError) as caught:
        read(call, received)
    return caught.value


def tencent_error(code: Any, message: Any = "said so", **others: Any) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": message}, "RequestId": "r-1", **others}}


def alibaba_error(code: Any, message: Any = "said so", **others: Any) -> dict[str, Any]:
    return {"Code": code, "Message": message, "RequestId": "r-1", "HostId": "toy.aliyuncs.com", **others}


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("RequestLimitExceeded", Throttled),
        ("RequestLimitExceeded.UinLimitExceeded", Throttled),
        ("InternalError", TransientError),
        ("InternalError.DbError", TransientError),
        ("ResourceUnavailable", TransientError),
        ("ResourceUnavailable.Busy", TransientError),
        ("ServiceUnavailable", TransientError),
        ("FailedOperation", BadRequest),
        ("FailedOperation.Other", BadRequest),
        ("AuthFailure.TokenFailure", CredentialsExpired),
        ("AuthFailure", CredentialsError),
        ("AuthFailure.SecretIdNotFound", CredentialsError),
        ("AuthFailure.SignatureFailure", CredentialsError),
        ("AuthFailure.SignatureExpire", CredentialsError),
        ("AuthFailure.InvalidSecretId", CredentialsError),
        ("AuthFailure.UnauthorizedOperation", PermissionDenied),
        ("UnauthorizedOperation", PermissionDenied),
        ("UnauthorizedOperation.CamNoAuth", PermissionDenied),
        ("ResourceNotFound", NotFound),
        ("ResourceNotFound.Task", NotFound),
        ("InvalidParameterValue", BadRequest),
        ("MissingParameter", BadRequest),
        ("UnknownParameter", BadRequest),
        ("InvalidAction", BadRequest),
        ("NoSuchVersion", BadRequest),
        ("UnsupportedRegion", BadRequest),
        ("LimitExceeded", BadRequest),
    ],
)
def test_reads_tencents_error_codes_under_http_200(code: str, kind: type[CloudApiError]) -> None:
    error = error_of(TENCENT, answer(tencent_error(code)))
    assert type(error) is kind
    assert (error.code, error.message, error.request_id, error.http_status) == (code, "said so", "r-1", 200)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "Throttling", Throttled),
        (400, "Throttling.User", Throttled),
        (429, "Throttling.Api", Throttled),
        (503, "Throttling", Throttled),
        (400, "Toy.Throttling", Throttled),
        (429, "SomethingElse", Throttled),
        (503, "ServiceUnavailable", TransientError),
        (400, "ServiceUnavailable", TransientError),
        (500, "InternalError", TransientError),
        (500, "SomethingElse", TransientError),
        (502, "", TransientError),
        (504, "GatewayTimeout", TransientError),
        (400, "SignatureNonceUsed", TransientError),
        (400, "InvalidSecurityToken.Expired", CredentialsExpired),
        (403, "ExpiredToken", CredentialsExpired),
        (404, "InvalidAccessKeyId.NotFound", CredentialsError),
        (400, "InvalidAccessKeyId.Inactive", CredentialsError),
        (403, "InvalidAccessKeyId", CredentialsError),
        (400, "SignatureDoesNotMatch", CredentialsError),
        (400, "IncompleteSignature", CredentialsError),
        (400, "InvalidSecurityToken.Malformed", CredentialsError),
        (400, "IllegalTimestamp", CredentialsError),
        (400, "InvalidTimeStamp.Expired", CredentialsError),
        (403, "NoPermission", PermissionDenied),
        (403, "NoPermissions", PermissionDenied),
        (403, "Forbidden.RAM", PermissionDenied),
        (400, "Forbidden", PermissionDenied),
        (403, "UnauthorizedOperation", PermissionDenied),
        (403, "SomethingElse", PermissionDenied),
        (404, "TaskNotFound", NotFound),
        (400, "EntityNotExist.Task", NotFound),
        (404, "SomethingElse", NotFound),
        (404, "InvalidAction.NotFound", BadRequest),
        (404, "InvalidVersion", BadRequest),
        (400, "MissingTaskId", BadRequest),
        (400, "InvalidParameter", BadRequest),
        (400, "", BadRequest),
    ],
)
def test_reads_alibabas_errors_by_code_and_http_status(status: int, code: str, kind: type[CloudApiError]) -> None:
    error = error_of(ALIBABA, answer(alibaba_error(code), status))
    assert type(error) is kind
    assert (error.code, error.message, error.http_status) == (code or f"HTTP{status}", "said so", status)
    assert error.request_id == "r-1"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("403", PermissionDenied),
        (403, PermissionDenied),
        ("404", NotFound),
        ("429", Throttled),
        ("500", TransientError),
        (503, TransientError),
        ("400", BadRequest),
        ("NoPermissions", PermissionDenied),
        ("Throttling.User", Throttled),
        ("SomethingElse", BadRequest),
        ("201", BadRequest),
        ("²", BadRequest),
        ("9" * 5000, BadRequest),
        ("", BadRequest),
        (None, BadRequest),
    ],
    ids=lambda value: str(value)[:20],
)
def test_reads_bpstudios_failures_under_http_200(code: Any, kind: type[CloudApiError]) -> None:
    assert type(error_of(BPSTUDIO, answer(alibaba_error(code, Data=None)))) is kind


@pytest.mark.parametrize("code", ["200", 200, " 200"])
def test_accepts_bpstudios_code_200_as_text_and_as_number(code: Any) -> None:
    body = {"Code": code, "Message": "Success", "Data": {}}
    assert read(BPSTUDIO, answer(body)) == body


def test_ignores_the_code_field_of_an_action_without_a_success_code() -> None:
    assert read(ALIBABA, answer({"Code": "OK", "Task": {}})) == {"Code": "OK", "Task": {}}


def test_reads_alibabas_lower_case_envelope() -> None:
    error = error_of(ALIBABA, answer({"code": "Forbidden.RAM", "message": "no", "requestId": "r-2"}, 403))
    assert (type(error), error.code, error.message, error.request_id) == (
        PermissionDenied,
        "Forbidden.RAM",
        "no",
        "r-2",
    )


def test_unwraps_tencents_answer() -> None:
    body = {"Status": "SUCCESS", "Error": None, "RequestId": "r"}
    assert read(TENCENT, answer({"Response": body})) == body


PAGE = b"<html><body>Bad gateway</body></html>"


@CALLS
@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, UnreadableAnswer), (302, UnreadableAnswer), (429, Throttled), (500, TransientError), (502, TransientError)],
)
@pytest.mark.parametrize("body", [PAGE, b"", b"null", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_no_json_object_is_a_retryable_error(
    call: ApiCall, status: int, kind: type[CloudApiError], body: bytes
) -> None:
    error = error_of(call, answer(body, status))
    assert type(error) is kind
    assert error.retryable
    assert "html" not in str(error)


EMPTY = asked(ALIBABA_SERVICE, replace(RPC, empty=True))


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_success_without_a_body_is_empty_for_an_action_that_answers_so(status: int) -> None:
    assert read(EMPTY, answer(b"", status)) == {}
    assert type(error_of(ALIBABA, answer(b"", status))) is UnreadableAnswer


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(500, b"", TransientError), (429, b"", Throttled), (302, b"", UnreadableAnswer), (200, PAGE, UnreadableAnswer)],
)
def test_such_an_action_has_no_other_unreadable_success(status: int, body: bytes, kind: type[CloudApiError]) -> None:
    assert type(error_of(EMPTY, answer(body, status))) is kind


@pytest.mark.parametrize("body", [{}, {"Response": None}, {"Response": [1]}, {"Response": "x"}, {"response": {}}])
def test_tencents_answer_without_a_response_is_malformed(body: Any) -> None:
    error = error_of(TENCENT, answer(body))
    assert type(error) is MalformedAnswer
    assert error.field == "Response"
    assert "Response" in str(error)
    assert not error.retryable


def test_a_gateway_error_without_a_response_is_transient() -> None:
    assert type(error_of(TENCENT, answer({"message": "no upstream"}, 503))) is TransientError


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-999, 999)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["200", "²"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["Code", "Message"]), inner),
    max_leaves=4,
)
envelopes = st.dictionaries(
    st.sampled_from(["Code", "code", "Message", "message", "RequestId", "requestId", "Error", "Response", "Data"]), odd
)


@settings(max_examples=300)
@given(
    st.sampled_from([ALIBABA, BPSTUDIO, TENCENT]),
    envelopes | envelopes.map(lambda inner: {"Response": inner}) | envelopes.map(lambda e: {"Response": {"Error": e}}),
    st.sampled_from([200, 302, 400, 403, 404, 429, 500]),
)
def test_any_envelope_yields_an_answer_or_a_cloud_api_error(call: ApiCall, body: Any, status: int) -> None:
    try:
        result: dict[str, Any] | CloudApiError = read(call, answer(body, status))
    except CloudApiError as error:
        result = error
    if isinstance(result, CloudApiError):
        written = json.dumps(result.as_dict(), allow_nan=False, ensure_ascii=False).encode("utf-8")
        assert b"\\u0000" not in written
        assert str(error_from_dict(json.loads(written))) == str(result)
        assert result.request_id is None or isinstance(result.request_id, str)
    else:
        assert isinstance(result, dict)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (TENCENT, {"Response": {"Error": "broken", "RequestId": 7}}),
        (TENCENT, {"Response": {"Error": [], "RequestId": {}}}),
        (TENCENT, tencent_error(None, None)),
        (TENCENT, tencent_error(["x"], {"a": 1})),
        (ALIBABA, alibaba_error({"a": 1}, ["x"])),
        (ALIBABA, {"Code": None}),
    ],
)
def test_a_malformed_error_still_has_a_code_and_a_message(call: ApiCall, body: Any) -> None:
    error = error_of(call, answer(body, 400))
    assert type(error) is BadRequest
    assert error.code
    assert error.message


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3),
        ({"retry-after": " 3 "}, 3),
        ({"Retry-After": "0"}, 0),
        ({"x-acs-retry-after": "1500"}, 1.5),
        ({"x-acs-retry-after": "1500", "Retry-After": "9"}, 1.5),
        ({"x-acs-retry-after": "soon", "Retry-After": "9"}, 9),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        *(
            ({"Retry-After": garbage}, None)
            for garbage in (
                *("", "soon", "-1", "1.5", "²", "9" * 5000, "nan", "1e9", "Wed, 21 Oct 2015 07:28:00 -0000"),
                *("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 +99999999999999"),
            )
        ),
        ({"x-acs-retry-after": "²"}, None),
        ({"x-acs-retry-after": "9" * 5000}, None),
    ],
    ids=str,
)
def test_reads_the_delay_that_the_service_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    for call, body in ((ALIBABA, alibaba_error("Throttling")), (TENCENT, tencent_error("RequestLimitExceeded"))):
        assert error_of(call, answer(body, 429, headers)).retry_after == seconds


def test_reads_a_delay_that_is_a_date() -> None:
    delay = error_of(ALIBABA, answer(alibaba_error("Throttling"), 429, {"Retry-After": in_a_minute()})).retry_after
    assert 50 < delay <= 60


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (ALIBABA, alibaba_error("InvalidParameter", "secret my-secret with my-token is no good")),
        (BPSTUDIO, alibaba_error("500", "secret my-secret with my-token is no good")),
        (TENCENT, tencent_error("InvalidParameter", "secret my-secret with my-token is no good")),
    ],
    ids=["alibaba", "bpstudio", "tencent"],
)
def test_masks_secrets_that_the_vendor_repeats(call: ApiCall, body: Any) -> None:
    with_secrets = asked(call.service, call.action, secrets=("my-secret", "my-token"))
    error = error_of(with_secrets, answer(body, 400))
    assert error.message == "secret *** with *** is no good"
    assert "my-" not in f"{error} {error!r} {error.args} {error.as_dict()}"


@pytest.mark.parametrize("label", ["server string to sign is:", "Server String To Sign is :", "server StringToSign is"])
def test_cuts_off_the_servers_string_to_sign(label: str) -> None:
    text = f"Specified signature does not match our calculation. {label}ACS3-HMAC-SHA256\nabc\ndef"
    error = error_of(ALIBABA, answer(alibaba_error("SignatureDoesNotMatch", text), 400))
    assert error.message == "Specified signature does not match our calculation."


def test_reads_a_message_of_a_megabyte_of_blanks_in_one_pass() -> None:
    error = error_of(ALIBABA, answer(alibaba_error("InvalidParameter", " " * 1_000_000 + "no"), 400))
    assert error.message == "no"


ERRORS = [
    kind(
        "said so", code="C", action="Toy GetToy", endpoint="https://h", request_id="r", http_status=400, retry_after=1.5
    )
    for kind in (
        *(Throttled, TransientError, CredentialsError, CredentialsExpired, PermissionDenied, NotFound, BadRequest),
        *(CloudApiError, MalformedAnswer, UnreadableAnswer),
    )
] + [MalformedAnswer("said so", api="toy.task", field="Data.Status"), Throttled("said so")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    "again",
    [
        lambda error: pickle.loads(pickle.dumps(error)),
        copy.copy,
        copy.deepcopy,
        lambda error: error_from_dict(json.loads(json.dumps(error.as_dict()))),
    ],
    ids=["pickle", "copy", "deepcopy", "json"],
)
def test_an_error_survives_serialisation(error: CloudApiError, again: Any) -> None:
    made = again(error)
    assert type(made) is type(error)
    assert made.as_dict() == error.as_dict()
    assert str(made) == str(error)
    assert made.args == error.args


@pytest.mark.parametrize("is_replaced", [False, True])
def test_the_refusal_of_a_key_that_was_sent_once_survives_serialisation(is_replaced: bool) -> None:
    error = CredentialsError("no", code="AuthFailure.SecretIdNotFound")
    error.is_replaced = is_replaced  # as CloudClient.acall_once does
    assert str(error_from_dict(json.loads(json.dumps(error.as_dict())))) == str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_an_error_with_a_note_survives_pickling() -> None:
    error = Throttled("slow down", code="Throttling")
    error.add_note("while polling")
    assert pickle.loads(pickle.dumps(error)).as_dict() == error.as_dict()
    assert "__notes__" not in error.as_dict()


def test_a_failed_task_survives_pickling() -> None:
    task = CloudTask(
        api="ice.workflow_task",
        cloud="alibaba",
        id="7",
        name="render",
        state=TaskState.FAILED,
        status="Failed",
        message="no such file",
        request_id="r-1",
        console_url="https://c.test/7",
    )
    made = pickle.loads(pickle.dumps(CloudTaskFailed(task)))
    assert made.task == task
    assert str(made) == (
        "ice.workflow_task 7 (render) ended as failed, the vendor's status is 'Failed'; message: no such file; "
        "request id: r-1; console: https://c.test/7"
    )


def test_an_error_names_the_call_the_vendors_message_the_endpoint_and_the_advice() -> None:
    error = error_of(ALIBABA, answer(alibaba_error("InvalidAccessKeyId.NotFound", "Specified key is not found."), 404))
    assert str(error) == (
        "Toy GetToy failed: InvalidAccessKeyId.NotFound: Specified key is not found. "
        "(endpoint https://toy.test, HTTP 404, request id r-1) "
        "Check the key id and the secret of the Airflow connection, and this machine's clock."
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (BadRequest("no"), "The call failed: no"),
        (BadRequest("no", code="C", action="Toy GetToy"), "Toy GetToy failed: C: no"),
        (Throttled("no", request_id="r", action="A"), "A failed: no (request id r)"),
    ],
)
def test_an_error_leaves_out_the_fields_that_are_unknown(error: CloudApiError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize("kind", [CredentialsError, CredentialsExpired, PermissionDenied, NotFound])
def test_an_error_that_the_user_can_fix_ends_with_advice(kind: type[CloudApiError]) -> None:
    assert kind.advice.endswith(".")
    assert str(kind("no")).endswith(kind.advice)


# The HTTP status where the vendor's code is unknown


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, BadRequest), (401, CredentialsError), (403, PermissionDenied), (404, NotFound), (503, TransientError)],
)
def test_alibabas_http_status_decides_where_its_code_is_unknown(status: int, kind: type[CloudApiError]) -> None:
    assert type(error_of(ALIBABA, answer(alibaba_error("SomethingNew"), status))) is kind
    # BPStudio has a status of its own under HTTP 200.
    assert type(error_of(BPSTUDIO, answer(alibaba_error(str(status)), 200))) is kind


@pytest.mark.parametrize("status", [300, 302, 304, 307])
def test_refuses_a_redirect_of_alibaba_that_holds_json(status: int) -> None:
    error = error_of(ALIBABA, answer({"WorkflowTask": {"Status": "Succeed"}}, status))
    assert (error.http_status, error.code) == (status, f"HTTP{status}")
    assert type(error) is BadRequest


@pytest.mark.parametrize(("status", "kind"), [(302, BadRequest), (404, BadRequest), (500, TransientError)])
def test_refuses_an_http_failure_of_tencent_that_holds_a_response(status: int, kind: type[CloudApiError]) -> None:
    error = error_of(TENCENT, answer({"Response": {"Status": "SUCCESS", "RequestId": "r-1"}}, status))
    assert type(error) is kind
    assert (error.http_status, error.code, error.request_id) == (status, f"HTTP{status}", "r-1")
