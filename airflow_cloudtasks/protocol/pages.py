"""Read a list page by page: which page to request next, and when the list ends. Pure: the caller sends requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow_cloudtasks.errors import MalformedAnswer
from airflow_cloudtasks.spec.lists import TaskList
from airflow_cloudtasks.values import at, number, text


class Pages:
    """One pass over a list, from its first page to its last.

    Args:
        listing: The list.
        scope: The parameters that the tasks of the list have in common.
        api: The catalog's name of the API, for error texts.
        since: The oldest creation time to list, as an ISO 8601 time in UTC; ignored by a list without ``since_param``.

    Attributes:
        read: The number of pages read.
        next_page: The parameters of the request for the next page; None after the last page.
    """

    def __init__(self, listing: TaskList, scope: Mapping[str, Any], api: str, since: str | None = None) -> None:
        self._listing, self._api = listing, api
        self._parameters = dict(scope)
        if listing.page_size_param:
            self._parameters[listing.page_size_param] = listing.page_size
        if listing.since_param and since:
            self._parameters[listing.since_param] = since
        self.read = 0
        self._seen = 0
        self._largest_total = 0.0
        self._is_repeating = False
        self.next_page: dict[str, Any] | None = self._parameters

    @property
    def has_shown_all(self) -> bool:
        """Whether the list was read to its end, and its pages had as many tasks as it said that it holds.

        They have fewer if tasks are removed meanwhile: then a task may move to a page that has been read.
        """
        return self.next_page is None and self._seen >= self._largest_total and not self._is_repeating

    def take(self, answer: Any) -> list[Mapping[str, Any]]:
        """Return the task objects of a page, and advance to the next page.

        Args:
            answer: The answer to the request for ``next_page``, without its envelope.

        Raises:
            MalformedAnswer: The answer has no list; the error names the api and the field.
        """
        tasks = at(answer, self._listing.tasks)
        if not isinstance(tasks, Sequence) or isinstance(tasks, str):
            raise MalformedAnswer(
                f"{self._api}: {self._listing.tasks} holds no list",
                api=self._api,
                field=self._listing.tasks,
                action=self._listing.action.name,
            )
        self.read += 1
        self._seen += len(tasks)
        following = self._following(answer, len(tasks))
        by = self._listing.offset_param or self._listing.page_param
        self.next_page = None if following is None or by is None else self._parameters | {by: following}
        return [task for task in tasks if isinstance(task, Mapping)]

    def _following(self, answer: Any, tasks: int) -> str | int | None:
        """Return the token, the number or the offset of the page that follows; None after the last page."""
        if self._listing.next_page is not None:
            current = (self.next_page or {}).get(self._listing.page_param or "")
            following = text(at(answer, self._listing.next_page))
            # A list that returns the token of the same page would never end.
            self._is_repeating = following is not None and following == current
            return None if self._is_repeating else following
        if self._listing.total is not None:
            total = number(at(answer, self._listing.total))
            self._largest_total = max(self._largest_total, total or 0.0)
            return self._following_of_total(total, tasks)
        count = at(answer, self._listing.page_count or "")
        return self.read + 1 if isinstance(count, int) and self.read < count else None

    def _following_of_total(self, total: float | None, tasks: int) -> int | None:
        """Return the offset or the number of the page that follows.

        Tasks are added and removed while a list is read, so that the total of this page counts. Without one, a full
        page is followed by another.
        """
        by_offset = self._listing.offset_param is not None
        reached = self._seen if by_offset else self.read * self._listing.page_size
        is_last = tasks < self._listing.page_size if total is None else reached >= total
        if tasks == 0 or is_last:
            return None
        return self._seen if by_offset else self.read + 1
