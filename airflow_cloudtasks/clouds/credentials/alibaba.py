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

from airflow_cloudtasks.clouds.alibaba import without_signed_text
from airflow_cloudtasks.clouds.credentials.source import SESSION_NAME, CredentialSettings, Fetch, VendorClass
from airflow_cloudtasks.clouds.error_codes import alibaba_kind
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import (
    CloudApiError,
    CloudTasksError,
    CredentialsError,
    InvalidConnection,
    TransientError,
)
from airflow_cloudtasks.values import at, load_json, text

# The vendor's classes log failures to stderr, with the requested URL and its signature. Drop these lines: the raised
# error says enough. Use a filter, because logging is configured later and would reset a level.
logging.getLogger("credentials").addFilter(lambda record: False)
# At level DEBUG, the package that sends their requests logs whole requests and answers, including the keys from STS.
logging.getLogger("alibabacloud-tea").addFilter(lambda record: record.levelno > logging.DEBUG)

# The HTTP status and the body in the text of a CredentialException.
_HTTP_ANSWER = re.compile(r"http_code: (\d+), result: (\{.*\})", re.DOTALL)


class _Provider(Protocol):
    def get_credentials(self) -> Any: ...


def _assume_role(settings: CredentialSettings) -> Fetch:
    return _fetcher_from_sts(
        settings,
        RamRoleArnCredentialsProvider,
        access_key_id=settings.key_id,
        access_key_secret=settings.secret,
        external_id=settings.external_id,
    )


def _oidc(settings: CredentialSettings) -> Fetch:
    return _fetcher_from_sts(
        settings,
        OIDCRoleArnCredentialsProvider,
        oidc_provider_arn=settings.oidc_provider,
        oidc_token_file_path=settings.oidc_token_file,
    )


def _machine(settings: CredentialSettings) -> Fetch:
    return _fetcher_from(
        EcsRamRoleCredentialsProvider(
            role_name=settings.role_name,
            # IMDSv2 only: version 1 returns the key to any single GET request from this machine, even a forged one.
            disable_imds_v1=True,
            # No proxy: through the connection's proxy, the metadata service of the proxy's machine would answer.
            http_options=_http_options(settings, proxy=None),
            # No refresh thread of the vendor: VendorCredentials fetches regularly.
            async_update_enabled=False,
        )
    )


def _default(settings: CredentialSettings) -> Fetch:
    return _fetcher_from(DefaultCredentialsProvider())


CREDENTIAL_CLASSES: dict[str, VendorClass] = {
    "ram_role_arn": _assume_role,
    "ecs_ram_role": _machine,
    "oidc_role_arn": _oidc,
    "default": _default,
}


def translate_error(error: Exception, endpoint: str) -> CloudTasksError:
    """Return this package's error for an error of the vendor's classes.

    Args:
        error: The error of the vendor's class.
        endpoint: The URL of STS.
    """
    if isinstance(error, ValueError):
        return InvalidConnection(f"The credentials cannot be fetched: {error}.")
    context: dict[str, Any] = {"action": "Fetching credentials", "endpoint": endpoint}
    if not isinstance(error, CredentialException):
        # Show only the error's type: its text may hold the URL with the signature.
        return TransientError(f"no answer ({type(error).__name__})", code="ConnectionError", **context)
    message = str(error)
    if answer := _HTTP_ANSWER.search(message):
        return _reported_error(http_status=int(answer[1]), body=answer[2], context=context)
    if "chain" in message:
        return CredentialsError(
            "the default chain found no credentials: no ALIBABA_CLOUD_ACCESS_KEY_ID and "
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET in the environment, no profile file, no role of this machine",
            code="NoCredentials",
            **context,
        )
    return CredentialsError(
        "the metadata service of this machine returned no credentials; is it an ECS instance with a RAM role?",
        code="NoCredentials",
        **context,
    )


def _reported_error(http_status: int, body: str, context: dict[str, Any]) -> CloudApiError:
    """Return the error that an answer of STS or of the metadata service reports."""
    answer = load_json(body)
    code = text(at(answer, "Code")) or f"HTTP{http_status}"
    error_class = alibaba_kind(code, http_status)
    return error_class(
        text(without_signed_text(text(at(answer, "Message")) or "")) or "no message",
        code=code,
        http_status=http_status,
        request_id=text(at(answer, "RequestId")),
        **context,
    )


def _fetcher_from(provider: _Provider) -> Fetch:
    def fetch() -> Credentials:
        key = provider.get_credentials()
        return Credentials(key.get_access_key_id(), key.get_access_key_secret(), key.get_security_token() or None)

    return fetch


def _http_options(settings: CredentialSettings, proxy: str | None) -> HttpOptions:
    timeouts = settings.network.timeouts
    return HttpOptions(
        proxy=proxy,
        connect_timeout=int(timeouts.connect * 1000),
        read_timeout=int(timeouts.read * 1000),
    )


def _fetcher_from_sts(settings: CredentialSettings, provider_class: Any, **arguments: Any) -> Fetch:
    provider = provider_class(
        role_arn=settings.role_arn,
        role_session_name=settings.role_session_name or SESSION_NAME,
        policy=settings.policy,
        duration_seconds=settings.duration_seconds,
        sts_endpoint=settings.sts.host,
        http_options=_http_options(settings, settings.network.proxy),
        **arguments,
    )
    # The vendor's classes have no argument for the trusted certificates.
    provider._runtime_options["ca"] = settings.network.certificates()
    return _fetcher_from(provider)
