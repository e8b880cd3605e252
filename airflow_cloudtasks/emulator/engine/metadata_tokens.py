"""The tokens that Alibaba Cloud's metadata service issues and then requires."""

from __future__ import annotations

import secrets


class MetadataTokens:
    """The issued tokens and their expiries."""

    def __init__(self) -> None:
        self._expiries: dict[str, float] = {}

    def issue(self, seconds: float, now: float) -> str:
        """Return a new token that lasts for so many seconds from ``now``."""
        self._expiries = {token: expiry for token, expiry in self._expiries.items() if expiry > now}
        token = secrets.token_hex(28)
        self._expiries[token] = now + seconds
        return token

    def is_valid(self, token: str, now: float) -> bool:
        """Return whether a token was issued and has not expired."""
        return self._expiries.get(token, now) > now

    def clear(self) -> None:
        """Forget every token."""
        self._expiries.clear()
