"""The signature nonces that requests have used."""

from __future__ import annotations

from collections import deque


class Nonces:
    """The nonces used so far, each kept until its request would be refused as expired anyway."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()
        self._expiries: deque[tuple[float, tuple[str, str]]] = deque()

    def use(self, key_id: str, nonce: str, expires_at: float, now: float) -> bool:
        """Use up a key's nonce, and return whether it was fresh.

        Args:
            key_id: The key that signed the request.
            nonce: The nonce.
            expires_at: Until when it must be remembered, in Unix seconds.
            now: The time, in Unix seconds.
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
