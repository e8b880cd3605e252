"""Everything that is known of one kind of task: how it is asked for, read, started, canceled. Pure data."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any, ClassVar, Self

from airflow_cloudtasks.action import PLACEHOLDER, Action, Service
from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import Cloud, TaskState
from airflow_cloudtasks.parts import Log, Parts
from airflow_cloudtasks.start import Cancel, Find, Start, TaskList
from airflow_cloudtasks.values import fold

__all__ = ["Action", "Cancel", "Find", "Log", "Parts", "Percentages", "Service", "Start", "TaskApi", "TaskList"]


@dataclass(frozen=True, kw_only=True)
class Percentages:
    """Two percentages that stand in for a status, where the vendor has none.

    The words that :func:`airflow_cloudtasks.normalise.normalise` makes of them are ours. They name no number, so that
    ``success_statuses`` and ``failure_statuses`` can name them. A task without a ``message`` tells how much has
    succeeded.

    Args:
        complete: Where it stands how much has ended, well or not.
        succeeded: Where it stands how much has ended well.
    """

    INCOMPLETE: ClassVar[str] = "incomplete"
    COMPLETE: ClassVar[str] = "complete"
    FAILURES: ClassVar[str] = "complete with failures"

    complete: str
    succeeded: str


@dataclass(frozen=True, kw_only=True)
class TaskApi:
    """Everything this package knows of one kind of task. Adding an API is making one of these.

    Paths are dotted (``Workflow.Name``) and start at the task object. Times may be in any shape that
    :func:`airflow_cloudtasks.values.moment` reads.

    Args:
        name: Ours, ``service.kind_of_task``; what users put in ``api=``.
        service: The product.
        read: The action that reads one task.
        id_param: The parameter of ``read`` that holds the task's id.
        task: Where the task object stands in the answer; the empty path is the whole answer.
        status: Where the vendor's status stands, or the percentages that are there in its place.
        states: What each status means; matched without regard to case.
        error_if: Where a text stands that, when not blank, turns a success into a failure: for APIs that have no
            status for failure.
        id: Where the task's id stands; an answer without one is taken to be of the task that was asked for.
        task_name: Where its name stands.
        message: Where the vendor says what happened.
        progress: Where the progress stands.
        progress_whole: What the progress counts up to, or where the task object says so.
        created_at: Where the time of creation stands.
        started_at: Where the time of start stands.
        finished_at: Where the time of the end stands.
        timezone: The zone of times that name none, e.g. ``+08:00``.
        json_fields: Fields that hold JSON inside a string.
        console_url: Where a person can look at the task; ``{id}``, ``{region}`` and the parameters that the action
            needs are filled in.
        list_tasks: The action that reads many tasks at once, used where it costs fewer requests; None for none.
        starts: The actions that start a task; the first is the usual one.
        cancel: The action that cancels a task; None where the vendor has none.
        parts: Where a failed task says which part of it failed; None where ``message`` says all.

    Raises:
        ValueError: The parts do not fit together; the text says which.
    """

    name: str
    service: Service
    read: Action
    id_param: str = "TaskId"
    task: str = ""
    status: str | Percentages = "Status"
    states: Mapping[str, TaskState]
    error_if: str | None = None
    id: str | None = None
    task_name: str | None = None
    message: str | None = None
    progress: str | None = None
    progress_whole: float | str = 1.0
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    timezone: str = "+08:00"
    json_fields: tuple[str, ...] = ()
    console_url: str | None = None
    list_tasks: TaskList | None = None
    starts: tuple[Start, ...] = ()
    cancel: Cancel | None = None
    parts: Parts | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", self.name):
            raise ValueError(f"TaskApi name {self.name!r} is not of the form 'service.kind_of_task'.")
        if self.id_param not in self.read.params:
            raise ValueError(
                f"{self.name}: id_param {self.id_param!r} is none of {self.read.name}'s params {self.read.params}."
            )
        for status, state in self.states.items():
            if not isinstance(state, TaskState):
                raise ValueError(f"{self.name}: status {status!r} means {state!r}, which is no TaskState.")
        if len({status.strip().casefold() for status in self.states}) < len(self.states):
            raise ValueError(f"{self.name}: a status stands in states twice, but for case: {', '.join(self.states)}.")
        if not any(state.done for state in self.states.values()):
            raise ValueError(f"{self.name}: no status in states ends a task, so no wait could end.")
        if isinstance(self.status, Percentages):
            words = {self.status.INCOMPLETE, self.status.COMPLETE, self.status.FAILURES}
            if set(self.states) != words:
                raise ValueError(f"{self.name}: states of percentages must be those of {', '.join(sorted(words))}.")
        if not isinstance(self.progress_whole, str) and not self.progress_whole > 0:
            raise ValueError(f"{self.name}: progress_whole is {self.progress_whole!r}; expected a number above 0.")
        for name in PLACEHOLDER.findall(self.console_url or ""):
            if name not in ("id", "region", *self.read.params):
                raise ValueError(f"{self.name}: console_url has {{{name}}}, which nothing fills in.")
        if self.list_tasks is not None:
            if not self.list_tasks.has_pages:
                raise ValueError(f"{self.name}: list_tasks has no pages, so that it may grow too long to be read.")
            if self.id is None:
                raise ValueError(f"{self.name}: with list_tasks, id must say where a task object holds the task's id.")
            for name in self.list_tasks.action.params:
                if name not in self.task_params:
                    raise ValueError(f"{self.name}: list_tasks needs {name}, which is none of {self.task_params}.")
        for start in self.starts:
            known = (*start.action.params, *start.action.optional, *start.names)
            for name in self.task_params:
                if name not in known:
                    raise ValueError(f"{self.name}: {name} names a task, and {start.action.name} tells none.")
        if self.cancel is not None:
            known = (self.cancel.id_param, *self.cancel.found, *self.task_params)
            for name in self.cancel.action.params:
                if name not in known:
                    raise ValueError(f"{self.name}: {self.cancel.action.name} needs {name}, which nothing tells.")
        self.zone  # noqa: B018 - refuses a bad timezone here rather than at the first answer

    @property
    def cloud(self) -> Cloud:
        """The cloud that the API belongs to."""
        return self.service.cloud

    @cached_property
    def zone(self) -> tzinfo:
        """The zone of times that name none."""
        if not re.fullmatch(r"[+-]([01]\d|2[0-3]):[0-5]\d", self.timezone):
            raise ValueError(f"{self.name}: timezone {self.timezone!r} is not of the form '+08:00'.")
        return datetime.strptime(self.timezone, "%z").tzinfo or UTC

    @cached_property
    def folded_states(self) -> dict[str, TaskState]:
        """What each status means, by the status without regard to case."""
        return {fold(status): state for status, state in self.states.items()}

    @property
    def task_params(self) -> tuple[str, ...]:
        """The parameters that name a task besides its id."""
        return tuple(name for name in self.read.params if name != self.id_param)

    def start(self, action: str | None = None) -> Start:
        """Find the action that starts a task.

        Args:
            action: The vendor's name of it; the usual one if not given.

        Raises:
            InvalidArguments: There is no such action; the text lists those that there are.
        """
        if not self.starts:
            raise InvalidArguments(f"{self.name} has no action that starts a task; nothing but waiting can be done.")
        named = {start.action.name: start for start in self.starts}
        if action is not None and action not in named:
            raise InvalidArguments(f"{self.name} is not started by {action!r}; expected {' or '.join(named)}.")
        return self.starts[0] if action is None else named[action]

    def parameters(self, cloud_task_id: str, api_params: Mapping[str, Any]) -> dict[str, Any]:
        """Give the parameters of the request that reads the task."""
        # An id may be all digits, and is text to the vendors all the same.
        named = {name: str(value) for name, value in api_params.items() if name in self.task_params}
        return {self.id_param: cloud_task_id, **api_params, **named}

    def check_params(self, given: Mapping[str, Any]) -> None:
        """Refuse parameters that cannot name a task of this API.

        Args:
            given: The parameters besides the task's id, in the vendor's spelling.

        Raises:
            InvalidArguments: One is missing, blank, or unknown; the text lists those that the API takes.
        """
        takes = ", ".join((*self.task_params, *(f"{name} (optional)" for name in self.read.optional))) or "none"
        for name in self.task_params:
            if given.get(name) in (None, ""):
                raise InvalidArguments(f"{self.name} needs {name} in api_params. It takes: {takes}.")
        for name in given:
            if name == self.id_param:
                raise InvalidArguments(f"{self.name}: give {name} as cloud_task_id, not in api_params.")
            if name not in self.task_params and name not in self.read.optional:
                raise InvalidArguments(f"{self.name} knows no {name} in api_params. It takes: {takes}.")

    def as_dict(self) -> dict[str, Any]:
        """Give the spec as plain JSON types, so that a trigger can store it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the spec again of what :meth:`as_dict` gave."""
        values = dict(data)
        values["service"] = Service(**_tuples(values["service"]))
        values["read"] = _action(values["read"])
        if (listing := values.get("list_tasks")) is not None:
            values["list_tasks"] = _task_list(listing)
        if isinstance(percentages := values.get("status"), Mapping):
            values["status"] = Percentages(**percentages)
        if (cancel := values.get("cancel")) is not None:
            values["cancel"] = Cancel(**cancel | {"action": _action(cancel["action"])})
        if (parts := values.get("parts")) is not None:
            values["parts"] = _parts(parts)
        values["starts"] = tuple(_start(start) for start in values.get("starts", ()))
        values["states"] = {status: TaskState(state) for status, state in values["states"].items()}
        return cls(**_tuples(values))


def _action(data: Mapping[str, Any]) -> Action:
    return Action(**_tuples(data))


def _task_list(data: Mapping[str, Any]) -> TaskList:
    return TaskList(**{**data, "action": _action(data["action"])})


def _start(data: Mapping[str, Any]) -> Start:
    values = {**_tuples(data), "action": _action(data["action"])}
    if (then := data.get("then")) is not None:
        values["then"] = _action(then)
    if (find := data.get("find")) is not None:
        values["find"] = Find(**{**find, "tasks": _task_list(find["tasks"])})
    return Start(**values)


def _parts(data: Mapping[str, Any]) -> Parts:
    values = _tuples(data)
    if (listed := data.get("listed")) is not None:
        values["listed"] = _task_list(listed)
    if (log := data.get("log")) is not None:
        values["log"] = Log(**{**log, "action": _action(log["action"])})
    return Parts(**values)


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
