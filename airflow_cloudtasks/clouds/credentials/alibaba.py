"""Alibaba Cloud's kinds of credentials, fetched by the vendor's own classes (package alibabacloud-credentials)."""

from __future__ import annotations

import logging
import re
from typing import Any, Protocol

from alibabacloud_credentials.exceptions import CredentialException
from alibabacloud_credentials.http import HttpOptions
from alibabacloud_credentials.provider import (
    DefaultCredentialsProvider,
    EcsRamRoleCredentialsProvider,
    OIDCRoleArnCredentialsProvider,
    RamRoleArnCredentialsProvider,
)

from airflow_cloudtasks.clouds.alibaba import error_kind, without_signed_text
from airflow_cloudtasks.clouds.credentials.source import SESSION_NAME, CredentialSettings, Fetch, VendorClass
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import (
    CloudApiError,
    CloudTasksError,
    CredentialsError,
    InvalidConnection,
    TransientError,
)
from airflow_cloudtasks.values import at, load_json, text

# The vendor's classes log failures to stderr, with the URL that they called and its signature. The error that they
# raise says what is needed. A filter, because the configuration of logging sets levels later.
logging.getLogger("credentials").addFilter(lambda record: False)
# At level DEBUG, the package beneath logs whole requests and answers, even those of STS with keys in them.
logging.getLogger("alibabacloud-tea").addFilter(lambda record: record.levelno > logging.DEBUG)

# Where the text of a CredentialException holds the HTTP answer.
_ANSWER = re.compile(r"http_code: (\d+), result: (\{.*\})", re.DOTALL)


class _Provider(Protocol):
    def get_credentials(self) -> Any: ...


def _assume_role(settings: CredentialSettings) -> Fetch:
    return _fetch_from_sts(
        settings,
        RamRoleArnCredentialsProvider,
        access_key_id=settings.key_id,
        access_key_secret=settings.secret,
        external_id=settings.external_id,
    )


def _oidc(settings: CredentialSettings) -> Fetch:
    return _fetch_from_sts(
        settings,
        OIDCRoleArnCredentialsProvider,
        oidc_provider_arn=settings.oidc_provider,
        oidc_token_file_path=settings.oidc_token_file,
    )


def _machine(settings: CredentialSettings) -> Fetch:
    return _fetch_from(
        EcsRamRoleCredentialsProvider(
            role_name=settings.role_name,
            # IMDSv2 only: version 1 returns the key to anyone who can make this machine send one request.
            disable_imds_v1=True,
            # Without the connection's proxy: the metadata service would answer for the proxy's machine.
            http_options=_http_options(settings, proxy=None),
            # VendorCredentials fetches regularly, so that no scheduler thread is needed.
            async_update_enabled=False,
        )
    )


def _default(settings: CredentialSettings) -> Fetch:
    return _fetch_from(DefaultCredentialsProvider())


CREDENTIAL_CLASSES: dict[str, VendorClass] = {
    "ram_role_arn": _assume_role,
    "ecs_ram_role": _machine,
    "oidc_role_arn": _oidc,
    "default": _default,
}


def explain(error: Exception, endpoint: str) -> CloudTasksError:
    """Return this package's error for an error of the vendor's classes.

    Args:
        error: The error of the vendor's class.
        endpoint: The URL of STS.
    """
    if isinstance(error, ValueError):
        return InvalidConnection(f"The credentials cannot be fetched: {error}.")
    context: dict[str, Any] = {"action": "Fetching credentials", "endpoint": endpoint}
    if not isinstance(error, CredentialException):
        # Only the type: the text of a broken connection holds the URL with its signature.
        return TransientError(f"no answer ({type(error).__name__})", code="ConnectionError", **context)
    message = str(error)
    if answer := _ANSWER.search(message):
        return _reported_error(http_status=int(answer[1]), body=answer[2], context=context)
    if "chain" in message:
        return CredentialsError(
            "the default chain found none: no ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET in the "
            "environment, no profile file, no role of this machine",
            code="NoCredentials",
            **context,
        )
    return CredentialsError(
        "the metadata service of this machine gave none; is it an ECS instance with a RAM role?",
        code="NoCredentials",
        **context,
    )


def _reported_error(http_status: int, body: str, context: dict[str, Any]) -> CloudApiError:
    """Return the error that an answer of STS or of the metadata service reports."""
    answer = load_json(body)
    code = text(at(answer, "Code")) or f"HTTP{http_status}"
    kind = error_kind(code, http_status)
    return kind(
        text(without_signed_text(text(at(answer, "Message")) or "")) or "no message",
        code=code,
        http_status=http_status,
        request_id=text(at(answer, "RequestId")),
        **context,
    )


def _fetch_from(provider: _Provider) -> Fetch:
    def fetch() -> Credentials:
        found = provider.get_credentials()
        return Credentials(found.get_access_key_id(), found.get_access_key_secret(), found.get_security_token() or None)

    return fetch


def _http_options(settings: CredentialSettings, proxy: str | None) -> HttpOptions:
    timeouts = settings.network.timeouts
    return HttpOptions(
        proxy=proxy,
        connect_timeout=int(timeouts.connect * 1000),
        read_timeout=int(timeouts.read * 1000),
    )


def _fetch_from_sts(settings: CredentialSettings, kind: Any, **arguments: Any) -> Fetch:
    provider = kind(
        role_arn=settings.role_arn,
        role_session_name=settings.role_session_name or SESSION_NAME,
        policy=settings.policy,
        duration_seconds=settings.duration_seconds,
        sts_endpoint=settings.sts.host,
        http_options=_http_options(settings, settings.network.proxy),
        **arguments,
    )
    # The vendor's classes have no argument for the connection's trusted certificates.
    provider._runtime_options["ca"] = settings.network.certificates()
    return _fetch_from(provider)
