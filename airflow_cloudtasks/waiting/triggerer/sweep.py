"""Reading many tasks by a list: when that is cheaper than reading each of them, and how far to read. Pure."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import at, iso_utc, text

# Seconds that what was learned of a list is believed; accounts fill up and empty.
_BELIEVED = 600.0

# A list that has more pages than this part of the tasks that are looked for is left: the account is full of others.
_WORTH_IT = 4

# However many tasks are looked for: a list is read page after page, and nobody else asks for them meanwhile.
_MOST_PAGES = 200

# Seconds that a list is left alone after it failed; doubled from failure to failure.
_FIRST_REST = 5.0
_LONGEST_REST = 60.0

# The vendor's clock and the second that its times are cut to.
_CLOCK_SLACK = timedelta(minutes=5)


class ListCost:
    """What one list costs, as far as is known: tried where it promises to save requests, left where it does not.

    Args:
        page_size: How many tasks a page has at most.
    """

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._requests: int | None = None
        self._learned_at = self._not_before = float("-inf")
        self._failures = 0

    def is_worth_it(self, tasks: int, now: float) -> bool:
        """Decide whether to read the list.

        Args:
            tasks: How many tasks would else be read singly.
            now: Seconds on any steady clock.
        """
        if now < self._not_before:
            return False
        if self._requests is None or now - self._learned_at > _BELIEVED:
            # Unknown: as if nothing but these tasks were in it.
            return math.ceil(tasks / self._page_size) < tasks
        return self._requests < tasks

    def learn(self, pages: int, now: float) -> None:
        """Take note of what reading it cost.

        Args:
            pages: How many pages were read until every task was found, or the list was at its end.
            now: Seconds on the clock of :meth:`is_worth_it`.
        """
        self._requests, self._learned_at, self._failures = pages, now, 0

    def learn_failed(self, now: float) -> None:
        """Take note that reading it failed, by throttling, a timeout or the like: it is left alone for a while."""
        self._not_before = now + min(_FIRST_REST * 2**self._failures, _LONGEST_REST)
        self._failures += 1

    def learn_too_long(self, tasks: int, now: float) -> None:
        """Take note that the list was left before its end: for so many tasks it is not worth it."""
        self._requests, self._learned_at = tasks, now

    def learn_refused(self, now: float) -> None:
        """Take note that the list cannot be read: the key may not, or the service will not."""
        self._requests, self._learned_at = sys.maxsize, now


class Sweep:
    """One reading of a list, page by page, until all that is looked for was found or it is not worth going on.

    Args:
        api: The API; it has a list.
        scope: The parameters that all tasks of the list have in common.
        wanted: The ids that are looked for.
        since: What :func:`since` gave for them.

    Attributes:
        missing: The ids that were not found so far.
    """

    def __init__(self, api: TaskApi, scope: Mapping[str, Any], wanted: Iterable[str], since: str | None = None) -> None:
        assert api.list_tasks is not None  # noqa: S101 - for the type checker
        self._id = api.id or ""
        self._pages = Pages(api.list_tasks, scope, api.name, since)
        self.missing = set(wanted)
        self._most_pages = min(max(len(self.missing) // _WORTH_IT, 1), _MOST_PAGES)

    @property
    def pages(self) -> int:
        """How many pages were read."""
        return self._pages.read

    @property
    def is_complete(self) -> bool:
        """Whether the list was read to its end."""
        return self._pages.next_page is None

    @property
    def next_page(self) -> dict[str, Any] | None:
        """The parameters of the request for the next page; None when there is nothing more to read."""
        goes_on = not self.pages or (self.missing and self.pages < self._most_pages)
        return self._pages.next_page if goes_on else None

    def take(self, answer: Any) -> list[tuple[str, Mapping[str, Any]]]:
        """Take a page.

        Args:
            answer: What the cloud answered.

        Returns:
            The id and the object of each task on it.

        Raises:
            MalformedAnswer: The answer has no list of objects; names the api and the field.
        """
        found = [(task_id, task) for task in self._pages.take(answer) if (task_id := text(at(task, self._id)))]
        self.missing.difference_update(task_id for task_id, _ in found)
        return found


def since(created: Collection[datetime | None]) -> str | None:
    """Decide from when on tasks need to be listed.

    Args:
        created: When the tasks that are looked for were created; None where that is not known.

    Returns:
        An ISO 8601 time in UTC, a little before the oldest; None if one is not known.
    """
    known = [moment for moment in created if moment is not None]
    if not known or len(known) < len(created):
        return None
    return iso_utc(min(known) - _CLOCK_SLACK)
