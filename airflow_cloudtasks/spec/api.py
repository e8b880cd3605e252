"""The spec of one kind of task. Pure data: no Airflow, no I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any, Literal, Self

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import Cloud, TaskState
from airflow_cloudtasks.spec import stored, validate
from airflow_cloudtasks.spec.action import Action, Service
from airflow_cloudtasks.spec.cancel import Cancel
from airflow_cloudtasks.spec.doorbell import Doorbell
from airflow_cloudtasks.spec.failure import Failure
from airflow_cloudtasks.spec.feed import Feed
from airflow_cloudtasks.spec.lists import TaskList
from airflow_cloudtasks.spec.many import ManyIds
from airflow_cloudtasks.spec.names import RENDERED, Arguments, as_name, check_name
from airflow_cloudtasks.spec.parts import Parts
from airflow_cloudtasks.spec.results import Results
from airflow_cloudtasks.spec.start import Start
from airflow_cloudtasks.spec.status import Percentages
from airflow_cloudtasks.spec.template import integer
from airflow_cloudtasks.values import fold

Use = Literal["read", "list", "find", "explain", "results", "start", "cancel"]
"""What an action is used for. ``find`` looks up a task whose start request got no answer, ``explain`` says why a task
failed, ``results`` returns the rows of one that succeeded."""


@dataclass(frozen=True, kw_only=True)
class TaskApi:
    """Everything the package knows about one kind of task.

    Paths are dotted (``Workflow.Name``) and start at the task object. Times may have any form that
    :func:`airflow_cloudtasks.values.moment` reads.

    Args:
        name: This package's name of the API, ``service.kind_of_task``: the value of ``api=``.
        service: The product.
        read: The action that reads one task.
        id_param: The parameter of ``read`` that takes the task's id.
        task: The path of the task object in the answer; empty for the whole answer.
        first_ended: The path of a list of tasks in the answer, of which the first one that has ended takes the place of
            ``task``; None for an answer about one task.
        status: The path of the vendor's status, or the percentages that stand in for it.
        states: The state that each status means; statuses are matched without regard to case.
        failures: Fields that turn a success into a failure: for APIs whose status does not tell one, or tells it of a
            task's parts only.
        time_in_id: What separates an id from the time at its end, e.g. ``_`` in
            ``20250714200130106_2025-10-01 00:00:00``; None where ids end in no time. The time is written as in
            requests: in ``timezone``, in the service's ``time_format``.
        id: The path of the task's id; without one, the answer is taken to be about the requested task.
        task_name: The path of the task's name.
        message: The path of the vendor's explanation.
        progress: The path of the progress.
        progress_whole: The number that the progress counts up to, or its path in the task object.
        created_at: The path of the creation time.
        started_at: The path of the start time.
        finished_at: The path of the end time.
        restarts: Whether a task object may run again, and shows the end of its last run until the next one ends. An end
            that is older than ``started_at``, or than the request that started the task, is none: the task runs.
        timezone: The zone of times without one, e.g. ``+08:00``.
        json_fields: Paths of fields that hold JSON inside a string.
        console_url: The address of a task in the vendor's console; ``{id}``, ``{region}`` and the parameters of
            ``read`` are filled in.
        list_tasks: The action that lists tasks page by page, used where it costs fewer requests; None for none.
        find_in_list: Whether the vendor has no action that reads one task. Then ``read`` is the action of
            ``list_tasks``, which has no parameter for the id, and its pages are read until one shows ``id``.
        read_many: The action that reads several tasks by their ids in one request, used where it costs fewer requests;
            None for none.
        feed: A list of tasks by the time of their end, newest first, by which ends are noticed within seconds; None for
            none.
        doorbell: The message that the vendor sends to a queue when a task has ended; None for none.
        starts: The actions that start a task; the first one is the default.
        cancel: The action that cancels a task; None where the vendor has none.
        parts: Where a failed task says which part of it failed; None where ``message`` says everything.
        results: Where the rows of a task are; None where tasks have no rows.

    Raises:
        ValueError: The fields do not fit together; the text says which. The rules are in
            :mod:`airflow_cloudtasks.spec.validate`.
    """

    name: str
    service: Service
    read: Action
    id_param: str = "TaskId"
    task: str = ""
    first_ended: str | None = None
    status: str | Percentages = "Status"
    states: Mapping[str, TaskState]
    failures: tuple[Failure, ...] = ()
    time_in_id: str | None = None
    id: str | None = None
    task_name: str | None = None
    message: str | None = None
    progress: str | None = None
    progress_whole: float | str = 1.0
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    restarts: bool = False
    timezone: str = "+08:00"
    json_fields: tuple[str, ...] = ()
    console_url: str | None = None
    list_tasks: TaskList | None = None
    find_in_list: bool = False
    read_many: ManyIds | None = None
    feed: Feed | None = None
    doorbell: Doorbell | None = None
    starts: tuple[Start, ...] = ()
    cancel: Cancel | None = None
    parts: Parts | None = None
    results: Results | None = None

    def __post_init__(self) -> None:
        if problem := next(filter(None, self._problems()), None):
            raise ValueError(f"{self.name}: {problem}")

    def _problems(self) -> Iterator[str | None]:
        yield validate.name_has_a_service(self.name)
        if self.find_in_list:
            yield validate.list_is_read_for_one_task(self.read, self.list_tasks, self.id_param)
            yield validate.nothing_else_places_the_task(self.task, self.first_ended)
        else:
            yield validate.id_is_a_parameter(self.id_param, self.read)
        yield validate.tencent_takes_json(self.service, (action for _, action in self.actions()))
        yield validate.statuses_mean_states(self.states)
        yield validate.statuses_are_distinct(self.states)
        yield validate.a_status_ends_a_task(self.states)
        yield validate.percentages_have_their_own_words(self.status, self.states)
        yield validate.progress_has_a_whole(self.progress_whole)
        yield validate.console_url_can_be_filled_in(self.console_url, (self.id_param, *self.read.params))
        yield validate.list_has_pages(self.list_tasks)
        yield validate.listed_tasks_have_ids(self.list_tasks, self.id)
        yield validate.list_takes_what_tasks_share(self.list_tasks, self.task_params)
        yield validate.tasks_read_together_have_ids(self.read_many, self.id)
        yield validate.tasks_read_together_are_one_each(self.read_many, self.first_ended)
        yield validate.ids_read_together_have_their_type(self.read_many, self.id_is_an_integer)
        yield validate.feed_has_pages(self.feed)
        yield validate.feed_takes_what_is_known(self.feed, (*self.task_params, *self.carried_params))
        yield validate.tasks_of_feed_have_ids(self.feed, self.id)
        yield validate.tasks_of_feed_show_their_end(self.feed, self.finished_at)
        yield validate.complete_tasks_of_feed_are_read_like_others(self.feed, self.first_ended)
        yield validate.starts_identify_the_task(self.starts, self.task_params)
        yield validate.cancel_needs_what_is_known(self.cancel, self.task_params)
        yield validate.starts_know_what_cancel_needs(self.starts, self.cancel)
        yield validate.results_need_what_identifies_the_task(self.results, self.read)
        yield validate.restarts_show_their_end(self.restarts, self.finished_at)
        yield validate.timezone_is_an_offset(self.timezone)

    def actions(self) -> Iterator[tuple[Use, Action]]:
        """Yield each action with its use, those that read first. An action may occur for several uses."""
        yield "read", self.read
        if self.list_tasks is not None:
            yield "list", self.list_tasks.action
        if self.read_many is not None:
            yield "list", self.read_many.action
        if self.feed is not None:
            yield "list", self.feed.tasks.action
        for start in self.starts:
            yield "start", start.action
            if start.then is not None:
                yield "start", start.then
            if start.find is not None:
                yield "find", start.find.tasks.action
        if self.cancel is not None:
            yield "cancel", self.cancel.action
        if self.parts is not None:
            if self.parts.listed is not None and self.parts.listed.action.name != self.read.name:
                yield "explain", self.parts.listed.action
            if self.parts.log is not None:
                yield "explain", self.parts.log.action
        if self.results is not None and self.results.action is not None:
            yield "results", self.results.action

    @property
    def cloud(self) -> Cloud:
        """The cloud that the API belongs to."""
        return self.service.cloud

    @cached_property
    def zone(self) -> tzinfo:
        """The zone of times without one."""
        return datetime.strptime(self.timezone, "%z").tzinfo or UTC

    @cached_property
    def folded_states(self) -> dict[str, TaskState]:
        """The state that each status means, by the status without regard to case."""
        return {fold(status): state for status, state in self.states.items()}

    @cached_property
    def id_is_an_integer(self) -> bool:
        """Whether the vendor takes the task's id as an integer. For users of this package, it is text."""
        return self.id_param in self.read.integers

    @cached_property
    def integer_params(self) -> frozenset[str]:
        """The parameters of ``api_params`` that the vendor takes as integers. For users, they are text."""
        together = self.read_many.action.integers if self.read_many else frozenset()
        return (self.read.integers | together) - {self.id_param}

    @cached_property
    def ids_are_plain(self) -> bool:
        """Whether ids are sent as they are given."""
        return self.time_in_id is None and not self.id_is_an_integer

    @cached_property
    def task_path(self) -> str:
        """The path of a task object in an answer of ``read``; of the first one, if the answer lists tasks."""
        return f"{self.list_tasks.tasks}.0" if self.find_in_list and self.list_tasks else self.task

    @cached_property
    def task_params(self) -> tuple[str, ...]:
        """The parameters that identify a task besides its id."""
        return tuple(name for name in self.read.params if name != self.id_param)

    @cached_property
    def carried_params(self) -> tuple[str, ...]:
        """The optional parameters of ``api_params``: reading, listing or canceling takes them if they are known.

        They are carried over from the request that starts the task.
        """
        names = (
            *self.read.optional,
            *(self.cancel.needs if self.cancel else ()),
            *(self.read_many.shared if self.read_many else ()),
        )
        return tuple(name for name in dict.fromkeys(names) if name not in self.task_params)

    def known_params(self, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the known parameters that ``api_params`` takes.

        Args:
            known: Parameters by name, e.g. those of a start request.
        """
        names = (*self.task_params, *self.carried_params)
        return {name: known[name] for name in names if known.get(name) not in (None, "")}

    def list_params(self, known: Mapping[str, Any]) -> dict[str, str]:
        """Return the parameters of the list that shows a task, without those of its pages.

        Args:
            known: The parameters that are known of the task.
        """
        return _texts(self.list_tasks.action.accepted if self.list_tasks else (), known)

    def feed_params(self, known: Mapping[str, Any]) -> dict[str, str] | None:
        """Return the parameters of the feed that shows the end of a task, without those of its pages.

        Args:
            known: The parameters that are known of the task.

        Returns:
            The parameters; None if there is no feed, or not all that it needs is known.
        """
        if self.feed is None or any(known.get(name) in (None, "") for name in self.feed.tasks.action.params):
            return None
        of_tasks = (*self.task_params, *self.carried_params)
        return _texts(tuple(name for name in self.feed.tasks.action.accepted if name in of_tasks), known)

    def together_params(self, known: Mapping[str, Any]) -> dict[str, str] | None:
        """Return the parameters that the tasks share which one request reads by their ids.

        Args:
            known: The parameters that are known of one of the tasks.

        Returns:
            The parameters; None if the task cannot be read together with others.
        """
        if self.read_many is None or any(known.get(name) in (None, "") for name in self.read_many.needs):
            return None
        return _texts(self.read_many.shared, known)

    def start(self, action: str | None = None) -> Start:
        """Return the action that starts a task.

        Args:
            action: The vendor's name of the action; None for the default.

        Raises:
            InvalidArguments: There is no such action; the text lists those that exist.
        """
        if not self.starts:
            raise InvalidArguments(f"{self.name} has no action that starts a task; nothing but waiting can be done.")
        by_name = {start.action.name: start for start in self.starts}
        if action is not None and action not in by_name:
            raise InvalidArguments(f"{self.name} is not started by {action!r}; expected {' or '.join(by_name)}.")
        return self.starts[0] if action is None else by_name[action]

    def parameters(self, cloud_task_id: str, api_params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the request that reads the task.

        Args:
            cloud_task_id: The task's id.
            api_params: The other parameters, which :meth:`check_params` accepts.
        """
        # Vendors take ids as text, also those that are all digits.
        taken = self.read.accepted
        known = ((name, value) for name, value in api_params.items() if name in taken and value is not None)
        return {self.id_param: cloud_task_id, **{name: as_name(value) for name, value in known}}

    def check_params(self, given: Any, arguments: Arguments = RENDERED) -> None:
        """Refuse parameters that cannot identify a task of this API.

        Args:
            given: The parameters besides the task's id, in the vendor's spelling.
            arguments: What is known of them.

        Raises:
            InvalidArguments: A parameter is missing, unknown or no id; the text names it.
        """
        if not isinstance(given, Mapping):
            raise InvalidArguments(f"{self.name}: api_params is {given!r:.200}; expected a dict by the vendor's names.")
        for name in self.task_params:
            if given.get(name) is None or given[name] == "":
                raise InvalidArguments(f"{self.name} needs {name} in api_params. It takes: {self._accepted_params}.")
        for name, value in given.items():
            if name == self.id_param:
                raise InvalidArguments(f"{self.name}: give {name} as cloud_task_id, not in api_params.")
            if name not in self.task_params and name not in self.carried_params:
                raise InvalidArguments(f"{self.name} knows no {name} in api_params. It takes: {self._accepted_params}.")
            if value is not None:
                check_name(self.name, name, value, arguments)
                if name in self.integer_params and not arguments.is_pending(value):
                    integer(f"{self.name}: {name}", value)

    @property
    def _accepted_params(self) -> str:
        return ", ".join((*self.task_params, *(f"{name} (optional)" for name in self.carried_params))) or "none"

    def as_dict(self) -> dict[str, Any]:
        """Return the spec as plain JSON types, for a trigger to store."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild a spec from the result of :meth:`as_dict`.

        Args:
            data: What :meth:`as_dict` returned, in this version or an earlier one.

        Raises:
            ValueError: The fields do not fit together; the text says which.
        """
        return cls(**stored.api_fields(data))


def _texts(names: tuple[str, ...], known: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(known[name]) for name in names if known.get(name) not in (None, "")}
