"""Where a task that failed says which part of it failed, and why. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_cloudtasks.action import Action
from airflow_cloudtasks.start import TaskList


@dataclass(frozen=True, kw_only=True)
class Log:
    """An action that reads a log, page by page.

    Args:
        action: The action.
        params: Its parameters, with how they are made of what names the task and of the part, e.g. ``{TaskId}_{Day}``.
        text: Where the answer holds the lines.
        cursor: Where the answer holds what asks for the next page; blank on the last one.
        cursor_param: The parameter that asks for it.
        line_end: What ends a line, besides a newline.
    """

    action: Action
    params: Mapping[str, str]
    text: str
    cursor: str
    cursor_param: str
    line_end: str = "\n"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a task, of which one or more made it fail.

    Args:
        at: Where they stand in the task's own object, as a list of objects or as objects by name. The empty path is the
            task itself.
        listed: A list that tells them, where the task's own object does not; it is read page by page, up to 50 pages.
        status: Where a part has its status.
        failed: The statuses that are failures; matched without regard to case.
        name: Where a part has its name; the first that is there counts.
        id: Where a part has its id.
        message: Where a part says what happened; the first that is there counts.
        found: For ``listed``: its parameters that do not name the task, with where its object holds them.
        each: For ``listed``: a parameter that it is asked with one by one, with where the task's object holds the list.
        log: What reads the log of a part, for the first three of them; None for none.
    """

    at: str = ""
    listed: TaskList | None = None
    status: str = "Status"
    failed: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    id: str | None = None
    message: tuple[str, ...] = ()
    found: Mapping[str, str] = field(default_factory=dict)
    each: tuple[str, str] | None = None
    log: Log | None = None
