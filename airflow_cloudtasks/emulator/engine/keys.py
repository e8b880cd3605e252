"""Access keys, and the nonces they have used."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, get_args

from airflow_cloudtasks.emulator.engine.values import Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_ACCOUNT = "default"
CLOUDS: tuple[Cloud, ...] = get_args(Cloud)
# Issued keys stay after their end, since an expired key is answered otherwise than an unknown one; but not for ever.
ISSUED_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody in a role, for a while.

    Attributes:
        cloud: The cloud.
        role_arn: The role.
        account: The number of the role's account.
        role_name: The role's name.
        role_id: The role's number.
        name: The session's name.
        principal: The account number of whoever assumed the role.
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
        token: The security token that has to come with a temporary key; None for a lasting one.
        account: Whose key it is; the keys of one account share its request limits.
        expires_at: When it ends, in Unix seconds; None for never.
        session: The role's session that it was issued for; None for a key of a test's own.
    """

    id: str
    secret: str
    token: str | None = None
    account: str = DEFAULT_ACCOUNT
    expires_at: float | None = None
    session: Session | None = None

    def has_expired(self, now: float) -> bool:
        """Tell whether it has ended.

        Args:
            now: The time, in Unix seconds.

        Returns:
            Whether it has.
        """
        return self.expires_at is not None and now >= self.expires_at


DEFAULT_KEY = Key("emulator-id", "emulator-secret")


class KeyRing:
    """The keys each cloud accepts."""

    def __init__(self) -> None:
        self._keys: dict[tuple[Cloud, str], Key] = {}
        self._issued: deque[tuple[Cloud, str]] = deque()
        self.restore()

    def restore(self) -> None:
        """Go back to the one key the emulator starts with."""
        self._keys.clear()
        self._issued.clear()
        self.add(DEFAULT_KEY)

    def add(self, key: Key, cloud: Cloud | None = None) -> None:
        """Accept a key, in the place of one with its id.

        Args:
            key: The key.
            cloud: The cloud that accepts it; None for both.
        """
        for one in (cloud,) if cloud else CLOUDS:
            self._keys[one, key.id] = key

    def add_issued(self, key: Key, cloud: Cloud) -> None:
        """Accept a key that a token service or a metadata service has issued.

        Args:
            key: The key.
            cloud: The cloud that accepts it.
        """
        self.add(key, cloud)
        self._issued.append((cloud, key.id))
        if len(self._issued) > ISSUED_KEPT:
            self._keys.pop(self._issued.popleft(), None)

    def expire_issued(self, now: float) -> int:
        """End every key issued so far.

        Args:
            now: The time, in Unix seconds.

        Returns:
            How many had not ended before.
        """
        ended = 0
        for where in self._issued:
            key = self._keys.get(where)
            if key is not None and not key.has_expired(now):
                self._keys[where] = replace(key, expires_at=now)
                ended += 1
        return ended

    def revoke(self, key_id: str) -> bool:
        """Accept a key no longer, on either cloud.

        Args:
            key_id: Its id.

        Returns:
            Whether there was such a key.
        """
        found = [self._keys.pop((cloud, key_id), None) for cloud in CLOUDS]
        return any(found)

    def find(self, cloud: Cloud, key_id: str) -> Key | None:
        """Look up a key.

        Args:
            cloud: The cloud asked.
            key_id: The id that came with the request.

        Returns:
            The key, or None.
        """
        return self._keys.get((cloud, key_id))

    def __iter__(self) -> Iterator[tuple[Cloud, Key]]:
        for (cloud, _), key in self._keys.items():
            yield cloud, key


class Nonces:
    """The signature nonces seen so far, each kept until its request would be refused as expired anyway."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._expiries: deque[tuple[float, tuple[str, str]]] = deque()

    def use(self, key_id: str, nonce: str, expires_at: float, now: float) -> bool:
        """Use up a nonce.

        Args:
            key_id: The key it came with.
            nonce: The nonce.
            expires_at: Until when it has to be remembered, in Unix seconds.
            now: The time, in Unix seconds.

        Returns:
            Whether it was fresh.
        """
        while self._expiries and self._expiries[0][0] < now:
            self._seen.discard(self._expiries.popleft()[1])
        entry = (key_id, nonce)
        if entry in self._seen:
            return False
        self._seen.add(entry)
        self._expiries.append((expires_at, entry))
        return True

    def clear(self) -> None:
        """Forget every nonce."""
        self._seen.clear()
        self._expiries.clear()
