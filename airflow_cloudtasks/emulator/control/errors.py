"""Why an operation of the control plane is refused."""

from __future__ import annotations


class BadInputError(ValueError):
    """An argument of an operation is not valid; the text says what was expected."""


class NotThereError(KeyError):
    """An operation names a task or a key that does not exist."""

    def __str__(self) -> str:
        """Return the plain text, which KeyError would quote."""
        return str(self.args[0])
