"""Temporary keys: how long they last, and which account and user a key belongs to. Pure, but for random key material.

Sources: Alibaba Cloud, "AssumeRole", "AssumeRoleWithOIDC" and "GetCallerIdentity" of STS 2015-04-01
(https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole) for ARNs, limits and error
codes; Tencent Cloud, the definitions of STS 2018-08-13 that tccli ships and the error codes of its SDK.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.keys import DEFAULT_ACCOUNT, Key, Session

if TYPE_CHECKING:
    from airflow_cloudtasks.emulator.engine.values import Cloud

DEFAULT_ROLE = "emulator-role"

_ACCOUNT_NUMBERS: dict[Cloud, str] = {"alibaba": "1000000000000001", "tencent": "100000000001"}
# An account number may be masked with asterisks, as in the vendors' documents, so that their examples work.
_ROLE_ARNS: dict[Cloud, re.Pattern[str]] = {
    "alibaba": re.compile(r"acs:ram::(?P<account>[0-9*]+):role/(?P<name>[^\s:]+)"),
    "tencent": re.compile(r"qcs::cam::uin/(?P<account>[0-9*]+):role(?:Name)?/(?P<name>[^\s:]+)"),
}


@dataclass(frozen=True, slots=True)
class StsSettings:
    """The settings of the token services and the metadata services.

    Attributes:
        seconds: The lifetime that answers state for keys issued from now on; None for the lifetime asked for.
        valid_seconds: Their real lifetime; None for the stated one.
        external_id: The external id that AssumeRole requires; None for none.
        oidc_token: The only identity provider's token that is accepted; None for any that is not empty.
        role: The name of the role that the metadata services return.
        imds_v1: Whether Alibaba Cloud's metadata service answers without a token.
        roles: The ARNs of the roles that exist; None for any that is well formed.
    """

    seconds: float | None = None
    valid_seconds: float | None = None
    external_id: str | None = None
    oidc_token: str | None = None
    role: str = DEFAULT_ROLE
    imds_v1: bool = False
    roles: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A temporary key and its stated expiry.

    Attributes:
        key: The key, whose ``expires_at`` is its real expiry.
        stated_expiry: The expiry that the answer states, in whole Unix seconds.
    """

    key: Key
    stated_expiry: int


def open_session(cloud: Cloud, role_arn: str, name: str, principal: str) -> Session | None:
    """Return a session of a role, or None if the ARN is not well formed.

    Args:
        cloud: The cloud.
        role_arn: The role's ARN.
        name: The session's name.
        principal: The number of the account that assumes the role.
    """
    match = _ROLE_ARNS[cloud].fullmatch(role_arn)
    if match is None:
        return None
    return Session(cloud, role_arn, match["account"], match["name"], _number(role_arn, 18), name, principal)


def machine_session(cloud: Cloud, role: str) -> Session:
    """Return the session of a machine that has a role of the emulator's own account."""
    account = _ACCOUNT_NUMBERS[cloud]
    arn = f"acs:ram::{account}:role/{role}" if cloud == "alibaba" else f"qcs::cam::uin/{account}:roleName/{role}"
    return Session(cloud, arn, account, role, _number(arn, 18), "emulated-machine", account)


def issue(session: Session, settings: StsSettings, asked_seconds: float, now: float) -> Issued:
    """Return a new temporary key of a session.

    Args:
        session: The session.
        settings: The settings, which may change stated and real lifetime.
        asked_seconds: The lifetime asked for.
        now: The time, in Unix seconds.
    """
    stated = asked_seconds if settings.seconds is None else settings.seconds
    valid = stated if settings.valid_seconds is None else settings.valid_seconds
    # The vendors' temporary keys have these prefixes, by which clients and people recognise them.
    key_id = f"STS.{secrets.token_hex(12)}" if session.cloud == "alibaba" else f"AKID{secrets.token_hex(24)}"
    # A role's calls count in the role's account. The emulator's own account is that of the default key.
    own = session.account == _ACCOUNT_NUMBERS[session.cloud]
    account = DEFAULT_ACCOUNT if own else session.account
    # Hexadecimal, since a command line takes a secret that begins with a hyphen for an option.
    key = Key(key_id, secrets.token_hex(20), secrets.token_hex(128), account, now + valid, session)
    return Issued(key, int(now + stated))


def account_number(cloud: Cloud, key: Key) -> str:
    """Return the number of a key's account as a string of digits, the same for the same account."""
    if key.account == DEFAULT_ACCOUNT:
        return _ACCOUNT_NUMBERS[cloud]
    if key.session is not None or key.account.isdecimal():
        return key.account
    return _number(key.account, len(_ACCOUNT_NUMBERS[cloud]))


def user_number(cloud: Cloud, key: Key) -> str:
    """Return the number of a permanent key's user as a string of digits, the same for the same key."""
    return _number(key.id, len(_ACCOUNT_NUMBERS[cloud]))


def _number(text: str, digits: int) -> str:
    # Any stable number will do; the leading digit keeps its length.
    return f"2{int(hashlib.sha256(text.encode()).hexdigest()[:15], 16):018d}"[:digits]
