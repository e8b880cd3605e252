"""The generated part of each product's page in docs/products: what the product's file in the catalog says.

The first line of the file's docstring is the page's title; its other paragraphs follow the title.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from describing import (
    canceled_with,
    code,
    listed,
    lost,
    needed_arguments,
    parameters,
    parts_of,
    permissions_of,
    started_with,
    statuses,
    table,
    typed_operators,
    typed_sensors,
)

from airflow_cloudtasks.catalog import apis_of
from airflow_cloudtasks.doctor.permissions import all_permissions, as_json, policy
from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.operators.start_cloud_task import StartCloudTaskOperator
from airflow_cloudtasks.sensors.cloud_task import CloudTaskSensor

if TYPE_CHECKING:
    from airflow_cloudtasks.spec import TaskApi

_LINE_LENGTH = 120
_STATES = ("pending", "running", "succeeded", "failed, or another end")


def product_title(product: str) -> str:
    """Return the full name of a product."""
    return _docstring(product).partition("\n")[0].rstrip(".")


def _docstring(product: str) -> str:
    module = import_module(f"airflow_cloudtasks.catalog.{product}")
    return inspect.cleandoc(module.__doc__ or product).replace("``", "`")


def product_page(product: str) -> str:
    """Return the generated part of a product's page.

    Args:
        product: The name of the product's file in the catalog.
    """
    apis = list(apis_of(product).values())
    service = apis[0].service
    about = [
        f"The product's code is {code(service.name)}, its API's version {service.version}.",
        f"[Open the console]({service.console})." if service.console else "",
    ]
    needed = policy(service.cloud, all_permissions(apis))
    return "\n\n".join(
        [
            f"# {product_title(product)}",
            *filter(None, [_docstring(product).partition("\n")[2].strip(), " ".join(filter(None, about))]),
            *(part for api in apis for part in _api(api)),
            "## Permissions",
            permissions_of(apis),
            "This policy allows all of them:",
            f"```json\n{as_json(needed)}\n```",
            "## Example",
            _what_the_example_does(apis),
            f"```python\n{example(product)}```",
        ]
    )


def _api(api: TaskApi) -> Iterator[str]:
    """Yield the section of an API."""
    yield f"## {api.name}"
    yield table(("", ""), _facts(api))
    yield table(
        ("State", "Statuses of the vendor"),
        ((state, written) for state, written in zip(_STATES, statuses(api), strict=True) if written),
    )
    if api.starts:
        yield table(
            ("Start", "Parameters", "A start without an answer"),
            (
                (started_with(start), parameters(start.action.params, start.action.optional), lost(start))
                for start in api.starts
            ),
        )


def _facts(api: TaskApi) -> Iterator[tuple[str, str]]:
    yield "Task id", code(api.id_param)
    if params := parameters(api.task_params, api.carried_params):
        yield "`api_params`", params
    yield "Read by", api.read.name
    if api.list_tasks:
        yield "Listed by", api.list_tasks.action.name
    if api.read_many:
        yield "Read together by", f"{api.read_many.action.name}, up to {api.read_many.most} ids"
    if api.cancel:
        yield "Canceled by", canceled_with(api)
    if api.parts:
        yield "Failed parts are in", parts_of(api)
    if api.results:
        yield "Rows are in", api.results.action.name if api.results.action else "the task itself"
    faces = [type(face).__name__ for face in (*typed_sensors(), *typed_operators()) if face.api.name == api.name]
    if faces:
        yield "Classes with arguments of its own", listed(map(code, faces))


def _shown(apis: list[TaskApi]) -> TaskApi:
    """Return the API of the example: the first one that can be started, or else the first one."""
    return next((api for api in apis if api.starts), apis[0])


def _ends_to_choose(api: TaskApi) -> list[str]:
    """Return the statuses that a user may take for a success, of an API without one."""
    ends = [status for status, state in api.states.items() if state is TaskState.CANCELED]
    return [] if TaskState.SUCCEEDED in api.states.values() else ends


def _what_the_example_does(apis: list[TaskApi]) -> str:
    api = _shown(apis)
    operator = _operator(api)
    action = operator.start if operator else api.starts[0] if api.starts else None
    start = f"`start` starts a task by {started_with(action)} and waits for it. " if action else ""
    ends = " No status is a success: `success_statuses` says which one is to be." if _ends_to_choose(api) else ""
    return f"{start}`wait` waits for a task that something else has started.{ends}"


def example(product: str) -> str:
    """Return a DAG that uses a product, by an operator and a sensor of its own if it has them.

    Args:
        product: The name of the product's file in the catalog.
    """
    api = _shown(list(apis_of(product).values()))
    succeeds = {"success_statuses": json.dumps(ends)} if (ends := _ends_to_choose(api)) else {}
    tasks = [*([("started", "start", _start(api))] if api.starts else []), ("waited", "wait", _wait(api))]
    settings = {
        "dag_id": f'"{product}"',
        "schedule": "None",
        "params": dict.fromkeys((name for _, _, use in tasks for name in use.params), '""'),
        "default_args": '{"deferrable": True, "retries": 2}',
    }
    return "\n".join(
        [
            *("from airflow.sdk import DAG", ""),
            *sorted(f"from {use.face.__module__} import {use.face.__name__}" for _, _, use in tasks),
            *("", f"{_call('with DAG', settings)}:"),
            *(
                _call(
                    f"{name} = {use.face.__name__}", {"task_id": f'"{task_id}"', **use.arguments, **succeeds}, " " * 4
                )
                for name, task_id, use in tasks
            ),
            "",
        ]
    )


@dataclass(frozen=True)
class _Use:
    """A sensor or an operator in an example, its arguments, and the DAG's parameters that these take."""

    face: type[Any]
    arguments: dict[str, str | dict[str, str]]
    params: Sequence[str]


def _operator(api: TaskApi) -> StartCloudTaskOperator | None:
    """Return the operator for the first action that starts a task of an API; None if it has no arguments of its own."""
    return next((one for one in typed_operators() if one.api is api and one.start is api.starts[0]), None)


def _typed(api: TaskApi, face: StartCloudTaskOperator | CloudTaskSensor) -> _Use:
    """Return the use of a sensor or an operator with arguments of its own; one parameter stands for one thing."""
    known = {name.lower(): name for name in (api.id_param, *api.task_params)} | {"cloudtaskid": api.id_param}
    needed = {name: known.get(name.replace("_", ""), name) for name in needed_arguments(type(face))}
    return _Use(type(face), {name: _param(param) for name, param in needed.items()}, (*needed.values(),))


def _start(api: TaskApi) -> _Use:
    if (operator := _operator(api)) is not None:
        return _typed(api, operator)
    named = api.starts[0].action.params
    arguments = {"api": f'"{api.name}"'} | ({"parameters": _params(named)} if named else {})
    return _Use(StartCloudTaskOperator, arguments, named)


def _wait(api: TaskApi) -> _Use:
    if (sensor := next((one for one in typed_sensors() if one.api is api), None)) is not None:
        return _typed(api, sensor)
    arguments: dict[str, Any] = {"api": f'"{api.name}"', "cloud_task_id": _param(api.id_param)}
    named = {"api_params": _params(api.task_params)} if api.task_params else {}
    return _Use(CloudTaskSensor, arguments | named, (api.id_param, *api.task_params))


def _call(called: str, arguments: Mapping[str, str | dict[str, str]], indent: str = "") -> str:
    """Return a call with a line for each argument, as the formatter writes it."""
    lines = "".join(f"{_argument(name, value, f'{indent}    ')},\n" for name, value in arguments.items())
    return f"{indent}{called}(\n{lines}{indent})"


def _argument(name: str, value: str | dict[str, str], indent: str) -> str:
    if isinstance(value, str):
        return f"{indent}{name}={value}"
    items = [f'"{key}": {item}' for key, item in value.items()]
    line = f"{indent}{name}={{{', '.join(items)}}}"
    if len(line) < _LINE_LENGTH:  # a comma follows
        return line
    return f"{indent}{name}={{\n" + "".join(f"{indent}    {item},\n" for item in items) + f"{indent}}}"


def _params(names: Iterable[str]) -> dict[str, str]:
    return {name: _param(name) for name in names}


def _param(name: str) -> str:
    return f'"{{{{ params.{name} }}}}"'
