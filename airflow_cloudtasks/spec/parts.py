"""Where a failed task says which part of it failed, and why. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from airflow_cloudtasks.spec.action import Action
from airflow_cloudtasks.spec.lists import TaskList


@dataclass(frozen=True, kw_only=True)
class Log:
    """An action that reads a log.

    A log has pages by a cursor (``cursor`` with ``cursor_param``), or by the number of lines before a page
    (``offset_param`` with ``total``, ``page_size_param`` and ``page_size``), or one page.

    Args:
        action: The action.
        params: Its parameters, each a format string over the fields that identify the task and those of the part,
            e.g. ``{TaskId}_{Day}`` or ``{log[stderr]}``. An optional one is left out if a field is missing.
        times: The parameters that take the log's first and last moment, in Unix milliseconds: a minute before the task
            was created, and a minute after it has finished. A task without these times has no log. None for no such
            parameters.
        text: The path of the log's text in the answer; with ``*``, the path of the text of each line.
        cursor: The path of the next page's cursor in the answer; blank on the last page.
        cursor_param: The parameter that takes the cursor.
        offset_param: The parameter that takes the number of lines to skip.
        total: The path of the number of all lines in the answer.
        page_size_param: The parameter that limits the lines of a page.
        page_size: The lines of a page.
        line_end: The line separator, besides a newline.
        newest_first: Whether the answer begins with the last line, so that its first page is the end of the log.

    Raises:
        ValueError: A parameter of times or offsets is none of the action's, or pages lack one of their fields or are of
            two kinds.
    """

    action: Action
    params: Mapping[str, str]
    times: tuple[str, str] | None = None
    text: str
    cursor: str | None = None
    cursor_param: str | None = None
    offset_param: str | None = None
    total: str | None = None
    page_size_param: str | None = None
    page_size: int = 0
    line_end: str = "\n"
    newest_first: bool = False

    def __post_init__(self) -> None:
        if problem := next(self._problems(), None):
            raise ValueError(f"{self.action.name}: {problem}")

    def _problems(self) -> Iterator[str]:
        for name in (*(self.times or ()), *filter(None, (self.offset_param, self.page_size_param))):
            if name not in self.action.accepted:
                yield f"its log takes {name!r}, which is none of its parameters {self.action.accepted}."
        if (self.cursor is None) is not (self.cursor_param is None):
            yield "expected both cursor and cursor_param of its log, or neither."
        by_offset = (self.offset_param, self.total, self.page_size_param, self.page_size or None)
        if by_offset.count(None) not in (0, len(by_offset)):
            yield "expected all of offset_param, total, page_size_param and page_size of its log, or none of them."
        if self.cursor is not None and self.total is not None:
            yield "expected pages of its log by a cursor or by an offset, not both."


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a task, of which one or more made it fail.

    Args:
        at: The path of the parts in the task object: a list of objects, or objects by name. ``*`` stands for each item
            of a list, and for each value of an object. Empty for the task itself.
        listed: A list that returns the parts, where the task object does not hold them; at most 50 pages are read.
        status: The path of a part's status.
        failed: The statuses of a failed part, matched without regard to case. Without any, each part with a message has
            failed.
        name: Paths of a part's name; the first one with a value counts.
        id: The path of a part's id.
        message: Paths of a part's error message; the first one with a value counts.
        found: For ``listed``: parameters that do not identify the task, with the path of each in the task object.
        fan_out: For ``listed``: a parameter, and the path of a list in the task object; the list action is called once
            for each value.
        log: How to read a part's log, for the first three failed parts; None for no log.
        output: The path, in a part, of what it has written, in Base64. Its end is the end of a part's log.
    """

    at: str = ""
    listed: TaskList | None = None
    status: str = "Status"
    failed: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    id: str | None = None
    message: tuple[str, ...] = ()
    found: Mapping[str, str] = field(default_factory=dict)
    fan_out: tuple[str, str] | None = None
    log: Log | None = None
    output: str | None = None
