"""The command line. Airflow's own command line has the same commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from airflow_cloudtasks.commands.catalog import catalog, catalog_options
from airflow_cloudtasks.commands.command import INTERRUPTED, Command
from airflow_cloudtasks.commands.connections import check, check_options, record, record_options

COMMANDS = (
    Command("catalog", "List the APIs: what reads, starts, cancels and lists their tasks", catalog_options, catalog),
    Command("check", "Say why a connection does not work, and what its key may do", check_options, check),
    Command(
        "record",
        "Save the answers about a task for a bug report, without names and secrets",
        record_options,
        record,
    ),
)
"""The commands."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit code.

    It is 0 if all is well, 1 if something is not, 2 for wrong usage and 130 after Ctrl-C.

    Args:
        arguments: The command line without the program's name; None for this process's own.
    """
    parser = argparse.ArgumentParser(
        prog="python -m airflow_cloudtasks", description="Tools for Airflow's cloud tasks."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        subparser = commands.add_parser(command.name, help=command.help, description=f"{command.help}.")
        for each in command.options():
            subparser.add_argument(each.flag, help=each.help, **each.keywords)
        subparser.set_defaults(run=command.run)
    given = parser.parse_args(arguments)
    try:
        code: int = given.run(given)
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
