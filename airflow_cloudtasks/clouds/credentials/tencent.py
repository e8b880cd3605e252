"""Tencent Cloud's kinds of credentials, fetched by the vendor's own classes (tencentcloud-sdk-python-common)."""

from __future__ import annotations

import logging
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

from airflow_cloudtasks.clouds.credentials.source import SESSION_NAME, CredentialSettings, Fetch, VendorClass
from airflow_cloudtasks.clouds.error_codes import tencent_kind
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, TransientError

# At level DEBUG, the vendor's package logs whole answers, including the keys from STS.
logging.getLogger("tencentcloud_sdk_common").addFilter(lambda record: record.levelno > logging.DEBUG)

# The lifetime of a session whose connection sets none.
_DEFAULT_SECONDS = 7200
# The share of a session's lifetime that is left when the next session is fetched.
_REFRESH_SHARE = 0.1


def _session(settings: CredentialSettings) -> tuple[str | None, str, int]:
    """Return the role, the name and the lifetime of a session."""
    return (
        settings.role_arn,
        settings.role_session_name or SESSION_NAME,
        settings.duration_seconds or _DEFAULT_SECONDS,
    )


class _StsClient:
    """A mixin that calls STS with all settings of the connection; the vendor's classes lack some of them."""

    _settings: CredentialSettings
    # Set by the vendor's classes.
    _role_arn: str
    _role_session_name: str
    _duration_seconds: int

    @property
    def _session_params(self) -> dict[str, Any]:
        return {
            "RoleArn": self._role_arn,
            "RoleSessionName": self._role_session_name,
            "DurationSeconds": self._duration_seconds,
        }

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
        self._expired_time = answer["ExpiredTime"] - self._duration_seconds * _REFRESH_SHARE


class _AssumeRole(_StsClient, STSAssumeRoleCredential):  # type: ignore[misc]  # the vendor's package has no types
    """The vendor's class, with an external id, a policy and a proxy added."""

    def __init__(self, settings: CredentialSettings) -> None:
        self._settings = settings
        super().__init__(settings.key_id, settings.secret, *_session(settings))

    def get_sts_tmp_role_arn(self) -> None:
        """Fetch a session from STS. Source: Tencent Cloud, STS, AssumeRole."""
        settings = self._settings
        params = {
            **self._session_params,
            "ExternalId": settings.external_id,
            # AssumeRole expects the policy URL-encoded.
            "Policy": settings.policy and quote(settings.policy, safe=""),
        }
        answer = self._call(
            Credential(settings.key_id, settings.secret),
            "AssumeRole",
            {name: value for name, value in params.items() if value is not None},
        )
        self._hold(answer)


class _Oidc(_StsClient, OIDCRoleArnCredential):  # type: ignore[misc]  # the vendor's package has no types
    """The vendor's class, with a proxy and a token file that may change added."""

    def __init__(self, settings: CredentialSettings) -> None:
        self._settings = settings
        super().__init__(settings.region, settings.oidc_provider, "", *_session(settings))

    def refresh(self) -> None:
        """Fetch a session from STS. Source: Tencent Cloud, STS, AssumeRoleWithWebIdentity."""
        answer = self._call(
            None,
            "AssumeRoleWithWebIdentity",
            {
                "ProviderId": self._provider_id,
                # Read for every session: Kubernetes writes a new token well before the old one expires.
                "WebIdentityToken": Path(self._settings.oidc_token_file or "").read_text(encoding="utf-8").strip(),
                **self._session_params,
            },
            SkipSign=True,
        )
        self._hold(answer)


class _VendorCredential(Protocol):
    def get_credential_info(self) -> tuple[str | None, str | None, str | None]: ...


def _assume_role(settings: CredentialSettings) -> Fetch:
    return _fetcher_from(_AssumeRole(settings))


def _oidc(settings: CredentialSettings) -> Fetch:
    return _fetcher_from(_Oidc(settings))


def _machine(settings: CredentialSettings) -> Fetch:
    return _fetcher_from(CVMRoleCredential(settings.role_name))


def _default(settings: CredentialSettings) -> Fetch:
    return _fetcher_from(DefaultCredentialProvider().get_credentials())


CREDENTIAL_CLASSES: dict[str, VendorClass] = {
    "role_arn": _assume_role,
    "cvm_role": _machine,
    "oidc_role_arn": _oidc,
    "default": _default,
}


def translate_error(error: Exception, endpoint: str) -> CloudTasksError:
    """Return this package's error for an error of the vendor's classes.

    Args:
        error: The error of the vendor's class.
        endpoint: The URL of STS.
    """
    context: dict[str, Any] = {"action": "Fetching credentials", "endpoint": endpoint}
    if isinstance(error, TencentCloudSDKException):
        code = str(error.code or "")
        if code == "ClientSideError" or code.startswith("InvalidCredential"):
            return _no_credentials(context)
        if code.startswith(("ClientNetworkError", "ServerNetworkError", "ClientError")):
            return TransientError("no answer", code=code, **context)
        return tencent_kind(code)(str(error.message), code=code, request_id=error.requestId or None, **context)
    if isinstance(error, EnvironmentError) and "TKE_" in str(error):
        return _no_credentials(context)
    return TransientError(f"no answer ({type(error).__name__})", code="ConnectionError", **context)


def _no_credentials(context: dict[str, Any]) -> CredentialsError:
    return CredentialsError(
        "no credentials were found: no TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY in the environment, no "
        "profile file, no role of this machine, no TKE identity",
        code="NoCredentials",
        **context,
    )


def _fetcher_from(credential: _VendorCredential) -> Fetch:
    def fetch() -> Credentials:
        key_id, secret, token = credential.get_credential_info()
        if not key_id or not secret:
            # The vendor's class for the metadata service raises nothing when it fails.
            raise CredentialsError(
                "the metadata service of this machine returned no credentials; is it a CVM instance with a CAM role?",
                code="NoCredentials",
                action="Fetching credentials",
            )
        return Credentials(key_id, secret, token or None)

    return fetch
