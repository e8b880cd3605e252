"""Actions that return many tasks at once, page by page. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_cloudtasks.spec.action import Action


@dataclass(frozen=True, kw_only=True)
class TaskList:
    """An action that returns many tasks at once, page by page.

    A page is requested in one of three ways: by a token from the page before (``next_page``); by its number from 1 on
    (``page_param`` with ``page_count`` or ``total``); or by the number of tasks before it (``offset_param`` with
    ``total``). A list without pages has none of these.

    Args:
        action: The action. Its required parameters are taken from those that identify a task, so that one list serves
            all tasks that share them.
        tasks: The path of the list of task objects in the answer.
        page_size_param: The parameter that limits the number of tasks on a page.
        page_size: The largest page that the vendor allows.
        page_param: The parameter that requests a page.
        next_page: The path of the next page's token in the answer; blank on the last page.
        page_count: The path of the number of pages in the answer.
        offset_param: The parameter that takes the number of tasks to skip.
        total: The path of the number of tasks on all pages in the answer.
        since_param: The parameter that leaves out older tasks, as an ISO 8601 time in UTC; None for none.
        complete: Whether a listed task object holds everything that a single read returns. If not, the task is read
            singly once it has ended.

    Raises:
        ValueError: The list has pages of two kinds, or pages that no parameter requests.
    """

    action: Action
    tasks: str
    page_size_param: str | None = None
    page_size: int = 0
    page_param: str | None = None
    next_page: str | None = None
    page_count: str | None = None
    offset_param: str | None = None
    total: str | None = None
    since_param: str | None = None
    complete: bool = True

    def __post_init__(self) -> None:
        if len([path for path in (self.next_page, self.page_count, self.total) if path is not None]) > 1:
            raise ValueError(f"{self.action.name}: expected one of next_page, page_count and total of its list.")
        if self.page_param is not None and self.offset_param is not None:
            raise ValueError(f"{self.action.name}: expected either page_param or offset_param of its list.")
        if self.offset_param is not None and self.total is None:
            raise ValueError(f"{self.action.name}: offset_param needs total.")
        if self.has_pages != all((self.page_param or self.offset_param, self.page_size_param, self.page_size)):
            raise ValueError(
                f"{self.action.name}: a list has page_param or offset_param, page_size_param, page_size and one of "
                "next_page, page_count and total, or none of them."
            )

    @property
    def has_pages(self) -> bool:
        """Whether the list is read page by page."""
        return any(path is not None for path in (self.next_page, self.page_count, self.total))
