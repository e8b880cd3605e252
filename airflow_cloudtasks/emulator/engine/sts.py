"""Temporary keys: who may have them, how long they live, and whose they are. Pure, but for the chance in fresh keys.

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
    """What the token services and the metadata services demand and give.

    Attributes:
        seconds: How long the keys issued from now on are said to live; None for as long as was asked.
        valid_seconds: How long they really live; None for as long as they are said to.
        external_id: The external id that AssumeRole demands; None for none.
        oidc_token: The identity provider's token that is accepted; None for any that is not empty.
        role: The name of the role that the metadata services tell.
        imds_v1: Whether Alibaba Cloud's metadata service answers without a token of its own.
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
    """A temporary key, and what its holder is told of its life.

    Attributes:
        key: The key, which ends when it really ends.
        told_expiry: When it is said to end, in whole Unix seconds.
    """

    key: Key
    told_expiry: int


def open_session(cloud: Cloud, role_arn: str, name: str, principal: str) -> Session | None:
    """Read a role's ARN and put a session into it.

    Args:
        cloud: The cloud.
        role_arn: The role.
        name: The session's name.
        principal: The account number of whoever assumes the role.

    Returns:
        The session, or None for an ARN that is not well formed.
    """
    match = _ROLE_ARNS[cloud].fullmatch(role_arn)
    if match is None:
        return None
    return Session(cloud, role_arn, match["account"], match["name"], _number(role_arn, 18), name, principal)


def machine_session(cloud: Cloud, role: str) -> Session:
    """Put a machine of the emulator's own account into a role.

    Args:
        cloud: The cloud.
        role: The role's name.

    Returns:
        The session.
    """
    account = _ACCOUNT_NUMBERS[cloud]
    arn = f"acs:ram::{account}:role/{role}" if cloud == "alibaba" else f"qcs::cam::uin/{account}:roleName/{role}"
    return Session(cloud, arn, account, role, _number(arn, 18), "emulated-machine", account)


def issue(session: Session, settings: StsSettings, asked_seconds: float, now: float) -> Issued:
    """Make a temporary key.

    Args:
        session: Whose it is.
        settings: What is said and true about its life.
        asked_seconds: How long it shall live if the settings say nothing.
        now: The time, in Unix seconds.

    Returns:
        The key.
    """
    told = asked_seconds if settings.seconds is None else settings.seconds
    valid = told if settings.valid_seconds is None else settings.valid_seconds
    # As the vendors' keys begin, which clients and people tell temporary keys by.
    key_id = f"STS.{secrets.token_hex(12)}" if session.cloud == "alibaba" else f"AKID{secrets.token_hex(24)}"
    # A role's calls count in the role's account, which for the emulator's own number is the default key's.
    own = session.account == _ACCOUNT_NUMBERS[session.cloud]
    account = DEFAULT_ACCOUNT if own else session.account
    # Hexadecimal, since a secret that begins with a hyphen is an option to a command line.
    key = Key(key_id, secrets.token_hex(20), secrets.token_hex(128), account, now + valid, session)
    return Issued(key, int(now + told))


def account_number(cloud: Cloud, key: Key) -> str:
    """Tell the number of the account that a key belongs to.

    Args:
        cloud: The cloud.
        key: The key.

    Returns:
        The number as a string of digits: the same for the same account.
    """
    if key.account == DEFAULT_ACCOUNT:
        return _ACCOUNT_NUMBERS[cloud]
    if key.session is not None or key.account.isdecimal():
        return key.account
    return _number(key.account, len(_ACCOUNT_NUMBERS[cloud]))


def user_number(cloud: Cloud, key: Key) -> str:
    """Tell the number of the user that a lasting key belongs to.

    Args:
        cloud: The cloud.
        key: The key.

    Returns:
        The number as a string of digits: the same for the same key.
    """
    return _number(key.id, len(_ACCOUNT_NUMBERS[cloud]))


def _number(text: str, digits: int) -> str:
    # Any stable number will do; the leading digit keeps its length.
    return f"2{int(hashlib.sha256(text.encode()).hexdigest()[:15], 16):018d}"[:digits]
