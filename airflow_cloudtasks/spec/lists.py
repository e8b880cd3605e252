"""Actions that return many tasks at once, page by page. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_cloudtasks.spec.action import Action


@dataclass(frozen=True, kw_only=True)
class TaskList:
    """An action that returns many tasks at once, page by page.

    A page is requested either by a token from the page before (``next_page``) or by its number from 1 on
    (``page_count``). A list without pages has neither.

    Args:
        action: The action. Its required parameters are taken from those that identify a task, so that one list serves
            all tasks that share them.
        tasks: The path of the list of task objects in the answer.
        page_size_param: The parameter that limits the number of tasks on a page.
        page_size: The largest page that the vendor allows.
        page_param: The parameter that requests a page.
        next_page: The path of the next page's token in the answer; blank on the last page.
        page_count: The path of the number of pages in the answer.
        since_param: The parameter that leaves out older tasks, as an ISO 8601 time in UTC; None for none.
        complete: Whether a listed task object holds everything that a single read returns. If not, the task is read
            singly once it has ended.

    Raises:
        ValueError: The list has both ``next_page`` and ``page_count``, or pages that no parameter requests.
    """

    action: Action
    tasks: str
    page_size_param: str | None = None
    page_size: int = 0
    page_param: str | None = None
    next_page: str | None = None
    page_count: str | None = None
    since_param: str | None = None
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
        """Whether the list is read page by page."""
        return self.next_page is not None or self.page_count is not None
