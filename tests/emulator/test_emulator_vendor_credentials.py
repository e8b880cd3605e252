"""The vendors' own credential classes with the emulator's token and metadata services, and the use of their keys."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from alibabacloud_credentials.client import Client as AlibabaCredential
from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.http import HttpOptions
from alibabacloud_credentials.provider import (
    EcsRamRoleCredentialsProvider,
    OIDCRoleArnCredentialsProvider,
    RamRoleArnCredentialsProvider,
)
from alibabacloud_ice20201109.client import Client as IceClient
from alibabacloud_ice20201109.models import GetWorkflowTaskRequest
from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from Tea.exceptions import RetryError
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import (
    Credential,
    CVMRoleCredential,
    DefaultTkeOIDCRoleArnProvider,
    OIDCRoleArnCredential,
    STSAssumeRoleCredential,
)
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from vendor_clients import tccli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_cloudtasks.emulator import Emulator

ALIBABA_ROLE = "acs:ram::1234567890123456:role/adminrole"
TENCENT_ROLE = "qcs::cam::uin/100015158414:roleName/readOnlyRole"
POLICY = '{"Statement":[{"Action":["*"],"Effect":"Allow","Resource":["*"]}],"Version":"1"}'
# Both vendors' libraries read these variables; a test must not depend on the machine that it runs on.
CREDENTIAL_VARIABLES = ("ALIBABA_CLOUD_", "TENCENTCLOUD_", "TKE_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.upper().startswith(CREDENTIAL_VARIABLES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "oidc-token"
    path.write_text("the-oidc-token")
    return path


def get_sync(provider: Any) -> Any:
    return provider.get_credentials()


def get_async(provider: Any) -> Any:
    return asyncio.run(provider.get_credentials_async())


EITHER_WAY = pytest.mark.parametrize("get", [get_sync, get_async])


def ram_role(emulator: Emulator, **changes: Any) -> RamRoleArnCredentialsProvider:
    arguments = {
        "access_key_id": "emulator-id",
        "access_key_secret": "emulator-secret",
        "role_arn": ALIBABA_ROLE,
        "role_session_name": "airflow",
        "sts_endpoint": f"127.0.0.1:{emulator.tls_port}",
    }
    return RamRoleArnCredentialsProvider(**{**arguments, **changes})


def rrsa(emulator: Emulator, token_file: Path, **changes: Any) -> OIDCRoleArnCredentialsProvider:
    arguments = {
        "role_arn": ALIBABA_ROLE,
        "oidc_provider_arn": "acs:ram::1234567890123456:oidc-provider/ack",
        "oidc_token_file_path": str(token_file),
        "role_session_name": "airflow",
        "sts_endpoint": f"127.0.0.1:{emulator.tls_port}",
    }
    return OIDCRoleArnCredentialsProvider(**{**arguments, **changes})


def ecs_role(emulator: Emulator, **changes: Any) -> EcsRamRoleCredentialsProvider:
    # The library's default timeouts of one second are too short for a busy machine.
    options = HttpOptions(connect_timeout=10_000, read_timeout=10_000)
    # With async_update_enabled, every provider starts a scheduler's thread that never ends.
    provider = EcsRamRoleCredentialsProvider(**{"http_options": options, "async_update_enabled": False, **changes})
    provider._EcsRamRoleCredentialsProvider__metadata_service_host = f"127.0.0.1:{emulator.port}"
    return provider


def alibaba_config(emulator: Emulator, **changes: Any) -> Config:
    endpoint = f"127.0.0.1:{emulator.port}"
    return Config(**{"protocol": "HTTP", "endpoint": endpoint, "region_id": "cn-shanghai", **changes})


def read_ice_task(emulator: Emulator, provider: Any) -> str:
    client = IceClient(alibaba_config(emulator, credential=AlibabaCredential(provider=provider)))
    status: str = client.get_workflow_task(GetWorkflowTaskRequest(task_id="t1")).body.workflow_task.status
    return status


def call_tencent(
    emulator: Emulator, credential: Any, service: str, version: str, action: str, **parameters: Any
) -> Any:
    profile = ClientProfile(httpProfile=HttpProfile(endpoint=emulator.url))
    client = CommonClient(service, version, credential, "ap-guangzhou", profile)
    return client.call_json(action, parameters)["Response"]


def read_wedata_task(emulator: Emulator, credential: Any) -> str:
    answer = call_tencent(emulator, credential, "wedata", "2025-08-06", "GetTask", ProjectId="p1", TaskId="t1")
    status: str = answer["Data"]["TaskBaseAttribute"]["Status"]
    return status


def asked(emulator: Emulator) -> list[tuple[str, str | None, str]]:
    return [(entry["api"], entry["key_id"], entry["outcome"]) for entry in emulator.requests()]


# Alibaba Cloud: a role by an access key


@EITHER_WAY
def test_alibabas_library_assumes_a_role_over_tls(two_port_emulator: Emulator, get: Callable[[Any], Any]) -> None:
    two_port_emulator.sts(external_id="shared")
    provider = ram_role(two_port_emulator, external_id="shared", policy=POLICY, duration_seconds=1800)
    credentials = get(provider)
    assert credentials.get_provider_name() == "ram_role_arn/static_ak"
    two_port_emulator.add_task("ice.workflow_task", "t1", "Succeed")
    assert read_ice_task(two_port_emulator, provider) == "Succeed"
    assert asked(two_port_emulator) == [
        ("sts.assume_role", "emulator-id", "ok"),
        ("ice.workflow_task", credentials.get_access_key_id(), "ok"),
    ]
    assert two_port_emulator.requests("sts.assume_role")[0]["parameters"] == {
        "RoleArn": ALIBABA_ROLE,
        "RoleSessionName": "airflow",
        "DurationSeconds": "1800",
        "Policy": POLICY,
        "ExternalId": "shared",
    }


@EITHER_WAY
def test_alibabas_library_refuses_an_untrusted_certificate(
    two_port_emulator: Emulator, certificates: Any, monkeypatch: pytest.MonkeyPatch, get: Callable[[Any], Any]
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificates.ca)
    # Another name for the same port, since the library caches its first trust decision for an endpoint.
    provider = ram_role(two_port_emulator, sts_endpoint=f"localhost:{two_port_emulator.tls_port}")
    with pytest.raises(RetryError, match="CERTIFICATE_VERIFY_FAILED"):
        get(provider)


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        ({}, {"access_key_secret": "wrong"}, "SignatureDoesNotMatch"),
        ({}, {"access_key_id": "nobody"}, "InvalidAccessKeyId.NotFound"),
        ({"external_id": "shared"}, {"external_id": "other"}, "NoPermission"),
        ({"external_id": "shared"}, {}, "NoPermission"),
        ({"roles": ["acs:ram::1:role/other"]}, {}, "EntityNotExist.Role"),
        ({}, {"role_arn": "acs:ram::1:user/u"}, "InvalidParameter.RoleArn"),
        # The library signs a space as a plus sign, contrary to the documented algorithm.
        ({}, {"policy": '{"Version": "1"}'}, "SignatureDoesNotMatch"),
    ],
)
@EITHER_WAY
def test_alibabas_library_reports_why_a_role_is_refused(
    two_port_emulator: Emulator,
    settings: dict[str, Any],
    changes: dict[str, Any],
    code: str,
    get: Callable[[Any], Any],
) -> None:
    two_port_emulator.sts(**settings)
    with pytest.raises(CredentialException, match=code):
        get(ram_role(two_port_emulator, **changes))
    assert [outcome for _, _, outcome in asked(two_port_emulator)] == [code]


def test_alibabas_library_refreshes_a_key_a_quarter_of_an_hour_before_its_expiry(two_port_emulator: Emulator) -> None:
    lasting = ram_role(two_port_emulator)
    first = lasting.get_credentials().get_access_key_id()
    assert lasting.get_credentials().get_access_key_id() == first
    two_port_emulator.sts(seconds=14 * 60)
    ending = ram_role(two_port_emulator)
    assert ending.get_credentials().get_access_key_id() != ending.get_credentials().get_access_key_id()
    assert two_port_emulator.totals()["sts.assume_role"]["total"] == 3


def test_alibabas_library_keeps_a_key_that_expired_early(two_port_emulator: Emulator) -> None:
    provider = ram_role(two_port_emulator)
    provider.get_credentials()
    assert two_port_emulator.expire_issued() == 1
    with pytest.raises(Exception, match="SecurityToken is expired") as raised:
        read_ice_task(two_port_emulator, provider)
    assert raised.value.code == "InvalidSecurityToken.Expired"
    assert two_port_emulator.totals()["sts.assume_role"]["total"] == 1


def test_alibabas_library_assumes_a_role_with_the_key_of_another(two_port_emulator: Emulator) -> None:
    first = ram_role(two_port_emulator)
    second = ram_role(two_port_emulator, credentials_provider=first, role_arn="acs:ram::7:role/other")
    second.get_credentials()
    assert asked(two_port_emulator) == [
        ("sts.assume_role", "emulator-id", "ok"),
        ("sts.assume_role", first.get_credentials().get_access_key_id(), "ok"),
    ]


# Alibaba Cloud: a role by an OIDC token


@EITHER_WAY
def test_alibabas_library_assumes_a_role_by_an_oidc_token(
    two_port_emulator: Emulator, token_file: Path, get: Callable[[Any], Any]
) -> None:
    two_port_emulator.sts(oidc_token="the-oidc-token")
    provider = rrsa(two_port_emulator, token_file)
    key_id = get(provider).get_access_key_id()
    two_port_emulator.add_task("ice.workflow_task", "t1", "Succeed")
    assert read_ice_task(two_port_emulator, provider) == "Succeed"
    assert asked(two_port_emulator) == [
        ("sts.assume_role_with_oidc", None, "ok"),
        ("ice.workflow_task", key_id, "ok"),
    ]


def test_alibabas_library_reports_why_an_oidc_token_is_refused(two_port_emulator: Emulator, token_file: Path) -> None:
    two_port_emulator.sts(oidc_token="another")
    with pytest.raises(CredentialException, match=r"http_code: 401.*AuthenticationFail\.OIDCToken\.InvalidSignature"):
        rrsa(two_port_emulator, token_file).get_credentials()


# Alibaba Cloud: a machine's role


@EITHER_WAY
@pytest.mark.parametrize("disable_imds_v1", [True, False])
def test_alibabas_library_gets_keys_from_the_metadata_service(
    cloudtasks_emulator: Emulator, get: Callable[[Any], Any], disable_imds_v1: bool
) -> None:
    provider = ecs_role(cloudtasks_emulator, disable_imds_v1=disable_imds_v1)
    key_id = get(provider).get_access_key_id()
    cloudtasks_emulator.add_task("ice.workflow_task", "t1", "Succeed")
    assert read_ice_task(cloudtasks_emulator, provider) == "Succeed"
    assert asked(cloudtasks_emulator) == [
        ("metadata.token", None, "ok"),
        ("metadata.role", None, "ok"),
        ("metadata.token", None, "ok"),
        ("metadata.credentials", None, "ok"),
        ("ice.workflow_task", key_id, "ok"),
    ]


def test_alibabas_library_asks_without_a_token_only_where_allowed(
    cloudtasks_emulator: Emulator,
) -> None:
    cloudtasks_emulator.sts(role="mine")
    with pytest.raises(CredentialException, match="HttpCode=404"):
        ecs_role(cloudtasks_emulator, role_name="other", disable_imds_v1=True).get_credentials()
    with pytest.raises(CredentialException, match="HttpCode=403"):
        ecs_role(cloudtasks_emulator, role_name="other").get_credentials()
    cloudtasks_emulator.sts(imds_v1=True)
    with pytest.raises(CredentialException, match="HttpCode=404"):
        ecs_role(cloudtasks_emulator, role_name="other").get_credentials()


def test_alibabas_library_keeps_an_old_key_when_the_metadata_service_fails(
    cloudtasks_emulator: Emulator,
) -> None:
    cloudtasks_emulator.sts(seconds=14 * 60)
    provider = ecs_role(cloudtasks_emulator, role_name="emulator-role")
    first = provider.get_credentials().get_access_key_id()
    cloudtasks_emulator.fault("http_500")
    assert provider.get_credentials().get_access_key_id() == first


# Alibaba Cloud: the identity of a key


def caller_identity(config: Config) -> Any:
    parameters = Params(
        action="GetCallerIdentity",
        version="2015-04-01",
        protocol="HTTP",
        method="POST",
        auth_type="AK",
        style="RPC",
        pathname="/",
        req_body_type="json",
        body_type="json",
    )
    return OpenApiClient(config).call_api(parameters, OpenApiRequest(), RuntimeOptions())["body"]


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_alibabas_generic_client_gets_its_identity(two_port_emulator: Emulator, algorithm: str | None) -> None:
    lasting = {"access_key_id": "emulator-id", "access_key_secret": "emulator-secret"}
    config = alibaba_config(two_port_emulator, signature_algorithm=algorithm, **lasting)
    assert caller_identity(config)["IdentityType"] == "RAMUser"
    credential = AlibabaCredential(provider=ram_role(two_port_emulator))
    config = alibaba_config(two_port_emulator, signature_algorithm=algorithm, credential=credential)
    body = caller_identity(config)
    assert (body["IdentityType"], body["AccountId"]) == ("AssumedRoleUser", "1234567890123456")
    assert body["Arn"] == "acs:ram::1234567890123456:assumed-role/adminrole/airflow"


# Tencent Cloud: a role by a key


def tencent_role(emulator: Emulator, **changes: Any) -> STSAssumeRoleCredential:
    arguments = {
        "secret_id": "emulator-id",
        "secret_key": "emulator-secret",
        "role_arn": TENCENT_ROLE,
        "role_session_name": "airflow",
        "endpoint": emulator.url,
    }
    return STSAssumeRoleCredential(**{**arguments, **changes})


def test_tencents_library_assumes_a_role(cloudtasks_emulator: Emulator) -> None:
    credential = tencent_role(cloudtasks_emulator, duration_seconds=1800)
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y")
    assert read_wedata_task(cloudtasks_emulator, credential) == "Y"
    assert asked(cloudtasks_emulator) == [
        ("sts.assume_role", "emulator-id", "ok"),
        ("wedata.task", credential.secret_id, "ok"),
    ]
    (entry,) = cloudtasks_emulator.requests("sts.assume_role")
    assert entry["parameters"] == {"RoleArn": TENCENT_ROLE, "RoleSessionName": "airflow", "DurationSeconds": 1800}


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        ({}, {"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
        ({}, {"secret_id": "nobody"}, "AuthFailure.SecretIdNotFound"),
        # The class cannot send an external id, so that it cannot assume a role that requires one.
        ({"external_id": "shared"}, {}, "UnauthorizedOperation"),
        ({"roles": ["qcs::cam::uin/1:roleName/other"]}, {}, "ResourceNotFound.RoleNotFound"),
        ({}, {"role_arn": "readOnlyRole"}, "InvalidParameter.ParamError"),
        ({}, {"duration_seconds": 43_201}, "InvalidParameter.OverTimeError"),
    ],
)
def test_tencents_library_reports_why_a_role_is_refused(
    cloudtasks_emulator: Emulator, settings: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    cloudtasks_emulator.sts(**settings)
    with pytest.raises(TencentCloudSDKException) as raised:
        tencent_role(cloudtasks_emulator, **changes).get_credential_info()
    assert raised.value.get_code() == code


def test_tencents_library_refreshes_a_key_after_a_tenth_of_its_lifetime(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.sts(seconds=0.91 * 7200)
    lasting = tencent_role(cloudtasks_emulator)
    assert lasting.get_credential_info() == lasting.get_credential_info()
    cloudtasks_emulator.sts(seconds=0.89 * 7200)
    ending = tencent_role(cloudtasks_emulator)
    assert ending.get_credential_info() != ending.get_credential_info()
    assert cloudtasks_emulator.totals()["sts.assume_role"]["total"] == 3


def test_tencents_library_gets_one_key_for_many_threads(cloudtasks_emulator: Emulator) -> None:
    credential, found = tencent_role(cloudtasks_emulator), []
    threads = [threading.Thread(target=lambda: found.append(credential.get_credential_info())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert cloudtasks_emulator.totals()["sts.assume_role"]["total"] == 1


def test_tencents_library_keeps_a_key_that_expired_early(cloudtasks_emulator: Emulator) -> None:
    credential = tencent_role(cloudtasks_emulator)
    credential.get_credential_info()
    cloudtasks_emulator.expire_issued()
    with pytest.raises(TencentCloudSDKException) as raised:
        read_wedata_task(cloudtasks_emulator, credential)
    assert raised.value.get_code() == "AuthFailure.TokenFailure"


# Tencent Cloud: a role by an OIDC token


def test_tencents_library_assumes_a_role_by_an_oidc_token(cloudtasks_emulator: Emulator) -> None:
    cloudtasks_emulator.sts(oidc_token="the-oidc-token")
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y")
    arguments = ("ap-guangzhou", "OIDC", "the-oidc-token", TENCENT_ROLE, "airflow")
    credential = OIDCRoleArnCredential(*arguments, endpoint=cloudtasks_emulator.url)
    assert read_wedata_task(cloudtasks_emulator, credential) == "Y"
    assert asked(cloudtasks_emulator) == [
        ("sts.assume_role_with_web_identity", None, "ok"),
        ("wedata.task", credential.secret_id, "ok"),
    ]
    (entry,) = cloudtasks_emulator.requests("sts.assume_role_with_web_identity")
    assert entry["parameters"]["WebIdentityToken"] == "***"


def in_a_tke_pod(monkeypatch: pytest.MonkeyPatch, token_file: Path) -> None:
    monkeypatch.setenv("TKE_REGION", "ap-guangzhou")
    monkeypatch.setenv("TKE_PROVIDER_ID", "OIDC")
    monkeypatch.setenv("TKE_WEB_IDENTITY_TOKEN_FILE", str(token_file))
    monkeypatch.setenv("TKE_ROLE_ARN", TENCENT_ROLE)


def test_tencents_library_assumes_a_role_in_a_tke_pod(
    cloudtasks_emulator: Emulator, monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    in_a_tke_pod(monkeypatch, token_file)
    credential = DefaultTkeOIDCRoleArnProvider().get_credentials()
    credential.endpoint = cloudtasks_emulator.url
    cloudtasks_emulator.sts(oidc_token="the-oidc-token")
    identity = call_tencent(cloudtasks_emulator, credential, "sts", "2018-08-13", "GetCallerIdentity")
    assert (identity["Type"], identity["AccountId"]) == ("CAMRole", "100015158414")
    # It reads the file again each time.
    token_file.write_text("outdated")
    with pytest.raises(TencentCloudSDKException) as raised:
        credential.refresh()
    assert raised.value.get_code() == "InvalidParameter.WebIdentityTokenError"


# Tencent Cloud: a machine's role


def to_the_emulator(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """Let the vendor's class ask the emulator's metadata service; its address is a constant of the class."""
    roles = f"{emulator.url}/latest/meta-data/cam/security-credentials/"
    monkeypatch.setattr(CVMRoleCredential, "_role_endpoint", roles)


def test_tencents_library_gets_keys_from_the_metadata_service(
    cloudtasks_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_the_emulator(monkeypatch, cloudtasks_emulator)
    credential = CVMRoleCredential()
    cloudtasks_emulator.add_task("wedata.task", "t1", "Y")
    assert read_wedata_task(cloudtasks_emulator, credential) == "Y"
    assert asked(cloudtasks_emulator) == [
        ("metadata.role", None, "ok"),
        ("metadata.credentials", None, "ok"),
        ("wedata.task", credential.secret_id, "ok"),
    ]


def test_tencents_library_refreshes_a_machines_key_five_minutes_before_its_expiry(
    cloudtasks_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_the_emulator(monkeypatch, cloudtasks_emulator)
    cloudtasks_emulator.sts(seconds=310)
    lasting = CVMRoleCredential("emulator-role")
    assert lasting.get_credential_info() == lasting.get_credential_info()
    cloudtasks_emulator.sts(seconds=299)
    ending = CVMRoleCredential("emulator-role")
    assert ending.get_credential_info() != ending.get_credential_info()


def test_tencents_library_hides_a_refusal_of_the_metadata_service(
    cloudtasks_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    to_the_emulator(monkeypatch, cloudtasks_emulator)
    credential = CVMRoleCredential("no-such-role")
    assert credential.get_credential() is None
    assert credential.get_credential_info() == (None, None, None)


# Tencent Cloud: the identity of a key


def test_tccli_gets_its_identity(cloudtasks_emulator: Emulator, tmp_path: Path) -> None:
    def run(*credentials: str) -> Any:
        return tccli(cloudtasks_emulator, tmp_path, ("sts", "GetCallerIdentity"), credentials)

    lasting = run("--secretId", "emulator-id", "--secretKey", "emulator-secret")
    assert lasting["Type"] == "CAMUser"
    key_id, secret, token = tencent_role(cloudtasks_emulator).get_credential_info()
    temporary = run("--secretId", key_id, "--secretKey", secret, "--token", token)
    assert temporary["Type"] == "CAMRole"
    assert temporary["PrincipalId"] == lasting["AccountId"]


def test_refuses_the_identity_to_a_wrong_secret(cloudtasks_emulator: Emulator) -> None:
    with pytest.raises(TencentCloudSDKException) as raised:
        call_tencent(cloudtasks_emulator, Credential("emulator-id", "wrong"), "sts", "2018-08-13", "GetCallerIdentity")
    assert raised.value.get_code() == "AuthFailure.SignatureFailure"
