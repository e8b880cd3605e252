"""The options of the command line that name tasks, made from the catalog. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_cloudtasks.spec import TaskApi

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def option(parameter: str) -> str:
    """Return the option for a vendor's parameter, e.g. ``--project-id`` for ``ProjectId``.

    Args:
        parameter: The parameter, in the vendor's spelling.
    """
    return f"--{_WORD_BEGINS.sub('-', parameter).lower()}"


def naming_options(apis: Iterable[TaskApi]) -> dict[str, list[str]]:
    """Return the options that identify a task besides its id, each with the parameters that it stands for.

    Products spell a parameter differently, so one option may stand for several: ``WorkspaceId`` and ``workspaceId``.

    Args:
        apis: The APIs.
    """
    found: dict[str, list[str]] = {}
    for parameter in naming_parameters(apis):
        found.setdefault(option(parameter), []).append(parameter)
    return found


def naming_parameters(apis: Iterable[TaskApi]) -> dict[str, list[str]]:
    """Return the parameters that identify a task besides its id, each with the names of the APIs that take it.

    Args:
        apis: The APIs.
    """
    found: dict[str, list[str]] = {}
    for api in apis:
        for name in (*api.task_params, *api.carried_params):
            found.setdefault(name, []).append(api.name)
    return found
