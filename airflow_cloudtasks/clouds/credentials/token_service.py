"""Assume roles: call STS by the package's own signature and transport, like any API.

Sources: Alibaba Cloud, STS 2015-04-01, AssumeRole and AssumeRoleWithOIDC; Tencent Cloud, STS 2018-08-13, AssumeRole and
AssumeRoleWithWebIdentity. The vendors' own classes read proxies, logins and certificates from the environment in their
own way, and sort errors by their text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from airflow_cloudtasks.clouds.credentials.fetching import fetch_error, temporary_key
from airflow_cloudtasks.clouds.credentials.files import Unusable, read_text
from airflow_cloudtasks.clouds.credentials.source import CredentialSettings, Fetched
from airflow_cloudtasks.clouds.registry import CLOUDS
from airflow_cloudtasks.clouds.transport import SyncTransport
from airflow_cloudtasks.clouds.wire import UNSIGNED, ApiCall, Credentials
from airflow_cloudtasks.errors import CloudApiError, MalformedAnswer, UnreadableAnswer
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import Action
from airflow_cloudtasks.values import at

# The session's name in the cloud's audit log, if nothing names it.
_SESSION_NAME = "airflow"


@dataclass(frozen=True)
class _Sts:
    """One cloud's STS.

    Args:
        by_key: The action that assumes a role by a key.
        by_token: The action that assumes a role by an identity provider's token.
        provider: The parameter that names the identity provider.
        token: The parameter with its token.
        seconds: The lifetime of a session, if nothing sets it.
        expiry: The path of the session's expiry in an answer.
    """

    by_key: Action
    by_token: Action
    provider: str
    token: str
    seconds: int
    expiry: str


_STS: Mapping[Cloud, _Sts] = {
    "alibaba": _Sts(
        # In the body: a proxy or a gateway may log the URL.
        Action(name="AssumeRole", params_in="form"),
        Action(name="AssumeRoleWithOIDC", params_in="form"),
        "OIDCProviderArn",
        "OIDCToken",
        3600,
        "Credentials.Expiration",
    ),
    "tencent": _Sts(
        Action(name="AssumeRole"),
        Action(name="AssumeRoleWithWebIdentity"),
        "ProviderId",
        "WebIdentityToken",
        7200,
        "ExpiredTime",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Role:
    """A role and the session to open with it.

    Args:
        arn: The role's ARN.
        session_name: The name of the session in the cloud's audit log; None for ``airflow``.
        seconds: The session's lifetime; None for the cloud's default.
        policy: A policy, as JSON, that restricts the session further.
        external_id: The external id that the role's trust policy requires.
    """

    arn: str
    session_name: str | None = None
    seconds: int | None = None
    policy: str | None = None
    external_id: str | None = None

    @classmethod
    def of(cls, settings: CredentialSettings) -> Role:
        """Return the role that an Airflow connection describes."""
        return cls(
            arn=settings.role_arn or "",
            session_name=settings.role_session_name,
            seconds=settings.duration_seconds,
            policy=settings.policy,
            external_id=settings.external_id,
        )


def assume_role(settings: CredentialSettings, role: Role, key: Credentials) -> Fetched:
    """Return a session of a role.

    Args:
        settings: How to reach STS.
        role: The role.
        key: The key that may assume it.

    Raises:
        CloudApiError: STS refuses, or does not answer; the text names the key's origin.
        InvalidConnection: STS cannot be called.
    """
    by = key.origin or "the key of the Airflow connection"
    # Tencent's AssumeRole expects the policy URL-encoded.
    policy = quote(role.policy, safe="") if role.policy and settings.cloud == "tencent" else role.policy
    params = {"Policy": policy, "ExternalId": role.external_id}
    return _open_session(settings, role, key, _STS[settings.cloud].by_key, params, by)


def assume_role_by_token(
    settings: CredentialSettings, role: Role, provider: str, token_file: str, named_by: str
) -> Fetched:
    """Return a session of a role, for the token of an identity provider.

    Args:
        settings: How to reach STS.
        role: The role.
        provider: Alibaba's ARN, or Tencent's name, of the identity provider.
        token_file: The path of the file with the token. Read for every session: Kubernetes replaces the token well
            before it expires.
        named_by: The variable, the profile or the field of the connection that names the file, for error texts.

    Raises:
        CloudApiError: STS refuses, or does not answer.
        Unusable: The file cannot be read.
        InvalidConnection: STS cannot be called.
    """
    sts = _STS[settings.cloud]
    params = {sts.provider: provider, sts.token: _token(token_file, named_by)}
    # Tencent's AssumeRoleWithWebIdentity has no policy.
    if settings.cloud == "alibaba":
        params["Policy"] = role.policy or ""
    return _open_session(settings, role, UNSIGNED, sts.by_token, params, f"the token in {token_file}")


def _token(token_file: str, named_by: str) -> str:
    try:
        if (token := read_text(token_file)) is None:
            raise Unusable(token_file, "does not exist")
    except Unusable as problem:
        why = f"names a file with an identity provider's token that cannot be used: {problem}"
        raise Unusable(named_by, why) from None
    return token.strip()


def _open_session(
    settings: CredentialSettings,
    role: Role,
    key: Credentials,
    action: Action,
    params: Mapping[str, str | None],
    by: str,
) -> Fetched:
    sts = _STS[settings.cloud]
    asked: dict[str, Any] = {
        "RoleArn": role.arn,
        "RoleSessionName": role.session_name or _SESSION_NAME,
        "DurationSeconds": role.seconds or sts.seconds,
        **{name: value for name, value in params.items() if value},
    }
    # A refusal may repeat any of them.
    secrets = tuple(filter(None, (key.secret, key.token, params.get(sts.token), role.external_id)))
    transport = SyncTransport(settings.network)
    try:
        origin = f"{role.arn} assumed by {by}"
        return settings.retries.run(lambda: _call(settings, transport, key, action, asked, secrets, origin))
    except CloudApiError as error:
        raise fetch_error(error, f"STS {action.name} by {by}") from None
    finally:
        transport.close()


def _call(
    settings: CredentialSettings,
    transport: SyncTransport,
    key: Credentials,
    action: Action,
    params: Mapping[str, Any],
    secrets: tuple[str, ...],
    origin: str,
) -> Fetched:
    """Call STS once."""
    cloud = CLOUDS[settings.cloud]
    service, _ = cloud.token_service(settings.region)
    call = ApiCall(service, action, settings.sts, secrets)
    request = cloud.sign(
        call,
        params,
        region=settings.region,
        credentials=key,
        user_agent=settings.user_agent,
        now=datetime.now(UTC),
    )
    answer = transport.send(call, request)
    try:
        content = cloud.read(call, answer)
    except MalformedAnswer:
        # Of a task, such an answer would come again. STS has one form of answer, so something else has answered.
        raise UnreadableAnswer("the answer holds no temporary key", **call.context(answer)) from None
    expiry = at(content, _STS[settings.cloud].expiry)
    return temporary_key(settings.cloud, at(content, "Credentials"), expiry, origin, call.context(answer))
