"""How a task is started, found again, and canceled. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from airflow_cloudtasks.action import Action
from airflow_cloudtasks.errors import InvalidArguments

# What a parameter's Python value becomes, where text is not what the vendor wants:
# json: JSON in a string; base64: text, or JSON of anything else, in Base64; integer; boolean; dates: days, also of what
# holds times of day; list: also of JSON, as templates make it; ranges: such a list, of pairs of a first and a last;
# pairs: a dict as a list of objects with a key and a value; pair: one such object.
Encoding = Literal["json", "base64", "integer", "boolean", "dates", "list", "ranges", "pairs", "pair"]


@dataclass(frozen=True, kw_only=True)
class TaskList:
    """An action that tells of many tasks at once, page by page.

    Pages are asked for by what the page before says, or by their number, from 1 on: the answer has a ``next_page`` or
    a ``page_count``. A list without pages has neither.

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
        ValueError: The list has both of ``next_page`` and ``page_count``, or pages that nothing asks for.
    """

    action: Action
    tasks: str
    page_size_param: str | None = None
    page_size: int = 0
    page_param: str | None = None
    next_page: str | None = None
    page_count: str | None = None
    since_param: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True

    def __post_init__(self) -> None:
        if self.next_page is not None and self.page_count is not None:
            raise ValueError(f"{self.action.name}: expected either next_page or page_count of its list.")
        if self.has_pages != all((self.page_param, self.page_size_param, self.page_size)):
            raise ValueError(
                f"{self.action.name}: a list has page_param, page_size_param, page_size and one of next_page and "
                "page_count, or none of them."
            )

    @property
    def has_pages(self) -> bool:
        """Whether it is asked for page by page."""
        return self.next_page is not None or self.page_count is not None


@dataclass(frozen=True, kw_only=True)
class Find:
    """How to find the task of a start request that was not answered: in a list, by what was asked for.

    A listed task is the one if it was created since the request, and shows what the request asked for. Where there are
    two, nobody can tell which.

    Args:
        tasks: The list. Parameters that it needs are taken from those of the start request.
        id: Where a listed task has its id.
        created_at: Where a listed task has the time of its creation.
        shows: Where a listed task shows what was asked for, with the parameter of the start request.
        fields: What else a listed task must have, for tasks that one action starts among those of others.
        newest_first: Whether the list begins with the newest task, so that it need not be read to its end.
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
        action: The action, with the parameters that it needs and takes.
        id: Where the answer holds the new task's id; for an action that starts existing tasks anew, None.
        ids_param: Where ``id`` is None: the parameter that holds the list of their ids.
        job: Where the answer holds the id of a job that has to end before the tasks have begun; None for no job.
        job_api: The name of the API that reads the job: of the catalog, or one that an installed package brings.
        names: What names the new task besides its id, and is no parameter of the request.
        encodings: The parameters that are not sent as text; a dotted name is a part of one.
        key_and_value: For ``pairs`` and ``pair``: what the vendor calls the two.
        first_and_last: For ``ranges``: what the vendor calls the two.
        then: An action that gets the new id, and without which the task does not begin.
        client_token: The parameter by which the vendor knows a request that is sent twice.
        mark: A parameter of any JSON object, or of nothing, that the vendor keeps with the task; a mark is put into
            it, to find the task by.
        mark_bytes: How long ``mark`` may be.
        find: How a task is found whose start was not answered; None where the vendor has no such list.

    Raises:
        ValueError: The parts do not fit together; the text says which.
    """

    action: Action
    id: str | None = None
    ids_param: str | None = None
    job: str | None = None
    job_api: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    encodings: Mapping[str, Encoding] = field(default_factory=dict)
    key_and_value: tuple[str, str] = ("K", "V")
    first_and_last: tuple[str, str] = ("First", "Last")
    then: Action | None = None
    client_token: str | None = None
    mark: str | None = None
    mark_bytes: int = 512
    find: Find | None = None

    def __post_init__(self) -> None:
        name = self.action.name
        takes = (*self.action.params, *self.action.optional)
        if (self.id is None) is (self.ids_param is None):
            raise ValueError(f"{name}: expected either id or ids_param.")
        if (self.job is None) is not (self.job_api is None):
            raise ValueError(f"{name}: expected both job and job_api, or neither.")
        named = (self.ids_param, self.client_token, self.mark, *(path.split(".")[0] for path in self.encodings))
        for each in filter(None, named):
            if each not in takes:
                raise ValueError(f"{name}: {each!r} is none of its parameters {takes}.")
        if self.find is not None:
            for each in (*self.find.tasks.action.params, *self.find.shows.values()):
                if each not in takes:
                    raise ValueError(f"{name}: find takes {each!r}, which is none of its parameters {takes}.")
        for path, encoding in self.encodings.items():
            if encoding not in get_args(Encoding):
                raise ValueError(f"{name}: {path} is encoded as {encoding!r}; expected one of {get_args(Encoding)}.")
        if self.then is not None and len(self.then.params) != 1:
            raise ValueError(f"{name}: {self.then.name} has to take one parameter, the new id.")

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Refuse parameters that the action cannot start a task with.

        Args:
            parameters: The parameters, in the vendor's spelling.

        Raises:
            InvalidArguments: One is missing, blank, or unknown; the text lists those that the action takes.
        """
        action = self.action
        takes = ", ".join((*action.params, *(f"{name} (optional)" for name in action.optional))) or "none"
        for name in action.params:
            if parameters.get(name) in (None, "", [], {}):
                raise InvalidArguments(f"{action.name} needs {name}. It takes: {takes}.")
        for name in parameters:
            if name not in action.params and name not in action.optional:
                raise InvalidArguments(f"{action.name} knows no {name}. It takes: {takes}.")


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """An action that ends a task before its time.

    Args:
        action: The action. Parameters that it needs are those that name the task, and ``found``.
        id_param: The parameter of the task's id.
        many: Whether ``id_param`` is a list of ids.
        found: The parameters that do not name the task, with where its object holds them.
        items: Where the answer tells about each task; the empty path is the whole answer, None for an answer that
            tells nothing.
        ok: Where that tells whether the task was canceled.
        why_not: Where that tells why it was not.
        removes: Whether there is no such task any more when it has been canceled.

    Raises:
        ValueError: A parameter that it names is none of the action's.
    """

    action: Action
    id_param: str = "TaskId"
    many: bool = False
    found: Mapping[str, str] = field(default_factory=dict)
    items: str | None = None
    ok: str = ""
    why_not: str | None = None
    removes: bool = False

    def __post_init__(self) -> None:
        for name in (self.id_param, *self.found):
            if name not in self.action.params:
                raise ValueError(f"{self.action.name}: {name!r} is none of its params {self.action.params}.")
