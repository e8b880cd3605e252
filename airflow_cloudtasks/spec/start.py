"""How a task is started, and how a start without an answer is found again. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_cloudtasks.errors import InvalidArguments
from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.spec.lists import TaskList
from airflow_cloudtasks.spec.literals import check_literal
from airflow_cloudtasks.spec.sql import Sql

Encoding = Literal[
    "json",
    "map",
    "object",
    "base64",
    "integer",
    "number",
    "boolean",
    "id",
    "ids",
    "time",
    "clock",
    "dates",
    "list",
    "ranges",
    "pairs",
    "pair",
]
"""How a parameter is sent where the vendor does not take just any text.

``json``: JSON in a string. ``map``: the same, of a dict without None. ``object``: a dict or a list, also given as
JSON, whose values keep their types. ``base64``: text, or the JSON of any other value without None, in Base64.
``integer``, ``number``, ``boolean``. ``id``: text that names an object of the vendor. ``ids``: a list of them.
``time``: a time in the request's zone and the service's format. ``clock``: a time of day, hours and minutes; of a
time, that in the request's zone. ``dates``: a day; a time counts as its day in the request's zone. ``list``: a list,
also given as JSON, as templates render it. ``ranges``: a list of pairs of a first and a last value. ``pairs``: a dict
without None, sent as a list of objects with a key and a value. ``pair``: one such object.
"""


@dataclass(frozen=True, kw_only=True)
class Find:
    """How to find the task of a start request without an answer: in a list, by the parameters of the request.

    A listed task matches if it was created after the request was sent and shows the parameters of the request. If two
    match, neither is taken.

    Args:
        tasks: The list. Its required parameters are taken from those of the start request.
        id: The path of a listed task's id.
        created_at: The path of a listed task's creation time.
        shows: Paths in a listed task, with the parameter of the start request that each one shows.
        fields: Values that a listed task must have besides, by path; they tell apart tasks that share a list.
        newest_first: Whether the list starts with the newest task, so that it need not be read to its end.
    """

    tasks: TaskList
    id: str
    created_at: str
    shows: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    newest_first: bool = False


@dataclass(frozen=True, kw_only=True)
class Start:
    """An action that starts a task.

    Args:
        action: The action, with its required and optional parameters.
        id: The path of the new task's id in the answer; None for an action that restarts existing tasks, whose job
            makes the tasks, or whose request names the task.
        ids_param: For an action that restarts existing tasks: the parameter with the list of their ids, or with one id
            if it is encoded as ``id``.
        job: The path, in the answer, of the id of a job that must end before the tasks begin; None for no job.
        job_ids: For an action whose job makes the tasks: the path of their ids in the job's task object. Until the job
            has ended, the ids are not known, so a kill has nothing to cancel.
        job_api: The name of the API that reads the job: from the catalog or from an installed package.
        named_by: The parameter by which a request gives the new task its id, for an answer without one. If the user
            sets none, a new id is made: a letter and hexadecimal digits. A start without an answer is looked up by it.
        names: Parameters that identify the new task besides its id and are not parameters of the request.
        encodings: How parameters are sent that are not just text; a dotted name is a field inside a parameter. The
            parameters that identify the task are ids without being named here.
        key_and_value: For ``pairs`` and ``pair``: the vendor's names of the two fields.
        first_and_last: For ``ranges``: the vendor's names of the two fields.
        timezone_param: The parameter that names the zone of the request's times; without it, they are in the API's.
        then: A second action that takes the new id and sets the task going. Its other required parameters are taken
            from the request.
        client_token: The parameter by which the vendor recognises a request that it receives twice.
        mark: A parameter with a free JSON object that the vendor keeps with the task; a token is added to it, by which
            the task can be found.
        mark_bytes: The largest size of ``mark``, in bytes.
        notify: The path of the field in ``mark`` that names the queue for the message about the end; None for none. The
            vendor refuses a larger ``mark`` than ``mark_bytes`` then.
        find: How to find a task whose start request got no answer; None where the vendor has no such list.
        sql: Where the request has SQL, for lineage; None if it has none.

    Raises:
        ValueError: The fields do not fit together; the text says which.
    """

    action: Action
    id: str | None = None
    ids_param: str | None = None
    job: str | None = None
    job_api: str | None = None
    job_ids: str | None = None
    named_by: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    encodings: Mapping[str, Encoding] = field(default_factory=dict)
    key_and_value: tuple[str, str] = ("K", "V")
    first_and_last: tuple[str, str] = ("First", "Last")
    timezone_param: str | None = None
    then: Action | None = None
    client_token: str | None = None
    mark: str | None = None
    mark_bytes: int = 512
    notify: str | None = None
    find: Find | None = None
    sql: Sql | None = None

    def __post_init__(self) -> None:
        if problem := next(self._problems(), None):
            raise ValueError(f"{self.action.name}: {problem}")
        for path, encoding in self.encodings.items():
            check_literal(f"{self.action.name}: {path} is encoded as", encoding, Encoding)

    def _problems(self) -> Iterator[str]:
        accepted = self.action.accepted
        if [self.id, self.ids_param, self.job_ids, self.named_by].count(None) != 3:
            yield "expected one of id, ids_param, job_ids and named_by."
        if self.named_by is not None and self.find is not None:
            yield "named_by finds the task by its id: omit find."
        if (self.job is None) is not (self.job_api is None):
            yield "expected both job and job_api, or neither."
        if self.job_ids is not None and (self.job is None or self.then is not None or self.find is not None):
            yield "job_ids needs a job, and allows neither then nor find: both need an id before the job has ended."
        for name in self._own_params():
            if name not in accepted:
                yield f"{name!r} is none of its parameters {accepted}."
        if self.notify is not None and self.notify.partition(".")[0] != self.mark:
            yield f"notify is {self.notify!r}; expected a field of mark, {self.mark!r}."
        for name in self._params_of_find():
            if name not in accepted:
                yield f"find takes {name!r}, which is none of its parameters {accepted}."
        for name in self.sql.params if self.sql else ():
            if name not in accepted:
                yield f"sql takes {name!r}, which is none of its parameters {accepted}."
        if self.then is not None and len(self._new_in_then) != 1:
            yield f"{self.then.name} has to take one parameter, the new id, besides those of {self.action.name}."

    @property
    def starts_many(self) -> bool:
        """Whether one request may start several tasks."""
        return self.id is None and self.named_by is None and self.encodings.get(self.ids_param or "") != "id"

    @property
    def _new_in_then(self) -> tuple[str, ...]:
        return tuple(name for name in self.then.params if name not in self.action.params) if self.then else ()

    def then_parameters(self, task_id: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of ``then``.

        Args:
            task_id: The id of the new task.
            request: The parameters of the start request, as they are sent.
        """
        names = self.then.params if self.then else ()
        return {name: task_id if name in self._new_in_then else request[name] for name in names}

    def _own_params(self) -> Iterator[str]:
        yield from filter(None, (self.ids_param, self.named_by, self.timezone_param, self.client_token, self.mark))
        yield from (path.split(".")[0] for path in self.encodings)

    def _params_of_find(self) -> tuple[str, ...]:
        return () if self.find is None else (*self.find.tasks.action.params, *self.find.shows.values())

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse parameters that cannot start a task.

        Args:
            parameters: The parameters, in the vendor's spelling.

        Raises:
            InvalidArguments: A parameter is missing, blank or unknown; the text lists those that the action accepts.
        """
        action = self.action
        accepted = ", ".join((*action.params, *(f"{name} (optional)" for name in action.optional))) or "none"
        for name in action.params:
            value = parameters.get(name)
            if value in (None, "", [], {}) or (isinstance(value, str) and not value.strip()):
                raise InvalidArguments(f"{action.name} needs {name}. It takes: {accepted}.")
        for name in parameters:
            if name not in action.accepted:
                raise InvalidArguments(f"{action.name} knows no {name}. It takes: {accepted}.")
