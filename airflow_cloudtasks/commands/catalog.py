"""The command ``catalog``: which APIs there are, and what can be done with their tasks."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import get_args

from airflow_cloudtasks.catalog import every_api
from airflow_cloudtasks.commands.command import DEFAULT_WIDTH, FAILED, OK, Option, write
from airflow_cloudtasks.commands.listing import as_table, entry, matches
from airflow_cloudtasks.model import Cloud

# Wider than any line, so that each API is one line for grep and the like.
_UNLIMITED = 10_000


def catalog_options() -> tuple[Option, ...]:
    """Return the options of ``catalog``."""
    return (
        Option("words", "list the APIs that have all of these words in a name, a title or an action", {"nargs": "*"}),
        Option("--cloud", "the only cloud to list", {"choices": get_args(Cloud)}),
        Option("--json", "print a JSON list instead of a table", {"action": "store_true"}),
    )


def catalog(given: argparse.Namespace) -> int:
    """Print the APIs that the words select, and return the exit code: 1 if there are none.

    Args:
        given: The parsed options.
    """
    entries = [entry(api) for api in every_api().values() if given.cloud in (None, api.cloud)]
    found = [each for each in entries if matches(each, given.words)]
    if given.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    elif found:
        width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if sys.stdout.isatty() else _UNLIMITED
        write(as_table(found, width=width))
    if not found:
        words = " ".join(given.words)
        sys.stderr.write(f"None of the {len(entries)} APIs has {words!r} in a name, a title or an action.\n")
    return OK if found else FAILED
