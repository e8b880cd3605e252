"""The token services: who gets a temporary key, what it permits, and when it expires."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_cloudtasks.emulator.engine.keys import ISSUED_KEPT, Key, KeyRing
from airflow_cloudtasks.emulator.engine.sts import StsSettings, issue, machine_session, open_session

if TYPE_CHECKING:
    from conftest import Answer, Client

    from airflow_cloudtasks.emulator import Emulator

ALIBABA_ROLE = "acs:ram::123456789012****:role/adminrole"
TENCENT_ROLE = "qcs::cam::uin/100015158414:roleName/readOnlyRole"
ALIBABA = {"RoleArn": ALIBABA_ROLE, "RoleSessionName": "alice"}
TENCENT = {"RoleArn": TENCENT_ROLE, "RoleSessionName": "alice"}
OIDC = {**ALIBABA, "OIDCProviderArn": "acs:ram::1:oidc-provider/p", "OIDCToken": "the-oidc-token"}
WEB = {**TENCENT, "ProviderId": "p", "WebIdentityToken": "the-oidc-token"}


def unsigned_rpc(client: Client, **parameters: str) -> Answer:
    names = ("AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Signature")
    return client.rpc("AssumeRoleWithOIDC", **dict.fromkeys(names), **parameters)


def alibaba_holder(client: Client, answer: Answer) -> Client:
    issued = answer.json["Credentials"]
    return client.holding(issued["AccessKeyId"], issued["AccessKeySecret"], issued["SecurityToken"])


def tencent_holder(client: Client, answer: Answer) -> Client:
    issued = answer.json["Response"]["Credentials"]
    return client.holding(issued["TmpSecretId"], issued["TmpSecretKey"], issued["Token"])


def stated_seconds(answer: Answer) -> float:
    """The stated lifetime of a key in seconds from now; all statements in an answer must agree."""
    body = answer.json.get("Response", answer.json)
    text = body.get("Expiration") or body["Credentials"]["Expiration"]
    stated = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    assert body.get("ExpiredTime", stated) == stated
    return stated - time.time()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_alibaba_issues_a_key_for_the_older_signature(client: Client, method: str) -> None:
    answer = client.send(client.prepare_rpc({"Action": "AssumeRole", **ALIBABA}, method=method))
    assert set(answer.json) == {"RequestId", "AssumedRoleUser", "Credentials"}
    assert answer.json["Credentials"]["AccessKeyId"].startswith("STS.")
    assert answer.json["AssumedRoleUser"]["Arn"] == f"{ALIBABA_ROLE}/alice"
    assert answer.json["AssumedRoleUser"]["AssumedRoleId"].endswith(":alice")
    assert stated_seconds(answer) == pytest.approx(3600, abs=3)
    assert alibaba_holder(client, answer).ice().code == "InvalidTaskId.NotFound"


@pytest.mark.parametrize("place", ["query", "form"])
def test_alibaba_issues_a_key_for_signature_v3(client: Client, place: str) -> None:
    encoded = f"RoleArn={ALIBABA_ROLE}&RoleSessionName=alice&DurationSeconds=900"
    answer = client.send(client.prepare_alibaba("AssumeRole", "2015-04-01", **{place: encoded}))
    assert stated_seconds(answer) == pytest.approx(900, abs=3)
    assert alibaba_holder(client, answer).ice().code == "InvalidTaskId.NotFound"


def test_the_task_apis_accept_the_older_signature(client: Client) -> None:
    client.emulator.add_task("ice.workflow_task", "t 1*", "Succeed")
    prepared = client.prepare_rpc(
        {"Action": "GetWorkflowTask", "Version": "2020-11-09", "TaskId": "t 1*"}, method="POST"
    )
    assert client.send(prepared).json["WorkflowTask"]["Status"] == "Succeed"


def test_tencent_issues_a_key(client: Client) -> None:
    answer = client.tencent_sts("AssumeRole", {**TENCENT, "DurationSeconds": 1800})
    assert set(answer.json["Response"]) == {"Credentials", "ExpiredTime", "Expiration", "RequestId"}
    assert set(answer.json["Response"]["Credentials"]) == {"Token", "TmpSecretId", "TmpSecretKey"}
    assert stated_seconds(answer) == pytest.approx(1800, abs=3)
    assert tencent_holder(client, answer).wedata().code == "ResourceNotFound"


def test_tencent_reads_a_number_from_a_query(client: Client) -> None:
    query = f"RoleArn={TENCENT_ROLE}&RoleSessionName=alice&DurationSeconds=600"
    prepared = client.prepare_tencent(None, "AssumeRole", "2018-08-13", service="sts", method="GET", query=query)
    assert stated_seconds(client.send(prepared)) == pytest.approx(600, abs=3)


def test_an_oidc_token_replaces_a_signature(client: Client) -> None:
    client.emulator.revoke_key("emulator-id")
    alibaba, tencent = unsigned_rpc(client, **OIDC), client.tencent_sts("AssumeRoleWithWebIdentity", WEB, unsigned=True)
    assert alibaba_holder(client, alibaba).ice().code == "InvalidTaskId.NotFound"
    assert tencent_holder(client, tencent).wedata().code == "ResourceNotFound"
    v3 = client.prepare_alibaba("AssumeRoleWithOIDC", "2015-04-01", query="&".join(f"{n}={v}" for n, v in OIDC.items()))
    assert client.send(v3.without("authorization")).status == 200


def test_refuses_every_other_action_without_a_signature(client: Client) -> None:
    assert client.tencent_sts("AssumeRole", TENCENT, unsigned=True).code == "AuthFailure.InvalidAuthorization"
    assert client.tencent_sts("GetCallerIdentity", unsigned=True).code == "AuthFailure.InvalidAuthorization"
    assert client.rpc("AssumeRole", AccessKeyId=None, **ALIBABA).code == "MissingAccessKeyId"


def test_a_permanent_key_identifies_a_user(client: Client) -> None:
    alibaba, tencent = client.rpc("GetCallerIdentity").json, client.tencent_sts("GetCallerIdentity").json["Response"]
    account, user = alibaba["AccountId"], alibaba["UserId"]
    assert alibaba["IdentityType"] == "RAMUser"
    assert alibaba["Arn"] == f"acs:ram::{account}:user/emulator-id"
    assert alibaba["PrincipalId"] == user != account
    assert "RoleId" not in alibaba
    assert tencent["Type"] == "CAMUser"
    assert tencent["Arn"] == f"qcs::cam:{tencent['AccountId']}:uin/{tencent['UserId']}"


def test_an_issued_key_identifies_a_role(client: Client) -> None:
    answer = client.rpc("AssumeRole", **ALIBABA)
    alibaba = alibaba_holder(client, answer).rpc("GetCallerIdentity").json
    assert alibaba["IdentityType"] == "AssumedRoleUser"
    assert alibaba["Arn"] == "acs:ram::123456789012****:assumed-role/adminrole/alice"
    assert alibaba["AccountId"] == "123456789012****"
    assert alibaba["PrincipalId"] == answer.json["AssumedRoleUser"]["AssumedRoleId"] == f"{alibaba['RoleId']}:alice"
    holder = tencent_holder(client, client.tencent_sts("AssumeRole", TENCENT))
    tencent = holder.tencent_sts("GetCallerIdentity").json["Response"]
    assert (tencent["Type"], tencent["AccountId"]) == ("CAMRole", "100015158414")
    assert tencent["UserId"].endswith(":alice")
    assert tencent["PrincipalId"] == client.tencent_sts("GetCallerIdentity").json["Response"]["AccountId"]


def test_a_role_can_assume_another_role(client: Client) -> None:
    first = alibaba_holder(client, client.rpc("AssumeRole", **ALIBABA))
    second = alibaba_holder(first, first.rpc("AssumeRole", RoleArn="acs:ram::7:role/other", RoleSessionName="bob"))
    assert second.rpc("GetCallerIdentity").json["Arn"] == "acs:ram::7:assumed-role/other/bob"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Signature": None}, "MissingSignature"),
        ({"SignatureNonce": None}, "MissingSignatureNonce"),
        ({"Timestamp": None}, "MissingTimestamp"),
        ({"Timestamp": "yesterday"}, "InvalidTimeStamp.Format"),
        ({"SignatureMethod": "HMAC-SHA256"}, "IncompleteSignature"),
        ({"AccessKeyId": "nobody"}, "InvalidAccessKeyId.NotFound"),
        ({"Signature": "b2Zm"}, "SignatureDoesNotMatch"),
        ({"SecurityToken": "t"}, "InvalidSecurityToken.MismatchWithAccessKey"),
        ({"Version": "2015-04-02"}, "InvalidVersion"),
    ],
)
def test_refuses_a_wrong_older_signature(client: Client, parameters: dict[str, str | None], code: str) -> None:
    assert client.rpc("GetCallerIdentity", **parameters).code == code


def test_refuses_an_expired_or_repeated_older_signature(client: Client) -> None:
    assert client.send(client.prepare_rpc({"Action": "GetCallerIdentity"}, ago=16 * 60)).code == (
        "InvalidTimeStamp.Expired"
    )
    prepared = client.prepare_rpc({"Action": "GetCallerIdentity"})
    assert client.send(prepared).status == 200
    assert client.send(prepared).code == "SignatureNonceUsed"


def test_the_refusal_of_a_signature_shows_the_string_to_sign_without_the_token(client: Client) -> None:
    client.token = "a-secret-token"
    answer = client.send(client.prepare_rpc({"Action": "GetCallerIdentity"}, secret="wrong"))
    assert answer.code == "SignatureDoesNotMatch"
    assert "server string to sign is:GET&%2F&AccessKeyId%3Demulator-id%26" in answer.message
    assert "a-secret-token" not in answer.message


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"RoleArn": "acs:ram::1:user/u"}, 400, "InvalidParameter.RoleArn"),
        ({"RoleArn": None}, 400, "MissingRoleArn"),
        ({"RoleSessionName": "a b"}, 400, "InvalidParameter.RoleSessionName"),
        ({"RoleSessionName": "a"}, 400, "InvalidParameter.RoleSessionName"),
        ({"DurationSeconds": "899"}, 400, "InvalidParameter.DurationSeconds"),
        ({"DurationSeconds": "soon"}, 400, "InvalidParameter.DurationSeconds"),
        ({"Policy": "allow all"}, 400, "InvalidParameter.PolicyGrammar"),
    ],
)
def test_alibaba_refuses_invalid_parameters(
    client: Client, changes: dict[str, str | None], status: int, code: str
) -> None:
    answer = client.rpc("AssumeRole", **{**ALIBABA, **changes})
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"RoleArn": "qcs::cam::uin/1:user/u"}, "InvalidParameter.ParamError"),
        ({"RoleSessionName": "a b"}, "InvalidParameter.ParamError"),
        ({"DurationSeconds": 43_201}, "InvalidParameter.OverTimeError"),
        ({"DurationSeconds": "900"}, "InvalidParameter"),
        ({"Tags": "none"}, "InvalidParameter"),
        ({"Role": "x"}, "UnknownParameter"),
    ],
)
def test_tencent_refuses_invalid_parameters(client: Client, changes: dict[str, Any], code: str) -> None:
    assert client.tencent_sts("AssumeRole", {**TENCENT, **changes}).code == code


def test_refuses_an_unknown_role(client: Client) -> None:
    client.emulator.sts(roles=[ALIBABA_ROLE, TENCENT_ROLE])
    assert client.rpc("AssumeRole", **ALIBABA).status == 200
    answer = client.rpc("AssumeRole", **{**ALIBABA, "RoleArn": "acs:ram::1:role/other"})
    assert (answer.status, answer.code) == (404, "EntityNotExist.Role")
    other = {**TENCENT, "RoleArn": "qcs::cam::uin/1:roleName/other"}
    assert client.tencent_sts("AssumeRole", TENCENT).code is None
    assert client.tencent_sts("AssumeRole", other).code == "ResourceNotFound.RoleNotFound"


def test_requires_an_external_id(client: Client) -> None:
    client.emulator.sts(external_id="shared")
    for wrong in ({}, {"ExternalId": "other"}):
        answer = client.rpc("AssumeRole", **ALIBABA, **wrong)
        assert (answer.status, answer.code) == (403, "NoPermission")
        assert client.tencent_sts("AssumeRole", {**TENCENT, **wrong}).code == "UnauthorizedOperation"
    assert client.rpc("AssumeRole", **ALIBABA, ExternalId="shared").status == 200
    assert client.tencent_sts("AssumeRole", {**TENCENT, "ExternalId": "shared"}).code is None


def test_refuses_another_oidc_token(client: Client) -> None:
    client.emulator.sts(oidc_token="the-right-one")
    answer = unsigned_rpc(client, **OIDC)
    assert (answer.status, answer.code) == (401, "AuthenticationFail.OIDCToken.InvalidSignature")
    tencent = client.tencent_sts("AssumeRoleWithWebIdentity", WEB, unsigned=True)
    assert tencent.code == "InvalidParameter.WebIdentityTokenError"


def test_a_key_expires_at_its_real_expiry_and_not_at_the_stated_one(client: Client) -> None:
    client.emulator.sts(seconds=900, valid_seconds=0)
    alibaba, tencent = client.rpc("AssumeRole", **ALIBABA), client.tencent_sts("AssumeRole", TENCENT)
    assert stated_seconds(alibaba) == pytest.approx(900, abs=3)
    assert stated_seconds(tencent) == pytest.approx(900, abs=3)
    assert alibaba_holder(client, alibaba).ice().code == "InvalidSecurityToken.Expired"
    assert alibaba_holder(client, alibaba).rpc("GetCallerIdentity").code == "InvalidSecurityToken.Expired"
    assert tencent_holder(client, tencent).wedata().code == "AuthFailure.TokenFailure"


def test_expires_all_issued_keys_at_once(client: Client) -> None:
    old = alibaba_holder(client, client.rpc("AssumeRole", **ALIBABA))
    older = tencent_holder(client, client.tencent_sts("AssumeRole", TENCENT))
    assert client.emulator.sts()["issued"] == 2
    assert client.emulator.expire_issued() == 2
    assert old.ice().code == "InvalidSecurityToken.Expired"
    assert older.wedata().code == "AuthFailure.TokenFailure"
    assert alibaba_holder(client, client.rpc("AssumeRole", **ALIBABA)).ice().code == "InvalidTaskId.NotFound"
    assert client.control("POST", "sts/expire").json == {"expired": 1}
    assert client.ice().code == "InvalidTaskId.NotFound"


def test_refuses_an_issued_key_without_its_token_or_on_the_other_cloud(client: Client) -> None:
    holder = alibaba_holder(client, client.rpc("AssumeRole", **ALIBABA))
    holder.token = None
    assert holder.ice().code == "MissingSecurityToken"
    assert holder.wedata().code == "AuthFailure.SecretIdNotFound"


def test_a_role_of_the_default_account_shares_its_limit(client: Client) -> None:
    account = client.rpc("GetCallerIdentity").json["AccountId"]
    own = alibaba_holder(
        client, client.rpc("AssumeRole", RoleArn=f"acs:ram::{account}:role/r", RoleSessionName="alice")
    )
    other = alibaba_holder(client, client.rpc("AssumeRole", **ALIBABA))
    client.emulator.limit(1)
    assert client.ice().code == "InvalidTaskId.NotFound"
    assert own.ice().code == "Throttling.User"
    assert other.ice().code == "InvalidTaskId.NotFound"


def test_the_journal_has_the_key_id_and_no_secret(client: Client) -> None:
    answer = client.rpc("AssumeRole", **ALIBABA)
    unsigned_rpc(client, **OIDC)
    client.tencent_sts("AssumeRoleWithWebIdentity", WEB, unsigned=True)
    alibaba_holder(client, answer).rpc("AssumeRole", **{**ALIBABA, "RoleArn": "wrong"})
    entries = client.emulator.requests()
    assert [(entry["api"], entry["cloud"], entry["key_id"], entry["outcome"]) for entry in entries] == [
        ("sts.assume_role", "alibaba", "emulator-id", "ok"),
        ("sts.assume_role_with_oidc", "alibaba", None, "ok"),
        ("sts.assume_role_with_web_identity", "tencent", None, "ok"),
        ("sts.assume_role", "alibaba", answer.json["Credentials"]["AccessKeyId"], "InvalidParameter.RoleArn"),
    ]
    assert entries[1]["parameters"] == {**OIDC, "OIDCToken": "***"}
    assert entries[2]["parameters"] == {**WEB, "WebIdentityToken": "***"}
    assert client.emulator.requests("sts.assume_role") == [entries[0], entries[3]]
    shown = str(entries) + str(client.control("GET", "keys").json) + str(client.control("GET", "sts").json)
    for secret in (*(answer.json["Credentials"][name] for name in ("AccessKeySecret", "SecurityToken")), "oidc-token"):
        assert secret not in shown
    assert client.emulator.totals()["sts.assume_role"]["total"] == 2


def test_faults_and_limits_apply_to_the_token_services(client: Client) -> None:
    client.emulator.fault("http_500", count=1)
    assert client.rpc("AssumeRole", **ALIBABA).status == 500
    client.emulator.limit(1)
    assert unsigned_rpc(client, **OIDC).status == 200
    assert unsigned_rpc(client, **OIDC).code == "Throttling.User"


def test_changes_only_the_given_settings(client: Client) -> None:
    default = {
        "seconds": None,
        "valid_seconds": None,
        "external_id": None,
        "oidc_token": None,
        "role": "emulator-role",
        "imds_v1": False,
        "roles": None,
        "issued": 0,
    }
    assert client.control("GET", "sts").json == default
    assert client.emulator.sts(seconds=5, oidc_token="hidden") == {**default, "seconds": 5.0, "oidc_token": "***"}
    changed = {**default, "seconds": 5.0, "oidc_token": "***", "role": "other"}
    assert client.control("POST", "sts", {"role": "other"}).json == changed
    assert client.control("POST", "sts", {"seconds": None, "oidc_token": None, "role": None}).json == default
    client.emulator.sts(imds_v1=True)
    client.emulator.reset()
    assert client.control("GET", "sts").json == default


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"second": 1}, "token settings: unknown 'second'; expected seconds, valid_seconds"),
        ({"seconds": -1}, "seconds: expected a number of seconds from 0"),
        ({"role": "a/b"}, "role: expected a role's name"),
        ({"imds_v1": 1}, "imds_v1: expected true or false"),
        ({"roles": "acs"}, "roles: expected a list of role ARNs or null"),
        ({"roles": [""]}, "roles[0]: expected a string that is not empty"),
        ({"oidc_token": ["secret"]}, "oidc_token: expected a string that is not empty, got list"),
    ],
)
def test_refuses_invalid_settings(client: Client, settings: dict[str, Any], text: str) -> None:
    answer = client.control("POST", "sts", settings)
    assert answer.status == 400
    assert answer.json["error"].startswith(text)


def test_forgets_the_oldest_issued_key_beyond_the_bound() -> None:
    ring = KeyRing()
    for number in range(ISSUED_KEPT + 1):
        ring.add_issued(Key(f"k{number}", "s", "t", expires_at=10.0), "alibaba")
    assert ring.find("alibaba", "k0") is None
    assert ring.find("alibaba", "k1") is not None
    assert ring.expire_issued(20.0) == 0
    assert ring.expire_issued(5.0) == ISSUED_KEPT


def test_issues_a_key_by_the_settings() -> None:
    session = machine_session("tencent", "r")
    assert session.role_arn.endswith(":roleName/r")
    asked = issue(session, StsSettings(), 100, 1000.0)
    assert (asked.stated_expiry, asked.key.expires_at) == (1100, 1100.0)
    issued = issue(session, StsSettings(seconds=5, valid_seconds=2), 100, 1000.0)
    assert (issued.stated_expiry, issued.key.expires_at) == (1005, 1002.0)
    assert not issued.key.has_expired(1001.9)
    assert issued.key.has_expired(1002.0)


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("qcs::cam::uin/12345678:role/4611686018427397919", "4611686018427397919"),
        ("qcs::cam::uin/12345678:role/tencentcloudServiceRoleName/test", "tencentcloudServiceRoleName/test"),
        ("qcs::cam::uin/12345678:roleName/testRoleName", "testRoleName"),
        ("acs:ram::12345678:role/r", None),
    ],
)
def test_parses_tencents_role_arns(arn: str, name: str | None) -> None:
    session = open_session("tencent", arn, "s", "1")
    assert (session.role_name if session else None) == name


def test_two_ports_share_one_state(two_port_emulator: Emulator) -> None:
    assert two_port_emulator.url == f"http://127.0.0.1:{two_port_emulator.port}"
    assert two_port_emulator.tls_url == f"https://127.0.0.1:{two_port_emulator.tls_port}"
    assert two_port_emulator.port != two_port_emulator.tls_port
