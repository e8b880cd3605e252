"""Rebuild the parts of a spec from plain JSON types. Reads what earlier versions stored, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.spec.action import Action, Service, Success
from airflow_cloudtasks.spec.cancel import Cancel
from airflow_cloudtasks.spec.doorbell import Doorbell
from airflow_cloudtasks.spec.failure import Failure
from airflow_cloudtasks.spec.feed import Feed
from airflow_cloudtasks.spec.lists import TaskList
from airflow_cloudtasks.spec.many import ManyIds
from airflow_cloudtasks.spec.parts import Log, Parts
from airflow_cloudtasks.spec.results import Results
from airflow_cloudtasks.spec.sql import Sql
from airflow_cloudtasks.spec.start import Find, Start
from airflow_cloudtasks.spec.status import Percentages
from airflow_cloudtasks.spec.template import literal


def api_fields(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a TaskApi, rebuilt from its fields as plain JSON types.

    Args:
        stored: What :meth:`~airflow_cloudtasks.spec.TaskApi.as_dict` returned, perhaps in an earlier version.
    """
    fields = _tuples(stored)
    fields["service"] = Service(**_tuples(stored["service"]))
    fields["read"] = _action(stored["read"])
    fields["states"] = {status: TaskState(state) for status, state in stored["states"].items()}
    fields["failures"] = tuple(Failure(**_tuples(each)) for each in stored.get("failures", ()))
    if error_if := fields.pop("error_if", None):  # until 0.2.0
        fields["failures"] = (Failure(path=error_if),)
    fields["starts"] = tuple(map(_start, stored.get("starts", ())))
    for name, rebuild in (
        ("list_tasks", _task_list),
        ("read_many", _many_ids),
        ("feed", _feed),
        ("doorbell", _doorbell),
        ("cancel", _cancel),
        ("parts", _parts),
        ("results", _results),
    ):
        if stored.get(name) is not None:
            fields[name] = rebuild(stored[name])
    if isinstance(stored.get("status"), Mapping):
        fields["status"] = Percentages(**stored["status"])
    return fields


def _action(stored: Mapping[str, Any]) -> Action:
    fields = _tuples(stored)
    # Both until 0.2.0, instead of a template.
    constants, filters = fields.pop("constants", {}), fields.pop("filters", ())
    if constants or filters:
        fields["template"] = template = literal(constants)
        if filters:
            template["Filters"] = [{"Name": name, "Values": [f"{{{name}}}"]} for name in filters]
    if (success := stored.get("success")) is not None:
        fields["success"] = Success(**success)
    return Action(**fields)


def _task_list(stored: Mapping[str, Any]) -> TaskList:
    fields = {**stored, "action": _action(stored["action"])}
    if constants := fields.pop("constants", None):  # until 0.2.0
        action = fields["action"]
        fields["action"] = replace(action, template={**literal(constants), **action.template})
    return TaskList(**fields)


def _many_ids(stored: Mapping[str, Any]) -> ManyIds:
    return ManyIds(**{**stored, "action": _action(stored["action"])})


def _feed(stored: Mapping[str, Any]) -> Feed:
    return Feed(**{**stored, "tasks": _task_list(stored["tasks"])})


def _doorbell(stored: Mapping[str, Any]) -> Doorbell:
    return Doorbell(**stored)


def _cancel(stored: Mapping[str, Any]) -> Cancel:
    return Cancel(**{**_tuples(stored), "action": _action(stored["action"])})


def _start(stored: Mapping[str, Any]) -> Start:
    fields = {**_tuples(stored), "action": _action(stored["action"])}
    if (then := stored.get("then")) is not None:
        fields["then"] = _action(then)
    if (find := stored.get("find")) is not None:
        fields["find"] = Find(**{**find, "tasks": _task_list(find["tasks"])})
    if (sql := stored.get("sql")) is not None:
        fields["sql"] = Sql(**sql)
    return Start(**fields)


def _parts(stored: Mapping[str, Any]) -> Parts:
    fields = _tuples(stored)
    if "each" in fields:  # its name in 0.1.0
        fields["fan_out"] = fields.pop("each")
    if (listed := stored.get("listed")) is not None:
        fields["listed"] = _task_list(listed)
    if (log := stored.get("log")) is not None:
        fields["log"] = Log(**{**_tuples(log), "action": _action(log["action"])})
    return Parts(**fields)


def _results(stored: Mapping[str, Any]) -> Results:
    fields = _tuples(stored)
    if (action := stored.get("action")) is not None:
        fields["action"] = _action(action)
    return Results(**fields)


def _tuples(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with lists as tuples: JSON has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
