"""Lists that show the newest ends first. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_cloudtasks.spec.lists import TaskList


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A list of tasks by the time of their end, newest first.

    Its first page, read once a second, shows every end in its scope, however many waits there are. The scope of a wait
    are the parameters of the list's action that its ``api_params`` have. A wait that lacks a required one has no feed.
    A watcher may narrow the scope by all optional parameters.

    Args:
        tasks: The list. The template of its action sets the order. If its ``complete`` is true, an entry is read like
            the answer to a single read; otherwise a task that an entry shows is read by its id.
        id: The path of the task's id in an entry; None for the API's ``id``.
        status: The path of the status in an entry; None for the API's ``status``.
        ended_at: The path of the end's time in an entry; None for the API's ``finished_at``.
    """

    tasks: TaskList
    id: str | None = None
    status: str | None = None
    ended_at: str | None = None
