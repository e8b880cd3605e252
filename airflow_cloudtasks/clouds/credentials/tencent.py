"""Tencent Cloud's kinds of credentials, by the vendor's own classes (package tencentcloud-sdk-python-common)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import (
    Credential,
    CVMRoleCredential,
    DefaultCredentialProvider,
    OIDCRoleArnCredential,
    STSAssumeRoleCredential,
)
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from airflow_cloudtasks.clouds.credentials.source import SESSION_NAME, CredentialSettings, VendorClass
from airflow_cloudtasks.clouds.tencent import error_kind
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, TransientError

# At level DEBUG the vendor's package logs whole answers, those of STS with the keys in them too.
logging.getLogger("tencentcloud_sdk_common").addFilter(lambda record: record.levelno > logging.DEBUG)

_DEFAULT_SECONDS = 7200


class _AskingSts:
    """What this package's settings add to the vendor's classes that ask STS."""

    _settings: CredentialSettings
    _duration_seconds: int

    def _call(self, credential: Credential | None, action: str, params: dict[str, Any], **options: Any) -> Any:
        settings = self._settings
        network = settings.network
        profile = ClientProfile(
            httpProfile=HttpProfile(
                endpoint=settings.sts.url,
                reqTimeout=network.timeouts.connect + network.timeouts.read,
                proxy=network.proxy_for(settings.sts),
                certification=network.certificates(),
            )
        )
        client = CommonClient("sts", "2018-08-13", credential, settings.region, profile)
        return client.call_json(action, params, options=options)["Response"]

    def _hold(self, answer: Any) -> None:
        issued = answer["Credentials"]
        self._token, self._tmp_secret_id = issued["Token"], issued["TmpSecretId"]
        self._tmp_secret_key = issued["TmpSecretKey"]
        # A tenth of the session is left for the next one to be fetched in.
        self._expired_time = answer["ExpiredTime"] - self._duration_seconds * 0.1


class _AssumeRole(_AskingSts, STSAssumeRoleCredential):  # type: ignore[misc]  # the vendor's package has no types
    """The vendor's class, which knows no external id, no policy and no proxy."""

    def __init__(self, settings: CredentialSettings) -> None:
        self._settings = settings
        super().__init__(
            settings.key_id,
            settings.secret,
            settings.role_arn,
            settings.role_session_name or SESSION_NAME,
            settings.duration_seconds or _DEFAULT_SECONDS,
        )

    def get_sts_tmp_role_arn(self) -> None:
        """Ask STS for a session; source: Tencent Cloud, STS, AssumeRole."""
        settings = self._settings
        params = {
            "RoleArn": self._role_arn,
            "RoleSessionName": self._role_session_name,
            "DurationSeconds": self._duration_seconds,
            "ExternalId": settings.external_id,
            # AssumeRole wants the policy URL-encoded.
            "Policy": settings.policy and quote(settings.policy, safe=""),
        }
        answer = self._call(
            Credential(settings.key_id, settings.secret),
            "AssumeRole",
            {name: value for name, value in params.items() if value is not None},
        )
        self._hold(answer)


class _Oidc(_AskingSts, OIDCRoleArnCredential):  # type: ignore[misc]  # the vendor's package has no types
    """The vendor's class, which knows no proxy, and no file whose token changes."""

    def __init__(self, settings: CredentialSettings) -> None:
        self._settings = settings
        super().__init__(
            settings.region,
            settings.oidc_provider,
            "",
            settings.role_arn,
            settings.role_session_name or SESSION_NAME,
            settings.duration_seconds or _DEFAULT_SECONDS,
        )

    def refresh(self) -> None:
        """Ask STS for a session; source: Tencent Cloud, STS, AssumeRoleWithWebIdentity."""
        answer = self._call(
            None,
            "AssumeRoleWithWebIdentity",
            {
                "ProviderId": self._provider_id,
                # Read every time: Kubernetes writes a new token well before the old one expires.
                "WebIdentityToken": Path(self._settings.oidc_token_file or "").read_text(encoding="utf-8").strip(),
                "RoleArn": self._role_arn,
                "RoleSessionName": self._role_session_name,
                "DurationSeconds": self._duration_seconds,
            },
            SkipSign=True,
        )
        self._hold(answer)


class _VendorCredential(Protocol):
    def get_credential_info(self) -> tuple[str | None, str | None, str | None]: ...


def _assume_role(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking(_AssumeRole(settings))


def _oidc(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking(_Oidc(settings))


def _machine(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking(CVMRoleCredential(settings.role_name))


def _default(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking(DefaultCredentialProvider().get_credentials())


CREDENTIAL_CLASSES: dict[str, VendorClass] = {
    "role_arn": _assume_role,
    "cvm_role": _machine,
    "oidc_role_arn": _oidc,
    "default": _default,
}


def explain(error: Exception, endpoint: str) -> CloudTasksError:
    """Turn what the vendor's classes raise into this package's errors.

    Args:
        error: What was raised.
        endpoint: Where STS was asked.
    """
    context: dict[str, Any] = {"action": "Fetching credentials", "endpoint": endpoint}
    if isinstance(error, TencentCloudSDKException):
        code = str(error.code or "")
        if code == "ClientSideError" or code.startswith("InvalidCredential"):
            return _no_credentials(context)
        if code.startswith(("ClientNetworkError", "ServerNetworkError", "ClientError")):
            return TransientError("no answer", code=code, **context)
        return error_kind(code)(str(error.message), code=code, request_id=error.requestId or None, **context)
    if isinstance(error, EnvironmentError) and "TKE_" in str(error):
        return _no_credentials(context)
    return TransientError(f"no answer ({type(error).__name__})", code="ConnectionError", **context)


def _no_credentials(context: dict[str, Any]) -> CredentialsError:
    return CredentialsError(
        "none were found: no TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY in the environment, no profile file, "
        "no role of this machine, no TKE identity",
        code="NoCredentials",
        **context,
    )


def _asking(credential: _VendorCredential) -> Callable[[], Credentials]:
    def ask() -> Credentials:
        key_id, secret, token = credential.get_credential_info()
        if not key_id or not secret:
            # The vendor's class for the metadata service swallows every failure.
            raise CredentialsError(
                "the metadata service of this machine gave none; is it a CVM instance with a CAM role?",
                code="NoCredentials",
                action="Fetching credentials",
            )
        return Credentials(key_id, secret, token or None)

    return ask
