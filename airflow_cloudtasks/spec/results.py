"""Where the rows of a task that has succeeded are. Pure data: no Airflow, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_cloudtasks.spec.action import Action


@dataclass(frozen=True, kw_only=True)
class Results:
    """Where the rows of a task that has succeeded are: in an answer of their own, or in the task object.

    Args:
        action: The action that returns the rows, page by page; None if the task object holds them. It takes the
            parameters that identify the task.
        at: The path, in the answer or the task object, of what holds columns and rows. A list holds the results of
            several statements: the last one with columns counts. Empty for the answer itself.
        status: For ``action``: the path, in what ``at`` names, of the task's status as the answer tells it. Rows count
            only beside a success. None if the answer tells no status.
        columns: The path of the list of columns.
        column_name: The path of a column's name.
        rows: Paths of the list of rows, as JSON or as a text of it, perhaps in Base64; the first with a value counts.
        values: The path of a row's list of values; empty if the row is that list.
        page_size_param: For ``action``: the parameter that limits the rows of a page.
        page_size: The largest page that the vendor allows.
        page_param: The parameter that requests a page.
        next_page: The path of the next page's token in the answer; blank on the last page.

    Raises:
        ValueError: There are pages without an action that reads them, or an action without pages.
    """

    action: Action | None = None
    at: str = ""
    status: str | None = None
    columns: str
    column_name: str
    rows: tuple[str, ...]
    values: str = ""
    page_size_param: str | None = None
    page_size: int = 0
    page_param: str | None = None
    next_page: str | None = None

    def __post_init__(self) -> None:
        if problem := next(self._problems(), None):
            raise ValueError(f"{self.action.name if self.action else 'results'}: {problem}")

    def _problems(self) -> Iterator[str]:
        pages = (self.page_size_param, self.page_size, self.page_param, self.next_page)
        if not self.rows:
            yield "rows has no path."
        if self.action is None:
            if any(pages) or self.status is not None:
                yield "rows in the task object have neither pages nor a status: omit both, or name the action."
            return
        if not all(pages):
            yield "rows are read by page_size_param, page_size, page_param and next_page; expected all of them."
        for name in filter(None, (self.page_size_param, self.page_param)):
            if name not in self.action.optional:
                yield f"{name!r} is none of its optional parameters {self.action.optional}."
