"""Read a feed: which of its entries are new ends, and how far to read on. Pure; the caller sends the requests.

A feed is a list of tasks by the time of their end, newest first. A :class:`FeedCursor` holds what a reader of a feed
knows, and a :class:`Look` is one pass over it, from the first page to what the reader has seen before. Only the
vendor's times are compared with one another, so that its clock need not be right.

A feed is no proof: it may repeat, omit or contradict. An end that it repeats is returned once. What it omits, the
caller has to find in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from airflow_cloudtasks.model import TaskState
from airflow_cloudtasks.protocol.normalise import fingerprint, listed_state
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import Feed, TaskApi
from airflow_cloudtasks.values import at, moment, text

MOST_PAGES = 20
"""The pages of one look, unless the caller says otherwise. With the usual page of 100 tasks, they hold 2,000 ends."""

# Seconds after a new end in which others may still appear among the ends that have been seen.
_UNSETTLED = 3.0

# Pages in a row without a new end after which a look is over, while ends may appear among those that have been seen.
_MOST_KNOWN_PAGES = 2

# Seconds; how far behind the newest end later ones are looked for, at most. It is learned from those that came late.
_MOST_DEPTH = 10.0
_DEPTH_KEPT = 0.98
_DEPTH_MARGIN = 1.5
_DEPTH_OF_MISS = 2.0
_LEAST_DEPTH = 0.05

# Seconds, and ends, that are remembered behind the newest one.
_REMEMBERED = 120.0
_MOST_REMEMBERED = 20_000
_PRUNED_FROM = 1000
_FEW = 10

# A time that is further ahead of this machine's clock is no end: some vendors send a planned one.
_FUTURE = 3600.0

# Seconds between two searches for ends behind pages of tasks that run. Where these stand is documented nowhere, and if
# they stand behind the ends, pages without an end mean that none has ended.
_SEARCH_INTERVAL = 60.0

# Two times of one end, in two fields or in two answers, may differ by rounding.
_ROUNDING = 2.0

# Seconds by which an entry may be newer than the one before it. Times may be rounded after they are sorted.
_UNORDERED = 1.0

_UNFINISHED = frozenset({TaskState.PENDING, TaskState.RUNNING})
_NEVER = float("-inf")


class End(NamedTuple):
    """The end of a task, as an entry of a feed shows it.

    Attributes:
        task_id: The task's id.
        ended_at: When it ended, in Unix seconds on the vendor's clock.
        entry: The task object.
        is_clear: Whether the feed shows this end in one way. If not, only a single read can tell.
    """

    task_id: str
    ended_at: float
    entry: Mapping[str, Any]
    is_clear: bool


class FeedCursor:
    """What a reader of one feed knows: until when it has seen ends, and which ones.

    Args:
        api: The API; it has a feed.
        since: Unix seconds on the vendor's clock: later ends are new. None to begin at the first page: its ends are
            returned, and earlier ones are not.

    Attributes:
        newest: The time of the newest end that has been seen, in Unix seconds; None before the first.
        floor: Ends up to this time are not new, whether they have been seen or not.
    """

    def __init__(self, api: TaskApi, since: float | None = None) -> None:
        if api.feed is None:
            raise ValueError(f"{api.name} has no feed.")
        self.api = api
        self.feed: Feed = api.feed
        self.newest = since
        self.floor = _NEVER if since is None else since
        self._seen: dict[str, set[float]] = {}
        self._count = 0
        self._prune_from = _PRUNED_FROM
        self._has_begun = since is not None
        self._is_interrupted = self._has_begun
        self._moved_at = _NEVER
        self._depth = 0.0
        self._covered_from = float("inf")
        self._searched_at = _NEVER
        self._has_blanks_first = False

    def look(self, scope: Mapping[str, Any], now: float, most_pages: int = MOST_PAGES) -> Look:
        """Begin a pass over the feed.

        Args:
            scope: The parameters of the feed, without those of its pages.
            now: Unix seconds on this machine's clock.
            most_pages: The pages after which the pass is given up.
        """
        return Look(self, scope, now, most_pages)

    def has_told(self, task_id: str, ended_at: float) -> bool | None:
        """Return whether the feed has shown the end of a task.

        Args:
            task_id: The task's id in the feed.
            ended_at: When it ended, in Unix seconds on the vendor's clock.

        Returns:
            None if that is not known: the feed was not read back to that time, or it has been forgotten.
        """
        if any(each >= ended_at - _ROUNDING for each in self._seen.get(task_id, ())):
            return True
        return None if not self._has_begun or ended_at <= self.floor + _ROUNDING else False

    def deepen(self) -> None:
        """Look further behind the newest end from now on, because the feed did not tell of an end."""
        self._depth = min(self._depth + _DEPTH_OF_MISS, _MOST_DEPTH)

    def as_dict(self) -> dict[str, Any]:
        """Return what is known as plain JSON types, so that another process can go on."""
        seen = sorted((ended_at, task_id) for task_id, times in self._seen.items() for ended_at in times)
        return {"newest": self.newest, "floor": None if self.floor == _NEVER else self.floor, "seen": seen}

    @classmethod
    def from_dict(cls, api: TaskApi, known: Mapping[str, Any]) -> Self:
        """Rebuild a cursor from the result of :meth:`as_dict`.

        Args:
            api: The API; it has a feed.
            known: What :meth:`as_dict` returned.
        """
        cursor = cls(api, known["newest"])
        cursor.floor = _NEVER if known["floor"] is None else known["floor"]
        for ended_at, task_id in known["seen"]:
            cursor._note(task_id, ended_at)
        # Whether the last look was complete is not known.
        cursor._is_interrupted = True
        return cursor

    def _note(self, task_id: str, ended_at: float) -> bool:
        """Remember an end, and return whether it is new."""
        times = self._seen.setdefault(task_id, set())
        if ended_at in times:
            return False
        times.add(ended_at)
        self._count += 1
        return True

    def _prune(self) -> None:
        """Forget old ends. They are below the floor then, and so never new again."""
        if self._count <= self._prune_from:
            return
        times = sorted(each for times in self._seen.values() for each in times)
        # Not behind the newest end itself: a few wrong times ahead must not hide what is new.
        cut = times[-_FEW] - _REMEMBERED
        if len(times) > _MOST_REMEMBERED:
            cut = max(cut, times[-_MOST_REMEMBERED // 2])
        self.floor = max(self.floor, cut)
        kept = ((task_id, {each for each in times if each > cut}) for task_id, times in self._seen.items())
        self._seen = {task_id: times for task_id, times in kept if times}
        self._count = sum(map(len, self._seen.values()))
        self._prune_from = 2 * self._count + _PRUNED_FROM


class Look:
    """One pass over a feed: from its first page to what has been seen before.

    Send the list's action with ``next_page`` and pass the answer to :meth:`take`, until ``next_page`` is None. A look
    that is given up before is repeated wholly by the next one.

    Attributes:
        next_page: The parameters of the request for the next page; None once the look is over.
        pages: The number of pages read.
        blank_pages: How many of them have no entry with the time of an end.
        is_ordered: Whether the entries stand in the order of their ends.
        has_gap: Whether the look was given up after too many pages, so that older ends may have been missed.
    """

    def __init__(self, cursor: FeedCursor, scope: Mapping[str, Any], now: float, most_pages: int) -> None:
        self._cursor = cursor
        self._pages = Pages(cursor.feed.tasks, scope, cursor.api.name)
        self._now = now
        self._most_pages = most_pages
        self._newest = self._seen_until = cursor.newest if cursor.newest is not None else _NEVER
        self._oldest = float("inf")
        self._known_pages = self.blank_pages = 0
        self._late = 0.0
        self._searches = cursor._has_blanks_first or now - cursor._searched_at >= _SEARCH_INTERVAL
        self._was_interrupted, cursor._is_interrupted = cursor._is_interrupted, True
        self.is_ordered = True
        self.has_gap = False
        self.next_page: dict[str, Any] | None = self._pages.next_page

    @property
    def pages(self) -> int:
        """The number of pages read."""
        return self._pages.read

    @property
    def cost(self) -> int:
        """For how many looks of one page this one counts, because it had to skip pages without an end."""
        return max(self.blank_pages, 1) if self._cursor._has_blanks_first else 1

    def take(self, answer: Any) -> list[End]:
        """Return the new ends on a page, in its order.

        Args:
            answer: The answer to the request for ``next_page``, without its envelope.

        Raises:
            MalformedAnswer: The answer has no list; the error names the api and the field.
        """
        ends, times = self._read(self._pages.take(answer))
        found = [end for end in ends if end.ended_at > self._cursor.floor and self._cursor._note(*end[:2])]
        for end in found:
            if self._cursor._covered_from <= end.ended_at < self._seen_until and not self._was_interrupted:
                self._late = max(self._late, self._seen_until - end.ended_at)
        self._known_pages = 0 if found else self._known_pages + 1
        if times:
            self._cursor._has_blanks_first |= self.blank_pages > 0
        else:
            self.blank_pages += 1
        self._newest = max(self._newest, *times, _NEVER)
        self._oldest = min(self._oldest, *times, float("inf"))
        self.next_page = self._pages.next_page
        if self.next_page is None or not self._goes_on(is_blank=not times):
            self._finish()
        return found

    def _read(self, tasks: list[Mapping[str, Any]]) -> tuple[list[End], list[float]]:
        """Return the ends on a page, and the times by which its entries are sorted."""
        api, feed = self._cursor.api, self._cursor.feed
        times: list[float] = []
        found: dict[tuple[str, float], End] = {}
        for task in tasks:
            ended = moment(at(task, feed.ended_at or api.finished_at or ""), api.zone)
            task_id = text(at(task, feed.id or api.id or ""))
            # Where entries without a time stand in the order is documented nowhere.
            if ended is None:
                continue
            ended_at = ended.timestamp()
            if ended_at < self._now + _FUTURE:
                self.is_ordered &= not times or ended_at <= times[-1] + _UNORDERED
                times.append(ended_at)
            # A task that runs again may show the end of its last run.
            if task_id is None or listed_state(api, task, feed.status) in _UNFINISHED:
                continue
            key = (task_id, ended_at)
            same = found.get(key)
            is_clear = same is None or (same.is_clear and fingerprint(api, same.entry) == fingerprint(api, task))
            found[key] = End(task_id, ended_at, task, is_clear)
        return list(found.values()), times

    def _goes_on(self, *, is_blank: bool) -> bool:
        cursor = self._cursor
        if self.pages >= self._most_pages:
            self.has_gap = cursor._has_begun and not is_blank
            return False
        if is_blank:
            # Behind ends, entries without one come last.
            return self._searches and self._oldest == float("inf")
        if not cursor._has_begun:
            return False
        if self._oldest < self._seen_until - cursor._depth:
            return False
        if self._was_interrupted:
            return True
        is_settled = self._now - cursor._moved_at > _UNSETTLED
        return self._known_pages < (1 if is_settled else _MOST_KNOWN_PAGES)

    def _finish(self) -> None:
        """Note in the cursor that the look is complete."""
        cursor = self._cursor
        self.next_page = None
        cursor._is_interrupted = False
        if not cursor._has_begun and self._pages.next_page is not None and self._oldest < float("inf"):
            # Entries with the same time may stand on the next page.
            cursor.floor = self._oldest
        cursor._has_begun = True
        if self.blank_pages and self._searches:
            cursor._searched_at = self._now
            cursor._has_blanks_first &= self.blank_pages < self.pages
        if self._newest > self._seen_until:
            cursor.newest, cursor._moved_at = self._newest, self._now
        cursor._covered_from = self._oldest
        depth = max(self._late * _DEPTH_MARGIN, cursor._depth * _DEPTH_KEPT)
        cursor._depth = 0.0 if depth < _LEAST_DEPTH else min(depth, _MOST_DEPTH)
        cursor._prune()
