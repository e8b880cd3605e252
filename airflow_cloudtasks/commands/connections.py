"""The commands ``check`` and ``record``, which need a connection."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from airflow_cloudtasks.catalog import every_api, find_api
from airflow_cloudtasks.commands.command import DEFAULT_WIDTH, FAILED, OK, WRONG_USAGE, Option, write
from airflow_cloudtasks.doctor.options import naming_options, naming_parameters, option
from airflow_cloudtasks.doctor.quiet import quiet
from airflow_cloudtasks.errors import CloudTasksError, InvalidArguments
from airflow_cloudtasks.protocol.task_ids import one_task_id
from airflow_cloudtasks.spec import TaskApi

_CONNECTION = (
    Option("--conn-id", "the id of the Airflow connection; by default that of the API's cloud", {"metavar": "ID"}),
    Option("--region", "the region; by default the connection's", {"metavar": "REGION"}),
)
_PARAMETER = Option(
    "--param",
    "a parameter that identifies a task besides its id, for an API that another package adds; may be repeated",
    {"metavar": "NAME=VALUE", "action": "append", "default": []},
)


OWN_FLAGS = frozenset({"--api", "--conn-id", "--help", "--id", "--json", "--output", "--param", "--region"})
"""The options that name no parameter of a product. ``--param`` sets a parameter that is spelled like one of them."""


def check_options() -> tuple[Option, ...]:
    """Return the options of ``check``."""
    return (
        *_CONNECTION,
        Option("--api", "the only API to ask about, e.g. wedata.task; by default all of the cloud", {"metavar": "API"}),
        Option("--json", "print a JSON object instead of a table", {"action": "store_true"}),
        *_naming_options(),
        _PARAMETER,
    )


def record_options() -> tuple[Option, ...]:
    """Return the options of ``record``."""
    return (
        *_CONNECTION,
        Option("--api", "the API, e.g. wedata.task", {"metavar": "API", "required": True}),
        Option("--id", "the task's id", {"metavar": "ID", "required": True}),
        Option("--output", "the file to write; by default standard output", {"metavar": "FILE"}),
        *_naming_options(),
        _PARAMETER,
    )


def _naming_options() -> Iterator[Option]:
    apis = every_api().values()
    takers = naming_parameters(apis)
    for flag, names in naming_options(apis).items():
        if flag not in OWN_FLAGS:
            products = dict.fromkeys(api.partition(".")[0] for name in names for api in takers[name])
            told = f"{' or '.join(names)} of {', '.join(products)}"
            yield Option(flag, told, {"metavar": "VALUE", "dest": _destination(flag)})


def _destination(flag: str) -> str:
    return f"param {flag}"


def check(given: argparse.Namespace) -> int:
    """Print a report on a connection, and return the exit code.

    Args:
        given: The parsed options.
    """
    try:
        api = find_api(given.api) if given.api else None
        api_params = _api_params(given, api)
        conn_id = given.conn_id or (api and _default_conn_id(api))
        if not conn_id:
            raise InvalidArguments("check needs --conn-id, or --api for the default connection of its cloud.")
        _refuse_unknown(api_params, api)
    except ValueError as error:
        return _wrong_usage(error)
    with quiet():
        from airflow_cloudtasks.doctor.connection import understand
        from airflow_cloudtasks.doctor.examination import Wanted, examine
        from airflow_cloudtasks.doctor.look_up import look_up

        found = understand(conn_id, look_up(conn_id), api.cloud if api else None)
        apis = [api] if api else list(every_api().values())
        report = examine(Wanted(conn_id=conn_id, apis=apis, region=given.region, api_params=api_params), found)
    if given.json:
        sys.stdout.write(json.dumps(report.as_dict(), indent=2) + "\n")
    else:
        from airflow_cloudtasks.doctor.table import table

        width = shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
        write(table(report, width=width, colored=_is_colored(sys.stdout)))
    return OK if report.ok else FAILED


def record(given: argparse.Namespace) -> int:
    """Write the answers about a task into a file, and return the exit code.

    Args:
        given: The parsed options.
    """
    try:
        api = find_api(given.api)
        api_params = _api_params(given, api)
        if missing := [option(name) for name in api.task_params if name not in api_params]:
            raise InvalidArguments(f"{api.name} needs {' and '.join(missing)}.")
        api.check_params(api_params)
        cloud_task_id = one_task_id(given.id, api)
    except ValueError as error:
        return _wrong_usage(error)
    with quiet():
        from airflow_cloudtasks.doctor.look_up import read_airflows_database
        from airflow_cloudtasks.doctor.recording import recording
        from airflow_cloudtasks.hooks.any_cloud import hook_for

        read_airflows_database()
        try:
            client = hook_for(api, given.conn_id, given.region).get_conn()
            recorded = recording(client, api, cloud_task_id, api_params)
        except CloudTasksError as error:
            sys.stderr.write(f"{error}\n")
            return FAILED
    written = json.dumps(recorded, indent=2) + "\n"
    if given.output:
        try:
            Path(given.output).write_text(written, "utf-8")
        except OSError as error:
            sys.stderr.write(f"{given.output} cannot be written: {error.strerror}\n")
            return FAILED
        sys.stderr.write(
            f"Written to {given.output}. Names, ids, texts and secrets are replaced; read it before you attach it.\n"
        )
    else:
        sys.stdout.write(written)
    return OK


def _default_conn_id(api: TaskApi) -> str:
    return f"{api.cloud}_default"


def _api_params(given: argparse.Namespace, api: TaskApi | None) -> dict[str, str]:
    """Return the parameters that identify a task besides its id, as the API spells them."""
    own = naming_parameters([api] if api else every_api().values())
    named = {
        name: value
        for flag, names in naming_options(every_api().values()).items()
        if (value := getattr(given, _destination(flag), None)) is not None
        for name in [name for name in names if name in own] or names[:1]
    }
    for pair in given.param:
        name, separator, value = pair.partition("=")
        if not separator:
            raise InvalidArguments(f"--param is {pair!r}; expected NAME=VALUE.")
        named[name] = value
    return named


def _refuse_unknown(api_params: Iterable[str], api: TaskApi | None) -> None:
    known = naming_parameters([api] if api else every_api().values())
    for name in api_params:
        if name not in known:
            options = ", ".join(map(option, known)) or "none"
            raise InvalidArguments(f"{api.name if api else 'An API'} takes no {name}; it takes {options}.")


def _wrong_usage(error: Exception) -> int:
    sys.stderr.write(f"{error}\n")
    return WRONG_USAGE


def _is_colored(stream: IO[str]) -> bool:
    """Return whether to use colors: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
