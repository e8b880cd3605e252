"""The APIs that this package supports, one file per product. The products' files are data without control flow.

A new API is a :class:`~airflow_cloudtasks.spec.TaskApi` in its product's file. A new product is a new file in this
folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any

from airflow_cloudtasks.catalog.bdrc import BDRC_TASK
from airflow_cloudtasks.catalog.bpstudio import BPSTUDIO_OPERATION, BPSTUDIO_TASK
from airflow_cloudtasks.catalog.ice import ICE_AI_WORKFLOW_TASK, ICE_WORKFLOW_TASK
from airflow_cloudtasks.catalog.lke import LKE_TASK
from airflow_cloudtasks.catalog.wedata import (
    WEDATA_BACKFILL,
    WEDATA_NEWEST_WORKFLOW_RUN,
    WEDATA_SQL_RUN,
    WEDATA_TASK,
    WEDATA_TASK_INSTANCE,
    WEDATA_WORKFLOW_RUN,
)
from airflow_cloudtasks.spec import TaskApi

__all__ = [
    "APIS",
    "BDRC_TASK",
    "BPSTUDIO_OPERATION",
    "BPSTUDIO_TASK",
    "ENTRY_POINTS",
    "ICE_AI_WORKFLOW_TASK",
    "ICE_WORKFLOW_TASK",
    "LKE_TASK",
    "WEDATA_BACKFILL",
    "WEDATA_NEWEST_WORKFLOW_RUN",
    "WEDATA_SQL_RUN",
    "WEDATA_TASK",
    "WEDATA_TASK_INSTANCE",
    "WEDATA_WORKFLOW_RUN",
    "find_api",
    "stored_api",
]

_PRODUCTS = [import_module(f"{__name__}.{file.name}") for file in iter_modules(__path__)]

APIS: dict[str, TaskApi] = {
    value.name: value for product in _PRODUCTS for value in vars(product).values() if isinstance(value, TaskApi)
}
"""The APIs of the catalog, by name: every TaskApi in a file of this folder."""

ENTRY_POINTS = "airflow_cloudtasks.apis"
"""The group of entry points by which installed packages add APIs; each is a TaskApi or a list of them."""


@cache
def _installed() -> dict[str, TaskApi]:
    """Return the APIs of other packages, by name. They cannot replace an API of the catalog."""
    found: dict[str, TaskApi] = {}
    for entry_point in entry_points(group=ENTRY_POINTS):
        for api in _loaded(entry_point):
            if api.name in APIS or found.get(api.name, api) != api:
                raise ValueError(
                    f"The entry point {entry_point.name!r} of {ENTRY_POINTS} has an API named {api.name!r}, and there "
                    "is another one of this name already; give it a name of its own."
                )
            found[api.name] = api
    return found


def _loaded(entry_point: EntryPoint) -> Sequence[TaskApi]:
    described = f"The entry point {entry_point.name!r} of {ENTRY_POINTS} ({entry_point.value})"
    try:
        loaded = entry_point.load()
    except Exception as error:  # another package's module may raise anything
        raise ValueError(f"{described} cannot be loaded: {type(error).__name__}: {error}") from error
    apis = loaded if isinstance(loaded, list | tuple) else [loaded]
    for api in apis:
        if not isinstance(api, TaskApi):
            raise TypeError(f"{described} leads to a {type(api).__name__}; expected a TaskApi, or a list of them.")
    return apis


def every_api() -> dict[str, TaskApi]:
    """Return the APIs of the catalog and those of installed packages, by name."""
    return APIS | _installed()


def find_api(api: str | TaskApi | Mapping[str, Any]) -> TaskApi:
    """Return the spec of an API.

    Args:
        api: The name of an API of the catalog or of an installed package; or a TaskApi, which is returned as it is; or
            the result of :func:`stored_api`.

    Raises:
        ValueError: No API has the name; the text lists the known names.
    """
    if isinstance(api, TaskApi):
        return api
    if isinstance(api, Mapping):
        return TaskApi.from_dict(api)
    # The catalog first: searching other packages is slow, and most DAGs do not need it.
    found = APIS.get(api) or _installed().get(api)
    if found is None:
        known = ", ".join(sorted(every_api()))
        raise ValueError(f"Unknown api {api!r}. Known are: {known}; or pass a TaskApi.")
    return found


def stored_api(api: TaskApi) -> str | dict[str, Any]:
    """Return an API as a trigger stores it: its name if it is in the catalog, otherwise the whole spec.

    Args:
        api: The API.
    """
    return api.name if APIS.get(api.name) == api else api.as_dict()
