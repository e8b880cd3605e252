"""The APIs that this package supports, one file per product. The products' files are data without control flow.

A new API is a :class:`~airflow_cloudtasks.spec.TaskApi` in its product's file. A new product is a new file in this
folder. An API's name begins with its file's name: ``dlc.task`` is in ``dlc.py``. Where both clouds have a product of
that name, the cloud's name follows: ``dts.job`` is in ``dts_alibaba.py``. A file is loaded when one of its APIs is
needed, so that DAG files are parsed as fast with many products as with few.

The docstring of a product's file begins its page in the docs: the first line is the product's full name, and the
rest says what its tasks are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, get_args

from airflow_cloudtasks.model import Cloud
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

BDRC_TASK: TaskApi
BPSTUDIO_OPERATION: TaskApi
BPSTUDIO_TASK: TaskApi
ICE_AI_WORKFLOW_TASK: TaskApi
ICE_WORKFLOW_TASK: TaskApi
LKE_TASK: TaskApi
WEDATA_BACKFILL: TaskApi
WEDATA_NEWEST_WORKFLOW_RUN: TaskApi
WEDATA_SQL_RUN: TaskApi
WEDATA_TASK: TaskApi
WEDATA_TASK_INSTANCE: TaskApi
WEDATA_WORKFLOW_RUN: TaskApi

if not TYPE_CHECKING:  # a type checker reads the annotations above instead

    def __getattr__(name: str) -> TaskApi:
        """Return an API by the name of its constant: ``bdrc.task`` for ``BDRC_TASK``."""
        if name in __all__:
            return APIS[name.lower().replace("_", ".", 1)]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@cache
def products() -> tuple[str, ...]:
    """Return the names of the products' files, in alphabetical order, without loading any."""
    return tuple(sorted(file.name for file in iter_modules(__path__)))


@cache
def apis_of(product: str) -> Mapping[str, TaskApi]:
    """Return the APIs in a product's file, by name, in the order of the file.

    Args:
        product: The name of the file.
    """
    module = import_module(f"{__name__}.{product}")
    return {value.name: value for value in vars(module).values() if isinstance(value, TaskApi)}


def _files_of(name: str) -> Iterator[str]:
    """Yield the files that an API of this name may be in."""
    prefix = name.partition(".")[0]
    known = {prefix, *(f"{prefix}_{cloud}" for cloud in get_args(Cloud))}
    return (product for product in products() if product in known)


class _Catalog(Mapping[str, TaskApi]):
    """Loads a product's file for a look-up in it, and every file for what needs all names."""

    def __getitem__(self, name: str) -> TaskApi:
        for product in _files_of(name):
            if (api := apis_of(product).get(name)) is not None:
                return api
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for product in products() for name in apis_of(product))

    def __len__(self) -> int:
        return sum(len(apis_of(product)) for product in products())

    def __repr__(self) -> str:
        return f"<the catalog of {len(self)} APIs>"


APIS: Mapping[str, TaskApi] = _Catalog()
"""The APIs of the catalog, by name: every TaskApi in a file of this folder. A look-up loads one product's file."""

ENTRY_POINTS = "airflow_cloudtasks.apis"
"""The group of entry points by which installed packages add APIs; each is a TaskApi or a list of them."""

_MOST_CLOSE = 6


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
    return {**APIS, **_installed()}


def find_api(api: str | TaskApi | Mapping[str, Any]) -> TaskApi:
    """Return the spec of an API.

    Args:
        api: The name of an API of the catalog or of an installed package; or a TaskApi, which is returned as it is; or
            the result of :func:`stored_api`.

    Raises:
        ValueError: No API has the name; the text has close names, and the command that lists all.
    """
    if isinstance(api, TaskApi):
        return api
    if isinstance(api, Mapping):
        return TaskApi.from_dict(api)
    if not isinstance(api, str):
        raise ValueError(f"api is {api!r:.200}; expected the name of an API, e.g. 'wedata.task', or a TaskApi.")
    # The catalog first: searching other packages is slow, and most DAGs do not need it.
    found = APIS.get(api) or _installed().get(api)
    if found is None:
        raise ValueError(_unknown(api))
    return found


def _unknown(name: str) -> str:
    from difflib import get_close_matches  # loaded for this error only

    known = sorted(every_api())
    product = [each for each in known if each.partition(".")[0] == name.partition(".")[0]]
    close = dict.fromkeys([*get_close_matches(name, known), *product])
    listed = f" Did you mean {', '.join(list(close)[:_MOST_CLOSE])}?" if close else ""
    return (
        f"Unknown api {name!r}.{listed} `python -m airflow_cloudtasks catalog` lists all {len(known)}; "
        "or pass a TaskApi of your own."
    )


def stored_api(api: TaskApi) -> str | dict[str, Any]:
    """Return an API as a trigger stores it: its name if it is in the catalog, otherwise the whole spec.

    Args:
        api: The API.
    """
    return api.name if APIS.get(api.name) == api else api.as_dict()
