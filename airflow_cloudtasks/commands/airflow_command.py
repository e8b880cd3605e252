"""``airflow cloudtasks``: the same commands in Airflow's own command line, which takes those of providers since 3.2."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import Namespace

    from airflow.cli.cli_config import CLICommand

    from airflow_cloudtasks.commands.command import Option

NAME = "cloudtasks"


def commands() -> list[CLICommand]:
    """Return the commands; Airflow calls this for every command line, as ``provider.yaml`` declares it."""
    from airflow.cli.cli_config import ActionCommand, GroupCommand

    subcommands: list[ActionCommand] = []
    # The options come from the catalog. Other commands of Airflow need not import it.
    if NAME in sys.argv:
        from airflow_cloudtasks.commands.main import COMMANDS

        subcommands = [
            ActionCommand(each.name, each.help, _ending(each.run), tuple(map(_argument, each.options())))
            for each in COMMANDS
        ]
    return [GroupCommand(name=NAME, help="List the APIs, and check connections", subcommands=subcommands)]


def _argument(option: Option) -> Any:
    from airflow.cli.cli_config import Arg

    make: Any = Arg  # it has no annotations
    return make((option.flag,), help=option.help, **option.keywords)


def _ending(run: Any) -> Any:
    """Return a command that ends the process with its exit code, which Airflow ignores."""

    def command(given: Namespace) -> None:
        sys.exit(run(given))

    return command
