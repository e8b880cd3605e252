"""The permissions that each API needs, and the policies that grant them. The docs show them too. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from airflow_cloudtasks.catalog import APIS
from airflow_cloudtasks.model import Cloud
from airflow_cloudtasks.spec import Action, TaskApi

Use = Literal["read", "list", "find", "explain", "start", "cancel"]


@dataclass(frozen=True, slots=True)
class Needed:
    """An action that an API needs for a use.

    Args:
        use: What it is needed for. ``find`` looks up a task whose start request got no answer, ``explain`` says why a
            task failed.
        action: The action.
        service: The name of the product that has the action.
    """

    use: Use
    action: Action
    service: str

    @property
    def permission(self) -> str:
        """The name of the action as both clouds' policies write it, e.g. ``wedata:GetTask``."""
        return f"{self.service}:{self.action.name}"


def needed(api: TaskApi) -> Iterator[Needed]:
    """Yield the actions that an API needs, those that read first. An action may occur for several uses.

    Args:
        api: The API.
    """
    for use, action in _actions(api):
        yield Needed(use, action, api.service.name)


def _actions(api: TaskApi) -> Iterator[tuple[Use, Action]]:
    yield "read", api.read
    if api.list_tasks is not None:
        yield "list", api.list_tasks.action
    if api.read_many is not None:
        yield "list", api.read_many.action
    for start in api.starts:
        yield "start", start.action
        if start.then is not None:
            yield "start", start.then
        if start.find is not None:
            yield "find", start.find.tasks.action
        if start.job_api is not None and start.job_api in APIS:
            yield "find", APIS[start.job_api].read
    if api.cancel is not None:
        yield "cancel", api.cancel.action
    if api.parts is not None:
        if api.parts.listed is not None and api.parts.listed.action.name != api.read.name:
            yield "explain", api.parts.listed.action
        if api.parts.log is not None:
            yield "explain", api.parts.log.action


def permissions(api: TaskApi, *uses: Use) -> list[str]:
    """Return the names of the permissions that an API needs, each once.

    Args:
        api: The API.
        *uses: The uses; none for all.
    """
    return _each_once(each.permission for each in needed(api) if not uses or each.use in uses)


def all_permissions(apis: Iterable[TaskApi]) -> list[str]:
    """Return the names of the permissions that several APIs need, each once.

    Args:
        apis: The APIs.
    """
    return _each_once(name for api in apis for name in permissions(api))


def policy(cloud: Cloud, actions: Sequence[str], resource: str = "*") -> dict[str, Any]:
    """Return a policy that allows actions, in the cloud's own policy language.

    Source: Alibaba Cloud, RAM, "Policy structure and syntax"; Tencent Cloud, CAM, "Syntax logic".

    Args:
        cloud: The cloud.
        actions: The names of the permissions.
        resource: What the actions may be used on.
    """
    if cloud == "alibaba":
        return {"Version": "1", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}
    return {"version": "2.0", "statement": [{"effect": "allow", "action": list(actions), "resource": [resource]}]}


def as_json(document: dict[str, Any]) -> str:
    """Return a policy as text, ready to paste.

    Args:
        document: The policy.
    """
    return json.dumps(document, indent=2)


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
