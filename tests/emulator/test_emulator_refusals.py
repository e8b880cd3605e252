"""Every refusal in its vendor's words, envelope and HTTP status."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Answer, Client

    from airflow_cloudtasks.emulator import Emulator

UPPER_UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
LOWER_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def refused(answer: Answer) -> tuple[int, str | None]:
    return answer.status, answer.code


def test_alibaba_refuses_in_its_own_envelope(client: Client) -> None:
    client.secret = "wrong"
    answer = client.ice()
    assert refused(answer) == (400, "SignatureDoesNotMatch")
    assert answer.message.startswith("Specified signature does not match our calculation. server StringToSign is [")
    assert set(answer.json) == {"RequestId", "HostId", "Code", "Message", "Recommend"}
    assert UPPER_UUID.fullmatch(answer.json["RequestId"])
    assert answer.json["HostId"] == f"127.0.0.1:{client.emulator.port}"
    assert answer.content_type == "application/json;charset=utf-8"


def test_tencent_refuses_in_its_own_envelope(client: Client) -> None:
    client.secret = "wrong"
    answer = client.wedata()
    assert refused(answer) == (200, "AuthFailure.SignatureFailure")
    assert set(answer.json["Response"]) == {"Error", "RequestId"}
    assert set(answer.json["Response"]["Error"]) == {"Code", "Message"}
    assert LOWER_UUID.fullmatch(answer.json["Response"]["RequestId"])
    assert answer.content_type == "application/json"


def test_every_answer_has_its_own_request_id(client: Client) -> None:
    assert client.ice().json["RequestId"] != client.ice().json["RequestId"]


def test_refuses_an_unknown_key(client: Client) -> None:
    client.key_id = "nobody"
    assert refused(client.ice()) == (404, "InvalidAccessKeyId.NotFound")
    assert refused(client.wedata()) == (200, "AuthFailure.SecretIdNotFound")


def test_refuses_a_key_of_the_other_cloud(client: Client) -> None:
    client.emulator.add_key("mine", "s3", cloud="tencent")
    client.key_id, client.secret = "mine", "s3"
    assert client.ice().code == "InvalidAccessKeyId.NotFound"
    assert client.wedata().code == "ResourceNotFound"


def test_refuses_a_revoked_key(client: Client) -> None:
    client.emulator.revoke_key("emulator-id")
    assert client.ice().code == "InvalidAccessKeyId.NotFound"
    with pytest.raises(KeyError):
        client.emulator.revoke_key("emulator-id")


@pytest.mark.parametrize("ago", [16 * 60, -16 * 60])
def test_alibaba_refuses_a_date_more_than_15_minutes_off(client: Client, ago: float) -> None:
    assert refused(client.ice(ago=ago)) == (400, "InvalidTimeStamp.Expired")
    assert client.ice(ago=ago * 14 / 16).code == "InvalidTaskId.NotFound"


@pytest.mark.parametrize("ago", [6 * 60, -6 * 60])
def test_tencent_refuses_a_timestamp_more_than_5_minutes_off(client: Client, ago: float) -> None:
    assert client.wedata(ago=ago).code == "AuthFailure.SignatureExpire"
    assert client.wedata(ago=ago * 4 / 6).code == "ResourceNotFound"


def test_tencent_refuses_a_scope_of_another_day(client: Client) -> None:
    assert client.wedata(date="2019-02-25").code == "AuthFailure.SignatureFailure"


def test_alibaba_refuses_a_nonce_that_was_used(client: Client) -> None:
    prepared = client.prepare_alibaba(query="TaskId=t1")
    assert client.send(prepared).code == "InvalidTaskId.NotFound"
    assert refused(client.send(prepared)) == (400, "SignatureNonceUsed")


def test_a_wrong_signature_does_not_use_up_the_nonce(client: Client) -> None:
    prepared = client.prepare_alibaba(query="TaskId=t1")
    tampered = prepared.carrying(x_acs_version="2020-11-10")
    assert client.send(tampered).code == "SignatureDoesNotMatch"
    assert client.send(prepared).code == "InvalidTaskId.NotFound"


def test_refuses_a_tampered_body(client: Client) -> None:
    alibaba = client.prepare_alibaba("GetTask", "2021-09-31", form="TaskId=1")
    assert client.send(alibaba.carrying(body=b"TaskId=2")).code == "SignatureDoesNotMatch"
    tencent = client.prepare_tencent({"ProjectId": "p1", "TaskId": "t1"})
    assert client.send(tencent.carrying(body=b"{}")).code == "AuthFailure.SignatureFailure"


def test_refuses_a_signed_hash_of_another_body(client: Client) -> None:
    prepared = client.prepare_alibaba(query="TaskId=t1", x_acs_content_sha256="0" * 64)
    assert client.send(prepared).code == "SignatureDoesNotMatch"


def test_refuses_a_tampered_query_or_path(client: Client) -> None:
    prepared = client.prepare_alibaba(query="TaskId=t1")
    assert client.send(replace(prepared, target="/?TaskId=t2")).code == "SignatureDoesNotMatch"
    roa = client.prepare_alibaba("DescribeTask", "2023-08-08", method="GET", path="/api/v1/tasks/a")
    assert client.send(replace(roa, target="/api/v1/tasks/b")).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", ["host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-anything"])
def test_alibaba_refuses_an_unsigned_header_that_must_be_signed(client: Client, name: str) -> None:
    client.unsigned = {name}
    answer = client.ice(x_acs_anything="1")
    assert refused(answer) == (400, "IncompleteSignature")
    assert name in answer.message


@pytest.mark.parametrize("name", ["host", "content-type"])
def test_tencent_refuses_an_unsigned_header_that_must_be_signed(client: Client, name: str) -> None:
    client.unsigned = {name}
    assert client.wedata().code == "AuthFailure.InvalidAuthorization"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("authorization", "MissingAccessKeyId"),
        ("x-acs-date", "MissingTimestamp"),
        ("x-acs-signature-nonce", "MissingSignatureNonce"),
        ("x-acs-content-sha256", "IncompleteSignature"),
        ("x-acs-version", "IncompleteSignature"),
    ],
)
def test_alibaba_refuses_a_request_without_a_required_header(client: Client, name: str, code: str) -> None:
    assert refused(client.send(client.prepare_alibaba(query="TaskId=t1").without(name))) == (400, code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("authorization", "MissingParameter"),
        ("x-tc-action", "MissingParameter"),
        ("x-tc-version", "MissingParameter"),
        ("x-tc-timestamp", "MissingParameter"),
        ("content-type", "AuthFailure.InvalidAuthorization"),
        ("x-tc-region", "MissingParameter"),
    ],
)
def test_tencent_refuses_a_request_without_a_required_header(client: Client, name: str, code: str) -> None:
    prepared = client.prepare_tencent({"ProjectId": "p1", "TaskId": "t1"}).without(name)
    assert client.send(prepared).code == code


def test_refuses_a_malformed_authorization_or_date(client: Client) -> None:
    alibaba, tencent = client.prepare_alibaba(), client.prepare_tencent()
    assert client.send(alibaba.carrying(authorization="ACS3-HMAC-SHA256 nonsense")).code == "IncompleteSignature"
    assert client.send(tencent.carrying(Authorization="nonsense")).code == "AuthFailure.InvalidAuthorization"
    assert client.send(alibaba.carrying(x_acs_date="yesterday")).code == "InvalidTimeStamp.Format"
    for timestamp in ("now", "-1", "9" * 5000):
        assert client.send(tencent.carrying(X_TC_Timestamp=timestamp)).code == "InvalidParameter"


def test_refuses_a_temporary_key_without_its_present_token(client: Client) -> None:
    client.emulator.add_key("sts", "s", token="new")
    client.key_id, client.secret = "sts", "s"
    assert (client.ice().code, client.wedata().code) == ("MissingSecurityToken", "AuthFailure.TokenFailure")
    client.token = "old"
    assert (client.ice().code, client.wedata().code) == ("InvalidSecurityToken.Expired", "AuthFailure.TokenFailure")
    client.token = "new"
    assert (client.ice().code, client.wedata().code) == ("InvalidTaskId.NotFound", "ResourceNotFound")


def test_refuses_a_permanent_key_with_a_token(client: Client) -> None:
    client.token = "stray"
    assert client.ice().code == "InvalidSecurityToken.MismatchWithAccessKey"
    assert client.wedata().code == "AuthFailure.TokenFailure"


def test_the_refusal_of_a_signature_does_not_contain_the_token(client: Client) -> None:
    client.emulator.add_key("sts", "s", token="very-secret-token")
    client.key_id, client.secret, client.token = "sts", "wrong", "very-secret-token"
    assert "very-secret-token" not in client.ice().message


@pytest.mark.parametrize(
    ("action", "version", "method", "path", "expected"),
    [
        ("StartNothing", "2020-11-09", "POST", "/", (404, "InvalidAction.NotFound")),
        ("GetTask", "2020-11-09", "POST", "/", (404, "InvalidAction.NotFound")),
        ("GetWorkflowTask", "2020-11-09", "PUT", "/", (404, "InvalidAction.NotFound")),
        ("GetWorkflowTask", "1999-01-01", "POST", "/", (400, "InvalidVersion")),
        (None, "2020-11-09", "POST", "/", (400, "MissingAction")),
        ("GetWorkflowTask", None, "POST", "/", (400, "MissingVersion")),
        ("DescribeTask", "2023-08-08", "GET", "/api/v1/nothing", (404, "InvalidAction.NotFound")),
        ("DescribeTask", "2020-11-09", "GET", "/api/v1/tasks/1", (400, "InvalidVersion")),
        ("Other", "2023-08-08", "GET", "/api/v1/tasks/1", (404, "InvalidAction.NotFound")),
    ],
)
def test_alibaba_refuses_an_unknown_action_or_version(
    client: Client,
    action: str | None,
    version: str | None,
    method: str,
    path: str,
    expected: tuple[int, str],
) -> None:
    assert refused(client.send(client.prepare_alibaba(action, version, method=method, path=path))) == expected


@pytest.mark.parametrize(
    ("service", "action", "version", "code"),
    [
        ("wedata", "GetNothing", "2025-08-06", "InvalidAction"),
        ("wedata", "GetTask", "1999-01-01", "NoSuchVersion"),
        ("lke", "GetTask", "2025-08-06", "AuthFailure.InvalidAuthorization"),
        ("cvm", "GetTask", "2025-08-06", "AuthFailure.InvalidAuthorization"),
    ],
)
def test_tencent_refuses_an_unknown_action_version_or_service(
    client: Client, service: str, action: str, version: str, code: str
) -> None:
    assert client.send(client.prepare_tencent({}, action, version, service=service)).code == code


def test_tencent_refuses_methods_other_than_get_and_post(client: Client) -> None:
    assert client.send(client.prepare_tencent({}, method="PUT")).code == "UnsupportedProtocol"


def test_refuses_a_missing_parameter(client: Client) -> None:
    assert refused(client.send(client.prepare_alibaba())) == (400, "MissingTaskId")
    assert refused(client.send(client.prepare_alibaba("GetTask", "2021-09-31"))) == (400, "MissingTaskId")
    answer = client.send(client.prepare_tencent({"TaskId": "t1"}))
    assert answer.code == "MissingParameter"
    assert answer.message == "The request is missing a required parameter `ProjectId`."


@pytest.mark.parametrize("value", [1, 1.5, True, None, ["t1"], {"a": 1}])
def test_tencent_refuses_a_parameter_of_another_json_type(client: Client, value: object) -> None:
    answer = client.send(client.prepare_tencent({"ProjectId": "p1", "TaskId": value}))
    assert answer.code == "InvalidParameter"
    assert "`TaskId`" in answer.message


def test_tencent_refuses_an_unknown_parameter(client: Client) -> None:
    answer = client.send(client.prepare_tencent({"ProjectId": "p1", "TaskId": "t1", "Colour": "red"}))
    assert answer.code == "UnknownParameter"
    assert "`Colour`" in answer.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_tencent_refuses_a_body_that_is_not_a_json_object(client: Client, body: bytes) -> None:
    assert client.send(client.prepare_tencent(body=body)).code == "InvalidParameter"


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda client: client.ice("none"), (404, "InvalidTaskId.NotFound")),
        (lambda client: client.bdrc("none"), (404, "InvalidTaskId.NotFound")),
        (lambda client: client.bpstudio("404"), (200, "404")),
        (lambda client: client.wedata("none"), (200, "ResourceNotFound")),
        (lambda client: client.lke("none"), (200, "ResourceNotFound")),
    ],
)
def test_refuses_an_unknown_task(client: Client, ask: Callable[[Client], Answer], expected: tuple[int, str]) -> None:
    assert refused(ask(client)) == expected


def test_bpstudio_refuses_an_unknown_task_in_the_envelope_of_its_answers(client: Client) -> None:
    assert set(client.bpstudio("404").json) == {"RequestId", "Code", "Message"}


def test_explains_itself_to_a_request_that_belongs_to_neither_cloud(client: Client) -> None:
    answer = client.plain("GET", "/")
    assert answer.status == 404
    assert "emulator" in answer.json["error"]


def test_finds_a_task_only_in_its_scope(client: Client, cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y", fields={"ProjectId": "p1"})
    cloudtasks_emulator.add_task(
        "lke.task", "8", "RUNNING", fields={"TaskType": "ExportAttributeLabel", "BotBizId": "b1"}
    )
    cloudtasks_emulator.add_task("lke.task", "8", "FAILED", fields={"TaskType": "ModifyAttributeLabel"})
    assert client.wedata(project_id="p1").code is None
    assert client.wedata(project_id="p2").code == "ResourceNotFound"
    assert client.lke().json["Response"]["Status"] == "RUNNING"
    assert client.lke(bot="b2").code == "ResourceNotFound"
    other = client.lke(task_type="ModifyAttributeLabel", bot="b2").json["Response"]
    assert (other["Status"], other["TaskType"]) == ("FAILED", "ModifyAttributeLabel")


def test_finds_a_task_without_a_scope_in_any_scope(client: Client, cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y")
    assert client.wedata(project_id="p1").code is None
    assert client.wedata(project_id="p2").code is None


def test_reads_parameters_from_query_form_path_and_get(client: Client, cloudtasks_emulator: Emulator) -> None:
    for api, task_id in (("ice.workflow_task", "t1"), ("bdrc.task", "a/b ü"), ("wedata.task", "t1")):
        cloudtasks_emulator.add_task(api, task_id, "Y")
    assert client.ice().code is None
    assert client.send(client.prepare_alibaba(form="TaskId=t1")).code is None
    assert client.bdrc("a%2Fb%20%C3%BC").json["Data"]["TaskId"] == "a/b ü"
    assert client.send(client.prepare_tencent(method="GET", query="ProjectId=p1&TaskId=t1")).code is None
