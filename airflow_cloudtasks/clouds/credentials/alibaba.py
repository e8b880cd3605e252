"""Alibaba Cloud's kinds of credentials, by the vendor's own classes (package alibabacloud-credentials)."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
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
from airflow_cloudtasks.clouds.credentials.source import SESSION_NAME, CredentialSettings, VendorClass
from airflow_cloudtasks.clouds.wire import Credentials
from airflow_cloudtasks.errors import CloudTasksError, CredentialsError, InvalidConnection, TransientError
from airflow_cloudtasks.values import at, load_json, text

# The vendor's classes log their failures to stderr, with the URL that they called and its signature; what is worth
# knowing of them is in the error that they raise.
# A filter, because whoever configures logging later sets levels.
logging.getLogger("credentials").addFilter(lambda record: False)
# At level DEBUG the package beneath logs whole requests and answers, those of STS with the keys in them too.
logging.getLogger("alibabacloud-tea").addFilter(lambda record: record.levelno > logging.DEBUG)

_ANSWER = re.compile(r"http_code: (\d+), result: (\{.*\})", re.DOTALL)


class _Provider(Protocol):
    def get_credentials(self) -> Any: ...


def _assume_role(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking_sts(
        settings,
        RamRoleArnCredentialsProvider,
        access_key_id=settings.key_id,
        access_key_secret=settings.secret,
        external_id=settings.external_id,
    )


def _oidc(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking_sts(
        settings,
        OIDCRoleArnCredentialsProvider,
        oidc_provider_arn=settings.oidc_provider,
        oidc_token_file_path=settings.oidc_token_file,
    )


def _machine(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking(
        EcsRamRoleCredentialsProvider(
            role_name=settings.role_name,
            # IMDSv2 only: version 1 gives the key to whoever can make this machine send one request.
            disable_imds_v1=True,
            # No proxy of the connection: the service is this machine's own, and a proxy would ask for itself.
            http_options=_http_options(settings, proxy=None),
            # The package asks it regularly anyhow, and needs no scheduler thread for it.
            async_update_enabled=False,
        )
    )


def _default(settings: CredentialSettings) -> Callable[[], Credentials]:
    return _asking(DefaultCredentialsProvider())


CREDENTIAL_CLASSES: dict[str, VendorClass] = {
    "ram_role_arn": _assume_role,
    "ecs_ram_role": _machine,
    "oidc_role_arn": _oidc,
    "default": _default,
}


def explain(error: Exception, endpoint: str) -> CloudTasksError:
    """Turn what the vendor's classes raise into this package's errors.

    Args:
        error: What was raised.
        endpoint: Where STS was asked.
    """
    if isinstance(error, ValueError):
        return InvalidConnection(f"The credentials cannot be fetched: {error}.")
    told = str(error)
    context: dict[str, Any] = {"action": "Fetching credentials", "endpoint": endpoint}
    if (answered := _ANSWER.search(told)) and isinstance(error, CredentialException):
        answer = load_json(answered[2])
        status, code = int(answered[1]), text(at(answer, "Code")) or "HTTP" + answered[1]
        kind = error_kind(code, status)
        return kind(
            text(without_signed_text(text(at(answer, "Message")) or "")) or "no message",
            code=code,
            http_status=status,
            request_id=text(at(answer, "RequestId")),
            **context,
        )
    if not isinstance(error, CredentialException):
        # The text of a broken connection holds the URL with its signature; the type says enough.
        return TransientError(f"no answer ({type(error).__name__})", code="ConnectionError", **context)
    if "chain" in told:
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


def _asking(provider: _Provider) -> Callable[[], Credentials]:
    def ask() -> Credentials:
        got = provider.get_credentials()
        return Credentials(got.get_access_key_id(), got.get_access_key_secret(), got.get_security_token() or None)

    return ask


def _http_options(settings: CredentialSettings, proxy: str | None) -> HttpOptions:
    timeouts = settings.network.timeouts
    return HttpOptions(
        proxy=proxy,
        connect_timeout=int(timeouts.connect * 1000),
        read_timeout=int(timeouts.read * 1000),
    )


def _asking_sts(settings: CredentialSettings, kind: Any, **arguments: Any) -> Callable[[], Credentials]:
    provider = kind(
        role_arn=settings.role_arn,
        role_session_name=settings.role_session_name or SESSION_NAME,
        policy=settings.policy,
        duration_seconds=settings.duration_seconds,
        sts_endpoint=settings.sts.host,
        http_options=_http_options(settings, settings.network.proxy),
        **arguments,
    )
    # The vendor's classes have no argument for it; without, they would not trust what the connection says to trust.
    provider._runtime_options["ca"] = settings.network.certificates()
    return _asking(provider)
