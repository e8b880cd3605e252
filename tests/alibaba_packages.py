"""Alibaba Cloud's SDK packages, one for each service and version."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import TYPE_CHECKING, Any

from darabonba.runtime import RuntimeOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_cloudtasks.spec import Action, TaskApi


def imported(service: str, version: str, module: str) -> Any:
    """The module ``client`` or ``models`` of the package of a service."""
    package = f"alibabacloud_{service.replace('-', '_')}{version.replace('-', '')}"
    return importlib.import_module(f"{package}.{module}")


def model(api: TaskApi, name: str) -> Any:
    """A class of the package's models; None if there is none of that name."""
    return getattr(imported(api.service.name, api.service.version, "models"), name, None)


def method_of(client: Any, action: Action) -> Any:
    """The method of a client that calls an action."""
    # The client writes start_aiworkflow. The name of ExecuteOperationASync ends like those of asynchronous methods.
    [found] = [
        name
        for name in dir(type(client))
        if name.replace("_", "") == action.name.lower() and not inspect.iscoroutinefunction(getattr(type(client), name))
    ]
    return getattr(client, found)


def keys(model: Any) -> set[str]:
    """The vendor's names of a model's fields."""
    return set(re.findall(r"result\['(\w+)'\] = ", inspect.getsource(model.to_map)))


def call(client: Any, api: TaskApi, action: Action, given: Mapping[str, Any]) -> Any:
    """Call an action with parameters by the vendor's names."""
    in_header = {name: value for name, value in given.items() if action.place(name) == "header"}
    rest = {name: value for name, value in given.items() if name not in action.path_params and name not in in_header}
    method = method_of(client, action)
    arguments = [given[name] for name in action.path_params]
    # A request whose parameters all stand in the path or in headers has no model.
    if request := model(api, f"{action.name}Request"):
        arguments.append(filled(request, {"body": rest} if keys(request) == {"body"} else rest))
    if in_header:
        method = getattr(client, f"{method.__name__}_with_options")
        headers = {name.replace("-", "_"): value for name, value in in_header.items()}
        arguments += [model(api, f"{action.name}Headers")(**headers), RuntimeOptions()]
    return method(*arguments)


def filled(request: Any, given: Mapping[str, Any]) -> Any:
    """The model of a request; ``from_map`` alone makes lists of what is not given."""
    model = request().from_map(given)
    for name, value in vars(model).items():
        if value == []:
            setattr(model, name, None)
    return model
