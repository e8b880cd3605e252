"""Alibaba Cloud's SDK packages, one for each service and version."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
