"""When reading a list is better than reading its tasks by their ids, and how far to read it. Pure."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import at, iso_utc, text

# Seconds for which the measured cost of a list is used. Accounts fill up and empty.
_BELIEVED = 600.0

# Stop reading a list after a number of pages that is this fraction of the wanted tasks: the account is full of others.
_MOST_PAGES_PER_TASK = 1 / 4

# Seconds without the list after a failure; doubled with each failure.
_FIRST_REST = 5.0
_LONGEST_REST = 60.0

# The vendor's clock may differ, and its times are rounded to seconds.
_CLOCK_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Speeds:
    """How fast lists and tasks can be read at present.

    Args:
        list_delay: Seconds until a request for a page can leave.
        list_interval: Seconds between two such requests.
        read_interval: Seconds between two requests that read one task.
    """

    list_delay: float
    list_interval: float
    read_interval: float


class ListCost:
    """The cost of reading one list, in requests and in seconds, as far as it is known.

    Args:
        page_size: How many tasks a page has at most; 0 for a list without pages, None if there is no list.
    """

    __slots__ = ("_failures", "_has_list", "_learned_at", "_not_before", "_page_seconds", "_page_size", "_requests")

    def __init__(self, page_size: int | None) -> None:
        self._has_list = page_size is not None
        self._page_size = page_size
        self._requests: int | None = None
        self._page_seconds = 0.0
        self._learned_at = self._not_before = float("-inf")
        self._failures = 0

    def requests(self, tasks: int, interval: float, speeds: Speeds, now: float) -> int | None:
        """Return the number of requests that reading the list is expected to cost; None if it would take too long.

        Args:
            tasks: The number of tasks that would otherwise be read by their ids.
            interval: The shortest interval of these tasks, in seconds.
            speeds: How fast lists and tasks can be read.
            now: Seconds on any steady clock.
        """
        if not self._has_list or now < self._not_before:
            return None
        is_known = self._requests is not None and now - self._learned_at <= _BELIEVED
        # An unknown list is assumed to hold nothing but these tasks.
        least = math.ceil(tasks / self._page_size) if self._page_size else 1
        requests = self._requests if is_known and self._requests is not None else least
        page_seconds = max(self._page_seconds if is_known else 0.0, speeds.list_interval)
        seconds = speeds.list_delay + requests * page_seconds
        return requests if seconds <= most_seconds(tasks, interval, speeds) else None

    def learn(self, pages: int, page_seconds: float, now: float) -> None:
        """Note what reading the list cost.

        Args:
            pages: The number of pages until every task was found, or until the end of the list.
            page_seconds: Seconds that one page took to be answered, on average.
            now: Seconds on the clock of :meth:`requests`.
        """
        self._requests, self._page_seconds, self._learned_at, self._failures = pages, page_seconds, now, 0

    def learn_failed(self, now: float) -> None:
        """Note that the list could not be read for a reason that may pass; it is not read for a while."""
        self._not_before = now + min(_FIRST_REST * 2**self._failures, _LONGEST_REST)
        self._failures += 1

    def learn_refused(self, now: float) -> None:
        """Note that the list cannot be read, e.g. because the key has no permission."""
        self._requests, self._learned_at = sys.maxsize, now


def most_seconds(tasks: int, interval: float, speeds: Speeds) -> float:
    """Return how long a list may take: as long as an interval, or as reading its tasks by their ids.

    Args:
        tasks: The number of tasks.
        interval: Their shortest interval, in seconds.
        speeds: How fast lists and tasks can be read.
    """
    return max(interval, tasks * speeds.read_interval)


class Sweep:
    """One pass over a list, page by page, until all wanted tasks are found or reading on is not worth it.

    Args:
        api: The API; it has a list.
        scope: The parameters that all tasks of the list have in common.
        wanted: The ids of the wanted tasks.
        since: The oldest creation time to list, as :func:`since` returned it.
        instead: The number of requests that read the wanted tasks by their ids; None for one each.

    Attributes:
        missing: The ids that have not been found yet.
    """

    def __init__(
        self,
        api: TaskApi,
        scope: Mapping[str, Any],
        wanted: Iterable[str],
        since: str | None = None,
        instead: int | None = None,
    ) -> None:
        assert api.list_tasks is not None  # noqa: S101 - for the type checker
        self._id = api.id or ""
        self._pages = Pages(api.list_tasks, scope, api.name, since)
        self.missing = set(wanted)
        most_pages = int(len(self.missing) * _MOST_PAGES_PER_TASK)
        self._instead = len(self.missing) if instead is None else instead
        self._most_pages = max(min(most_pages, self._instead), 1)

    @property
    def pages(self) -> int:
        """The number of pages read."""
        return self._pages.read

    @property
    def is_complete(self) -> bool:
        """Whether the list has been read to its end."""
        return self._pages.next_page is None

    @property
    def next_page(self) -> dict[str, Any] | None:
        """The parameters of the request for the next page; None if no further page is to be read."""
        goes_on = not self.pages or (self.missing and self.pages < self._most_pages)
        return self._pages.next_page if goes_on else None

    def take(self, answer: Any) -> list[tuple[str, Mapping[str, Any]]]:
        """Return the id and the object of each task on a page.

        Args:
            answer: The answer of the cloud.

        Raises:
            MalformedAnswer: The answer has no list of objects; the error names the api and the field.
        """
        found = [(task_id, task) for task in self._pages.take(answer) if (task_id := text(at(task, self._id)))]
        self.missing.difference_update(task_id for task_id, _ in found)
        return found

    @property
    def cost(self) -> int:
        """The number of requests that this pass shows the list to cost."""
        if self.missing and not self.is_complete:
            # The pass was given up. A pass for somewhat more tasks would meet as many others.
            return 2 * self._instead
        return self.pages


def since(oldest: datetime | None) -> str | None:
    """Return the creation time from which on tasks need to be listed: shortly before the oldest was created.

    Args:
        oldest: When the oldest wanted task was created; None if that is unknown.

    Returns:
        An ISO 8601 time in UTC; None if it is unknown.
    """
    return None if oldest is None else iso_utc(oldest - _CLOCK_SLACK)
