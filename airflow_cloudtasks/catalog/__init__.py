"""The APIs that this package knows, one file a product. Data, no control flow.

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
"""The group of entry points by which an installed package adds APIs: each is a TaskApi, or a list of them."""


@cache
def _installed() -> dict[str, TaskApi]:
    """Give the APIs of other packages, by name. One of the catalog cannot be replaced."""
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
    told = f"The entry point {entry_point.name!r} of {ENTRY_POINTS} ({entry_point.value})"
    try:
        loaded = entry_point.load()
    except Exception as error:  # whatever a module of somebody's raises
        raise ValueError(f"{told} cannot be loaded: {type(error).__name__}: {error}") from error
    apis = loaded if isinstance(loaded, list | tuple) else [loaded]
    for api in apis:
        if not isinstance(api, TaskApi):
            raise TypeError(f"{told} leads to a {type(api).__name__}; expected a TaskApi, or a list of them.")
    return apis


def find_api(api: str | TaskApi | Mapping[str, Any]) -> TaskApi:
    """Find an API by its name.

    Args:
        api: A name of the catalog, or of an API that an installed package brings; a spec of one's own, which is
            returned as it is; or what :func:`stored_api` gave.

    Raises:
        ValueError: There is no such name; the text lists those that there are.
    """
    if isinstance(api, TaskApi):
        return api
    if isinstance(api, Mapping):
        return TaskApi.from_dict(api)
    # Looking for other packages takes a while, and most DAGs need none.
    found = APIS.get(api) or _installed().get(api)
    if found is None:
        known = ", ".join(sorted(APIS | _installed()))
        raise ValueError(f"Unknown api {api!r}. Known are: {known}; or pass a TaskApi.")
    return found


def stored_api(api: TaskApi) -> str | dict[str, Any]:
    """Give an API as a database stores it: by its name, or whole where it is none of the catalog.

    Args:
        api: The API.
    """
    return api.name if APIS.get(api.name) == api else api.as_dict()
