"""An action's own flag reports errors under HTTP 200, with the vendor's code and message."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.wire import ApiCall
from airflow_cloudtasks.errors import (
    BadRequest,
    CloudApiError,
    NotFound,
    PermissionDenied,
    Throttled,
    TransientError,
)
from airflow_cloudtasks.spec import Success

from .calls import ALIBABA_SERVICE, JSON, RPC, TENCENT_SERVICE, answer, asked

FLAG = Success("Outcome.Ok", code="Outcome.ErrCode", message="Outcome.ErrText")
ALIBABA = asked(ALIBABA_SERVICE, replace(RPC, success=FLAG), secrets=("s3cret",))
TENCENT = asked(TENCENT_SERVICE, replace(JSON, success=FLAG), secrets=("s3cret",))
EVERY_CLOUD = pytest.mark.parametrize("call", [ALIBABA, TENCENT], ids=["alibaba", "tencent"])


def body(call: ApiCall, content: dict[str, Any]) -> dict[str, Any]:
    return {"Response": content} if call.service.cloud == "tencent" else content


def read(call: ApiCall, content: dict[str, Any], status: int = 200) -> dict[str, Any]:
    return CLOUDS[call.service.cloud].read(call, answer(body(call, content), status))


def error_of(call: ApiCall, content: dict[str, Any], status: int = 200) -> CloudApiError:
    with pytest.raises(CloudApiError) as caught:
        read(call, content, status)
    return caught.value


def refused(flag: Any, **explained: Any) -> dict[str, Any]:
    return {"Outcome": {"Ok": flag, **explained}, "Data": {"Status": "FINISH"}, "RequestId": "r"}


@EVERY_CLOUD
@pytest.mark.parametrize("flag", [False, "false", "False", " FALSE\n", 0, 0.0])
def test_a_false_flag_is_an_error_with_the_vendors_words(call: ApiCall, flag: Any) -> None:
    error = error_of(call, refused(flag, ErrCode="JobIsGone", ErrText="the job is gone"))
    assert type(error) is BadRequest
    assert (error.code, error.message, error.request_id) == ("JobIsGone", "the job is gone", "r")


@EVERY_CLOUD
@pytest.mark.parametrize("flag", [True, "true", 1, None, "", "no", [], {}, [False]])
def test_any_other_flag_is_an_ordinary_answer(call: ApiCall, flag: Any) -> None:
    content = refused(flag, ErrCode="JobIsGone", ErrText="the job is gone")
    assert read(call, content) == content


@EVERY_CLOUD
@pytest.mark.parametrize("content", [{"Outcome": None}, {"Outcome": "x"}, {"Outcome": []}, {}])
def test_a_missing_flag_is_no_failure(call: ApiCall, content: dict[str, Any]) -> None:
    content = {**content, "Data": {"Status": "FINISH"}}
    assert read(call, content) == content


@pytest.mark.parametrize(
    ("call", "code", "kind"),
    [
        (ALIBABA, "Throttling.User", Throttled),
        (ALIBABA, "SystemBusy", TransientError),
        (ALIBABA, "NoPermission", PermissionDenied),
        (ALIBABA, "JobNotFound", NotFound),
        (ALIBABA, 429, Throttled),
        (ALIBABA, "503", TransientError),
        (TENCENT, "RequestLimitExceeded", Throttled),
        (TENCENT, "InternalError.Db", TransientError),
        (TENCENT, "UnauthorizedOperation", PermissionDenied),
        (TENCENT, "ResourceNotFound.Job", NotFound),
    ],
)
def test_the_code_decides_the_class_of_the_error(call: ApiCall, code: Any, kind: type[CloudApiError]) -> None:
    error = error_of(call, refused(False, ErrCode=code, ErrText="no"))
    assert (type(error), error.code) == (kind, str(code))


@EVERY_CLOUD
def test_reads_the_usual_names_if_the_paths_lead_to_nothing(call: ApiCall) -> None:
    error = error_of(call, {"Outcome": {"Ok": False, "ErrCode": " ", "ErrText": None}, "Code": "X", "Message": "why"})
    assert (error.code, error.message) == ("X", "why")
    without_paths = replace(call, action=replace(call.action, success=Success("Outcome.Ok")))
    error = error_of(without_paths, refused(False) | {"errorCode": "Y", "errorMessage": "because"})
    assert (error.code, error.message) == ("Y", "because")


@EVERY_CLOUD
def test_a_false_flag_without_a_code_has_the_http_status(call: ApiCall) -> None:
    error = error_of(call, refused(False))
    assert (type(error), error.code) == (BadRequest, "HTTP200")


@EVERY_CLOUD
def test_the_paths_are_read_under_an_http_error_too(call: ApiCall) -> None:
    error = error_of(call, refused(False, ErrCode="JobIsGone", ErrText="the job is gone"), 500)
    assert (type(error), error.code, error.message) == (TransientError, "JobIsGone", "the job is gone")


@EVERY_CLOUD
def test_a_secret_in_the_message_is_hidden(call: ApiCall) -> None:
    assert "s3cret" not in str(error_of(call, refused(False, ErrText="key s3cret is bad")))


def test_an_error_of_tencents_gateway_goes_before_the_flag() -> None:
    content = refused(False, ErrCode="JobIsGone") | {"Error": {"Code": "RequestLimitExceeded", "Message": "slow"}}
    error = error_of(TENCENT, content)
    assert (type(error), error.code, error.message) == (Throttled, "RequestLimitExceeded", "slow")


def test_an_error_of_alibabas_gateway_has_no_flag() -> None:
    error = error_of(ALIBABA, {"Code": "Throttling", "Message": "slow", "RequestId": "r"})
    assert (type(error), error.code, error.message) == (Throttled, "Throttling", "slow")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-1, 1)
    | st.floats()
    | st.sampled_from(["", "false", "true", "E", "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Outcome", "Ok", "ErrCode", "ErrText", "0"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@EVERY_CLOUD
@given(outcome=values)
def test_any_flag_code_and_message_yield_the_answer_or_an_error(call: ApiCall, outcome: Any) -> None:
    # What the answer is decoded to: JSON has neither NaN nor an infinity.
    content = json.loads(json.dumps({"Outcome": outcome, "Data": {"Status": "FINISH"}}), parse_constant=lambda _: None)
    flag = content["Outcome"].get("Ok") if isinstance(content["Outcome"], dict) else None
    if flag in (False, "false"):
        error = error_of(call, content)
        assert error.code
        str(error).encode()
    else:
        read(call, content)
