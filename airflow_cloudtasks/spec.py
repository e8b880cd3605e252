"""How one API of a cloud is asked, and how its answer reads. Pure data: no Airflow, no I/O."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any, ClassVar, Literal, Self, get_args

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.model import Cloud, TaskState
from airflow_cloudtasks.values import fold

_PLACEHOLDER = re.compile(r"{(\w+)}")


@dataclass(frozen=True, kw_only=True)
class Service:
    """A product of a cloud: whom to ask.

    Args:
        cloud: ``alibaba`` or ``tencent``.
        name: The product's code, as its host name has it; Tencent signs with it too.
        version: The version of the product's API, in the vendor's own form.
        title: What people call the product.
        host: The host name; ``{region}`` stands for the region. Without one, the cloud's own rule:
            ``{name}.{region}.aliyuncs.com``, ``{name}.tencentcloudapi.com``.
        region_hosts: The regions that do not follow ``host``, with their hosts.
        regions: Regions where the product is known to run, for error messages; others are tried all the same.
    """

    cloud: Cloud
    name: str
    version: str
    title: str = ""
    host: str = ""
    region_hosts: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.cloud not in get_args(Cloud):
            raise ValueError(f"Service {self.name!r} has cloud {self.cloud!r}; expected one of {get_args(Cloud)}.")


@dataclass(frozen=True, kw_only=True)
class Action:
    """One call of a service's API: what to ask.

    Args:
        name: The vendor's name of the action, e.g. ``GetTask``.
        params: Parameters that the action needs, in the vendor's own spelling.
        optional: Parameters that it takes besides.
        method: The HTTP method.
        path: The path; ``{Name}`` stands for a parameter, which is then sent in the path and nowhere else.
        params_in: Where the parameters that are not in the path go. Tencent's API takes ``json``; Alibaba's
            RPC actions ``query`` or ``form``, its ROA actions ``query`` or ``json``.
        success_code: For an action that reports failures under HTTP 200: the ``Code`` that means success.
        requests_per_second: How many requests a second the vendor allows one account, where it says so.

    Raises:
        ValueError: The path has a parameter that the action does not need, or the allowance is none.
    """

    name: str
    params: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    method: Literal["GET", "POST"] = "POST"
    path: str = "/"
    params_in: Literal["query", "form", "json"] = "json"
    success_code: str | None = None
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in self.path_params:
            if name not in self.params:
                raise ValueError(f"{self.name}: the path {self.path!r} has {{{name}}}, which is none of its params.")
        if self.requests_per_second is not None and not 0 < self.requests_per_second < float("inf"):
            raise ValueError(f"{self.name}: requests_per_second is {self.requests_per_second!r}; expected more than 0.")

    @property
    def path_params(self) -> tuple[str, ...]:
        """The parameters that go into the path."""
        return tuple(_PLACEHOLDER.findall(self.path))


@dataclass(frozen=True, kw_only=True)
class TaskList:
    """An action that tells of many tasks at once, page by page.

    Pages are asked for by what the page before says, or by their number, from 1 on: the answer has a ``next_page`` or
    a ``page_count``.

    Args:
        action: The action. Parameters that it needs are taken from those that name a task, so that one list serves
            the tasks that have them in common.
        tasks: Where the list of task objects stands in the answer.
        page_size_param: The parameter that holds how many a page may have.
        page_size: How many a page may have at most.
        page_param: The parameter that asks for a page.
        next_page: Where the answer says what to ask for the next page with; blank on the last one.
        page_count: Where the answer says how many pages there are.
        since_param: The parameter that leaves out tasks created before it, as an ISO 8601 time in UTC; None for none.
        constants: Parameters that are the same in every request, as that which puts the newest tasks first.
        complete: Whether a task object of the list holds all that one read singly holds. A task that is not
            complete is read singly once it has ended.

    Raises:
        ValueError: The list has neither or both of ``next_page`` and ``page_count``.
    """

    action: Action
    tasks: str
    page_size_param: str
    page_size: int
    page_param: str
    next_page: str | None = None
    page_count: str | None = None
    since_param: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True

    def __post_init__(self) -> None:
        if (self.next_page is None) is (self.page_count is None):
            raise ValueError(f"{self.action.name}: expected either next_page or page_count of its list.")


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
        for name in _PLACEHOLDER.findall(self.console_url or ""):
            if name not in ("id", "region", *self.read.params):
                raise ValueError(f"{self.name}: console_url has {{{name}}}, which nothing fills in.")
        if self.list_tasks is not None:
            if self.id is None:
                raise ValueError(f"{self.name}: with list_tasks, id must say where a task object holds the task's id.")
            for name in self.list_tasks.action.params:
                if name not in self.task_params:
                    raise ValueError(f"{self.name}: list_tasks needs {name}, which is none of {self.task_params}.")
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
        values["read"] = Action(**_tuples(values["read"]))
        if (listing := values.get("list_tasks")) is not None:
            values["list_tasks"] = TaskList(**listing | {"action": Action(**_tuples(listing["action"]))})
        if isinstance(percentages := values.get("status"), Mapping):
            values["status"] = Percentages(**percentages)
        values["states"] = {status: TaskState(state) for status, state in values["states"].items()}
        return cls(**_tuples(values))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
