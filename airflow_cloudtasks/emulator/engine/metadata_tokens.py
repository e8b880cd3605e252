"""The tokens that Alibaba Cloud's metadata service gives and then demands."""

from __future__ import annotations

import secrets


class MetadataTokens:
    """The tokens given, each until it ends."""

    def __init__(self) -> None:
        self._expiries: dict[str, float] = {}

    def give(self, seconds: float, now: float) -> str:
        """Make a token.

        Args:
            seconds: How long it lasts.
            now: The time, in Unix seconds.

        Returns:
            The token.
        """
        self._expiries = {token: expiry for token, expiry in self._expiries.items() if expiry > now}
        token = secrets.token_hex(28)
        self._expiries[token] = now + seconds
        return token

    def is_good(self, token: str, now: float) -> bool:
        """Tell whether a token was given and has not ended.

        Args:
            token: The token.
            now: The time, in Unix seconds.

        Returns:
            Whether it is good.
        """
        return self._expiries.get(token, now) > now

    def clear(self) -> None:
        """Forget every token."""
        self._expiries.clear()
