"""Access keys, and the role sessions that temporary keys belong to."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_cloudtasks.emulator.engine.values import CLOUDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_cloudtasks.emulator.engine.values import Cloud

DEFAULT_ACCOUNT = "default"
# Issued keys are kept after their expiry, since an expired key is refused otherwise than an unknown one; but not
# without bound.
ISSUED_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a role.

    Attributes:
        cloud: The cloud.
        role_arn: The role's ARN.
        account: The number of the role's account.
        role_name: The role's name.
        role_id: The role's number.
        name: The session's name.
        principal: The number of the account that assumed the role.
    """

    cloud: Cloud
    role_arn: str
    account: str
    role_name: str
    role_id: str
    name: str
    principal: str


@dataclass(frozen=True, slots=True)
class Key:
    """An access key.

    Attributes:
        id: AccessKey ID or SecretId.
        secret: AccessKey secret or SecretKey.
        token: The security token that a temporary key must be sent with; None for a permanent key.
        account: The account it belongs to; the keys of one account share its request limits.
        expires_at: When it expires, in Unix seconds; None for never.
        session: The role session it was issued for; None for a key that a test added.
        actions: Patterns of the actions that its policies allow, e.g. ``wedata:Get*``; None for all.
    """

    id: str
    secret: str
    token: str | None = None
    account: str = DEFAULT_ACCOUNT
    expires_at: float | None = None
    session: Session | None = None
    actions: tuple[str, ...] | None = None

    def may_call(self, permission: str) -> bool:
        """Return whether its policies allow an action, e.g. ``wedata:GetTask``. Nothing forbids GetCallerIdentity."""
        allowed = ("*",) if self.actions is None else (*self.actions, "sts:GetCallerIdentity")
        return any(fnmatchcase(permission, pattern) for pattern in allowed)

    def has_expired(self, now: float) -> bool:
        """Return whether it has expired at ``now``, in Unix seconds."""
        return self.expires_at is not None and now >= self.expires_at


DEFAULT_KEY = Key("emulator-id", "emulator-secret")


class KeyRing:
    """The keys that each cloud accepts."""

    def __init__(self) -> None:
        self._keys: dict[tuple[Cloud, str], Key] = {}
        self._issued: deque[tuple[Cloud, str]] = deque()
        self.restore()

    def restore(self) -> None:
        """Accept the default key alone, as at the start."""
        self._keys.clear()
        self._issued.clear()
        self.add(DEFAULT_KEY)

    def add(self, key: Key, cloud: Cloud | None = None) -> None:
        """Accept a key on one cloud, or on both (None); it replaces the key with its id."""
        for one in (cloud,) if cloud else CLOUDS:
            self._keys[one, key.id] = key

    def add_issued(self, key: Key, cloud: Cloud) -> None:
        """Accept a key that a token service or a metadata service issued."""
        self.add(key, cloud)
        self._issued.append((cloud, key.id))
        if len(self._issued) > ISSUED_KEPT:
            self._keys.pop(self._issued.popleft(), None)

    def expire_issued(self, now: float) -> int:
        """Expire every issued key at ``now``, and return how many had not expired before."""
        expired = 0
        for where in self._issued:
            key = self._keys.get(where)
            if key is not None and not key.has_expired(now):
                self._keys[where] = replace(key, expires_at=now)
                expired += 1
        return expired

    def revoke(self, key_id: str) -> bool:
        """Accept a key no longer on either cloud, and return whether there was one."""
        found = [self._keys.pop((cloud, key_id), None) for cloud in CLOUDS]
        return any(found)

    def find(self, cloud: Cloud, key_id: str) -> Key | None:
        """Return a cloud's key by its id, or None."""
        return self._keys.get((cloud, key_id))

    def __iter__(self) -> Iterator[tuple[Cloud, Key]]:
        for (cloud, _), key in self._keys.items():
            yield cloud, key
