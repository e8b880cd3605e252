"""What a command is, and the exit codes of all."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

OK, FAILED, WRONG_USAGE = 0, 1, 2
# As a shell reports Ctrl-C: 128 and the number of the signal.
INTERRUPTED = 130
DEFAULT_WIDTH = 100
"""The width of a terminal that does not tell its own, in characters."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option or an argument of a command.

    Args:
        flag: The option, e.g. ``--conn-id``, or the name of the argument.
        help: What it is for.
        keywords: Further arguments of ``ArgumentParser.add_argument``.
    """

    flag: str
    help: str
    keywords: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Command:
    """A command of this package's command line.

    Args:
        name: Its name.
        help: What it does.
        options: Returns its options.
        run: Runs it with the parsed options, and returns the exit code.
    """

    name: str
    help: str
    options: Callable[[], Iterable[Option]]
    run: Callable[[argparse.Namespace], int]


def write(text: str) -> None:
    """Write to standard output what its encoding has, also if a vendor's message has more.

    Args:
        text: The text.
    """
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
