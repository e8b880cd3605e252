"""What the generated docs say of an API, and how they write it in Markdown."""

from __future__ import annotations

import inspect
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parent.parent
# Describe this checkout, whichever copy of the package is installed.
sys.path.insert(0, str(ROOT))

from airflow_cloudtasks.catalog import APIS, apis_of, products  # noqa: E402
from airflow_cloudtasks.doctor.permissions import permissions as names_of  # noqa: E402
from airflow_cloudtasks.model import Cloud, TaskState  # noqa: E402
from airflow_cloudtasks.spec import Failure  # noqa: E402
from airflow_cloudtasks.spec.api import Use  # noqa: E402

if TYPE_CHECKING:
    from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
    from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor
    from airflow_cloudtasks.spec import Start, TaskApi

USES: tuple[tuple[Use, ...], ...] = (("read",), ("list",), ("start", "find", "cancel"), ("explain",), ("results",))
# The modules of the sensors and operators for any API.
BASES = frozenset({"cloud_task", "start_cloud_task"})
OTHER_ENDS = (TaskState.EXPIRED, TaskState.SKIPPED, TaskState.CANCELED)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |").replace("|  |", "| |") for line in lines)


def code(text: str) -> str:
    """Return a text in Markdown's code format."""
    return f"`{text}`"


def listed(items: Iterable[str]) -> str:
    """Return items with commas between them."""
    return ", ".join(items)


def statuses(api: TaskApi) -> Iterator[str]:
    """Yield the statuses that mean pending, running and succeeded, and those of the other ends."""

    def of(state: TaskState) -> str:
        return listed(status for status, meaning in api.states.items() if meaning is state)

    yield of(TaskState.PENDING)
    yield of(TaskState.RUNNING)
    told = [_told(failure) for failure in api.failures]
    yield of(TaskState.SUCCEEDED) + (f" without {listed(told)}" if told else "")
    failures = "; ".join(
        filter(None, (of(TaskState.FAILED), f"{of(TaskState.SUCCEEDED)} with {' or '.join(told)}" if told else ""))
    )
    yield "; ".join(filter(None, (failures, *(f"{of(state)} ({state})" for state in OTHER_ENDS if of(state)))))


def _told(failure: Failure) -> str:
    """Return the field that tells a failure, with its values."""
    return f"{failure.path} {' or '.join(failure.values)}".strip()


@contextmanager
def airflow_home() -> Iterator[None]:
    """Import Airflow in the block without leaving behind the configuration file that it writes."""
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("AIRFLOW_HOME", home)
        yield


def face_modules(kind: str) -> list[str]:
    """Return the names of the modules of sensors or operators that have arguments of their own for a product."""
    package = import_module(f"airflow_cloudtasks.{kind}")
    names = (file.name for file in iter_modules(package.__path__))
    return [name for name in names if name not in BASES and not name.startswith("_")]


def public_classes(kind: str, module: str) -> Iterator[type[Any]]:
    """Yield the classes that a module of sensors, operators or hooks defines."""
    with airflow_home():
        loaded = import_module(f"airflow_cloudtasks.{kind}.{module}")
    for name, found in vars(loaded).items():
        if inspect.isclass(found) and found.__module__ == loaded.__name__ and not name.startswith("_"):
            yield found


@cache
def typed_operators() -> tuple[StartCloudTaskOperator, ...]:
    """Return one instance of each operator that has arguments of its own."""
    modules = face_modules("operators")
    return tuple(_documented(found, None) for module in modules for found in public_classes("operators", module))


@cache
def typed_sensors() -> tuple[CloudTaskSensor, ...]:
    """Return one instance of each sensor that has arguments of its own, which waits for a task by its id if it can."""
    modules = face_modules("sensors")
    return tuple(_documented(found) for module in modules for found in public_classes("sensors", module))


def _documented(face: type[Any], *also: None) -> Any:
    """Return an instance with each of its own arguments that has no default, or whose default is among others."""
    own = [one for one in inspect.signature(face.__init__).parameters.values() if one.kind is one.KEYWORD_ONLY]
    given = [one.name for one in own if one.default in (one.empty, *also) or one.name == "cloud_task_id"]
    # A template is checked when it is rendered, so it is a valid value of any argument.
    return face(task_id="documented", **dict.fromkeys(given, "{{ any }}"))


def needed_arguments(face: type[Any]) -> list[str]:
    """Return the arguments of its own that a sensor or an operator needs, with the id of a task to wait for.

    An operator that needs one of several arguments gets the first ones.
    """
    own = [one for one in inspect.signature(face.__init__).parameters.values() if one.kind is one.KEYWORD_ONLY]
    needed = [one.name for one in own if one.default is one.empty or one.name == "cloud_task_id"]
    optional = [one.name for one in own if one.default is None and one.name not in needed]
    for count in range(len(optional)):
        chosen = [*needed, *optional[:count]]
        with suppress(ValueError):
            face(task_id="documented", **dict.fromkeys(chosen, "{{ any }}"))
            return chosen
    return [*needed, *optional]


def started_with(start: Start) -> str:
    """Return the action that starts a task, with the one that follows it."""
    return start.action.name if start.then is None else f"{start.action.name}, then {start.then.name}"


def canceled_with(api: TaskApi) -> str:
    """Return the action that cancels a task."""
    if api.cancel is None:
        return "none"
    return f"{api.cancel.action.name}, which deletes the task" if api.cancel.removes else api.cancel.action.name


def lost(start: Start) -> str:
    """Return what a retry does about a start request without an answer."""
    if start.client_token is not None:
        return f"is sent again with the same {start.client_token}"
    if start.named_by is not None:
        return f"is looked up by its {start.named_by}"
    if start.find is None:
        return "is not sent again; the task fails"
    found = f"is looked up in {start.find.tasks.action.name}"
    if start.mark is not None:
        found += f" by a mark in {start.mark}"
    needed = [name for name in start.find.tasks.action.params if name not in start.action.params]
    return f"{found}, if {listed(needed)} is set" if needed else found


def parts_of(api: TaskApi) -> str:
    """Return where a failed task says which part of it failed."""
    if api.parts is None:
        return ""
    if api.parts.listed:
        return api.parts.listed.action.name
    return f"the task's {api.parts.at}" if api.parts.at else "the task itself"


def parameters(needed: Iterable[str], optional: Iterable[str]) -> str:
    """Return the names of parameters."""
    return listed([*map(code, needed), *(f"{code(name)} (optional)" for name in optional)])


def permissions_of(apis: Iterable[TaskApi]) -> str:
    """Return the table of the actions that each API needs."""
    return table(
        ("`api`", "Reads", "Lists (optional)", "Starts and cancels", "Explains a failure (optional)", "Returns rows"),
        ((code(api.name), *(listed(map(code, names_of(api, *uses))) for uses in USES)) for api in apis),
    )


def of(cloud: Cloud) -> list[TaskApi]:
    """Return the APIs of a cloud."""
    return [api for api in APIS.values() if api.cloud == cloud]


def product_files(cloud: Cloud) -> dict[str, list[TaskApi]]:
    """Return the APIs of each product of a cloud, by the name of its file."""
    files = {product: list(apis_of(product).values()) for product in products()}
    return {product: apis for product, apis in files.items() if apis[0].cloud == cloud}
