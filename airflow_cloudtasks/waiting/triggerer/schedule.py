"""When each task is polled: the waits of a dispatcher by due time and by scope. Pure; the caller passes the time.

A scope holds the tasks that one list shows, e.g. those of one project, and that one batch can read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from airflow_cloudtasks.model import CloudTask
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.waiting.backoff import pause, throttle_delay
from airflow_cloudtasks.waiting.triggerer.batch import BatchCost
from airflow_cloudtasks.waiting.triggerer.choice import Way
from airflow_cloudtasks.waiting.triggerer.due_queue import DueQueue
from airflow_cloudtasks.waiting.triggerer.sweep import ListCost
from airflow_cloudtasks.waiting.triggerer.watch import Watch

# A queue is compacted once its stale entries outnumber the others.
_MIN_COMPACTED = 1000

# Seconds for which an empty scope is kept, with the measured costs of its list.
_SCOPE_KEPT = 600.0

# How many tasks of a scope are looked at for each task of a batch, so that looking for ripe ones takes no longer.
_LOOKED_AT_PER_TASK = 4

# Tasks from which it is estimated how many tasks of a scope are ripe.
_ESTIMATED_FROM = 2000

READ_AGAIN = (1.0, 2.0, 4.0)
"""A task that rings is read again after so many seconds if it has not ended: the read may lag behind the ring."""

# Seconds for which a task that rings is read by its id, if it cannot be read in batches: its list may be long.
_RUNG_ALONE = 10.0

# Seconds between two polls of a task whose end something else is expected to tell, if its own interval is shorter.
SLOW_SECONDS = 60.0

_NEVER = float("-inf")

_Values = tuple[tuple[str, str], ...]


class Scope:
    """The tasks that can be read together, and what is known of reading them together.

    Args:
        list_params: The parameters that the tasks have in common for their list.
        batch_params: Those for batches; None if the tasks cannot be read in batches.
        list_cost: What reading the list costs.
        most: How many tasks a batch has at most.

    Attributes:
        subjects: The tasks. Those that were looked at for a batch stand behind the others.
        batch_cost: What batches cost.
        is_being_read: Whether the list is being read.
        looked_at: When it was last considered how to read the tasks.
        way: How to read the tasks, as it was chosen then.
    """

    __slots__ = (
        "batch_cost",
        "batch_params",
        "is_being_read",
        "list_cost",
        "list_params",
        "looked_at",
        "subjects",
        "way",
    )

    def __init__(
        self,
        list_params: Mapping[str, str],
        batch_params: Mapping[str, str] | None,
        list_cost: ListCost,
        most: int,
    ) -> None:
        self.list_params = list_params
        self.batch_params = batch_params or {}
        self.subjects: dict[Subject, None] = {}
        self.list_cost = list_cost
        self.batch_cost = BatchCost(0 if batch_params is None else most)
        self.is_being_read = False
        self.looked_at = _NEVER
        self.way: Way = "single"

    def estimate_ripe(self, now: float) -> tuple[int, float]:
        """Return how many tasks are ripe, and the shortest of their intervals in seconds.

        For a large scope, both are estimated from its first tasks, so that no call blocks an event loop.
        """
        intervals = [subject.interval for subject in islice(self.subjects, _ESTIMATED_FROM) if subject.is_ripe(now)]
        share = max(len(self.subjects) / _ESTIMATED_FROM, 1.0)
        return round(share * len(intervals)), min(intervals, default=0.0)

    def ripe_together(self, first: Subject, id_param: str, most: int, now: float) -> dict[str, Subject]:
        """Return tasks for one batch, by their ids: a task that is due, and others that are ripe.

        Args:
            first: The task that is due.
            id_param: The parameter that takes the id.
            most: The largest number of tasks.
            now: Seconds on the clock of the watches.
        """
        found = {str(first.parameters[id_param]): first}
        for subject in tuple(islice(self.subjects, _LOOKED_AT_PER_TASK * most)):
            if len(found) == most:
                break
            del self.subjects[subject]
            self.subjects[subject] = None
            if subject.is_ripe(now):
                found.setdefault(str(subject.parameters[id_param]), subject)
        return found


class FeedScope:
    """The tasks whose ends one feed shows.

    Args:
        params: The parameters that the tasks have in common for their feed.

    Attributes:
        subjects: The tasks.
        is_healthy: Whether the feed is read, and tells of ends in time.
    """

    __slots__ = ("is_healthy", "params", "subjects")

    def __init__(self, params: Mapping[str, str]) -> None:
        self.params = params
        self.subjects: dict[Subject, None] = {}
        self.is_healthy = False


class Subject:
    """One task of the cloud, and the waits on it.

    Args:
        key: Identifies the task among those of the dispatcher.
        parameters: The parameters of the request that reads it.
        scope: Its scope.
        feed: The scope of its feed; None if there is none.
        now: Seconds on the clock of the watches.

    Attributes:
        watches: The waits on it, in the order of their beginning; one request serves them all.
        asked_at: When it was last asked for; before that, when the first wait began.
        due: When it is to be polled; None while a poll is under way, and without waits.
        interval: The shortest interval of its waits, in seconds.
        alone_until: Until when it is read alone: its list or its batch did not show it, or not enough of it.
        is_suspect: Whether its batch was refused, perhaps for its id. It is read alone until such a read is answered.
        throttles: The number of throttled polls in a row.
        tally: What the gate had counted at the last throttled poll.
        rung_at: When it rang; None if a poll has left since. See :meth:`Schedule.ring`.
        rereads: How often it is read again soon because it rang.
        fingerprint: The values of the changing fields in the last answer; None if the next one must be read in full.
        queued_at: The time of its entry in the queue of coming polls.
    """

    __slots__ = (
        "alone_until",
        "asked_at",
        "due",
        "feed",
        "fingerprint",
        "interval",
        "is_being_polled",
        "is_suspect",
        "key",
        "parameters",
        "queued_at",
        "rereads",
        "rung_at",
        "scope",
        "tally",
        "throttles",
        "watches",
    )

    def __init__(
        self, key: str, parameters: Mapping[str, Any], scope: Scope, feed: FeedScope | None, now: float
    ) -> None:
        self.key = key
        self.parameters = parameters
        self.scope = scope
        self.feed = feed
        self.watches: dict[Watch, None] = {}
        self.asked_at = now
        self.due: float | None = None
        self.interval = float("inf")
        self.is_being_polled = False
        self.is_suspect = False
        self.alone_until = _NEVER
        self.rung_at: float | None = None
        self.rereads = 0
        self.throttles = 0
        self.tally: Any = None
        self.fingerprint: tuple[Any, ...] | None = None
        self.queued_at: float | None = None

    def is_ripe(self, now: float) -> bool:
        """Whether at least half of its interval has passed, so that reading it now with others saves a later read."""
        return self.due is not None and 2 * now >= self.due + self.asked_at and not self.is_alone(now)

    def is_alone(self, now: float) -> bool:
        """Whether it is to be read by its id, and no other task with it."""
        return self.is_suspect or self.alone_until > now


class Schedule:
    """The tasks that are waited for, and the order in which they are polled.

    The task that has been due for the longest time comes first. If the rate is too low for all intervals, each task is
    polled equally often.

    Args:
        api: The API of the tasks.
        changed: Called when a poll may have become due earlier than :meth:`next_at` returned.
    """

    def __init__(self, api: TaskApi, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._api = api
        self._page_size = api.list_tasks.page_size if api.list_tasks else None
        self._most = api.read_many.most if api.read_many else 0
        self._subjects: dict[str, Subject] = {}
        self._feeds: dict[_Values, FeedScope] = {}
        self._by_id: dict[str, tuple[Subject, ...]] = {}
        self._slowed_by: list[Callable[[Subject], bool]] = []
        self._scopes: dict[tuple[_Values, _Values | None], Scope] = {}
        self._coming: DueQueue[Subject] = DueQueue(lambda subject, time: subject.queued_at == time)
        self._due: DueQueue[Subject] = DueQueue(lambda subject, time: subject.due == time)
        self._ends: DueQueue[Watch] = DueQueue(lambda watch, _: not watch.over)
        self.waits = 0

    def __len__(self) -> int:
        return len(self._subjects)

    def __iter__(self) -> Iterator[Subject]:
        return iter(list(self._subjects.values()))

    def add(
        self, parameters: Mapping[str, Any], watch: Watch, now: float, known: Mapping[str, Any] | None = None
    ) -> Subject:
        """Add a wait.

        Args:
            parameters: The parameters of the request that reads its task.
            watch: The wait.
            now: Seconds on the clock of the watch.
            known: What else is known of the task, by the names of ``api_params``.

        Returns:
            The task; one object for all waits on it.
        """
        key = repr(sorted((name, str(value)) for name, value in parameters.items()))
        subject = self._subjects.get(key)
        if subject is None:
            of_all = {**(known or {}), **parameters}
            scope, feed = self._scope(of_all), self._feed(of_all)
            subject = self._subjects[key] = Subject(key, parameters, scope, feed, now)
            scope.subjects[subject] = None
            if feed is not None:
                feed.subjects[subject] = None
            task_id = self.id_of(subject)
            self._by_id[task_id] = (*self._by_id.get(task_id, ()), subject)
            self._set_due(subject, watch.due)
        elif subject.due is not None and watch.due < subject.due:
            self._set_due(subject, watch.due)
        subject.watches[watch] = None
        subject.interval = min(subject.interval, watch.interval)
        # The new watch has had no full read yet: disable the unchanged-answer shortcut once.
        subject.fingerprint = None
        watch.subject = subject
        self.waits += 1
        if watch.ends_by < float("inf"):
            self._ends.push(watch.ends_by, watch)
        return subject

    def remove(self, watch: Watch) -> None:
        """Remove a wait; it may be over already, or never have been added."""
        watch.leave()
        subject: Subject | None = watch.subject
        if subject is not None and watch in subject.watches:
            del subject.watches[watch]
            self.waits -= 1
            self._forget_if_idle(subject)
        if len(self._ends) > 2 * self.waits + _MIN_COMPACTED:
            self._ends.compact()

    def next_at(self) -> float | None:
        """Return when the next task becomes due; None if no task will."""
        return self._coming.first_at()

    def advance(self, now: float, most: int) -> list[Subject]:
        """Move tasks that have become due into the queue of due tasks.

        Args:
            now: Seconds on the clock of the watches.
            most: The largest number of tasks to move.

        Returns:
            The tasks that were moved.
        """
        moved: list[Subject] = []
        for _ in range(most):
            first_at = self._coming.first_at()
            if first_at is None or first_at > now:
                break
            subject = self._coming.pop()
            subject.queued_at = None
            if subject.due is None:
                continue
            if subject.due > now:
                self._push_coming(subject)
            else:
                self._due.push(subject.due, subject)
                moved.append(subject)
        return moved

    def first_due(self) -> Subject | None:
        """Return the task that has been due for the longest time; None if no task is due."""
        if len(self._due) > 2 * len(self._subjects) + _MIN_COMPACTED:
            self._due.compact()
        return self._due.first()

    def begin(self, subject: Subject, now: float) -> float:
        """Note that a poll leaves: the task is not due until the answer comes.

        Returns:
            When it was due.
        """
        due = now if subject.due is None else subject.due
        subject.due = subject.rung_at = None
        subject.asked_at = now
        subject.is_being_polled = True
        return due

    def postpone(self, subject: Subject, due: float) -> None:
        """Postpone the poll of a task because a list may show it first.

        Args:
            subject: The task.
            due: When the task is polled if the list has not shown it.
        """
        if subject.due is not None:
            self._set_due(subject, due)

    def settle(self, subject: Subject, now: float, *, polled: bool = True) -> None:
        """Schedule the next poll of a task after its watches have taken an answer.

        Args:
            subject: The task.
            now: Seconds on the clock of the watches.
            polled: Whether it was the answer to a poll, and not a list.
        """
        if polled:
            subject.is_being_polled = False
            subject.throttles = 0
        for watch in [watch for watch in subject.watches if watch.over]:
            del subject.watches[watch]
            self.waits -= 1
        if subject.watches and not subject.is_being_polled:
            subject.interval = min(watch.interval for watch in subject.watches)
            if not polled:
                subject.asked_at = now
            self._set_due(subject, self._next_due(subject, now, polled))
        self._forget_if_idle(subject)

    def feeds(self) -> tuple[FeedScope, ...]:
        """Return the scopes of all feeds that show a task."""
        return tuple(self._feeds.values())

    def id_of(self, subject: Subject) -> str:
        """Return the id of a task, as :meth:`of_id` takes it."""
        return str(subject.parameters.get(self._api.id_param))

    def of_id(self, task_id: str) -> tuple[Subject, ...]:
        """Return the tasks with an id. Their other parameters differ.

        Args:
            task_id: The id.
        """
        return self._by_id.get(task_id, ())

    def ring(self, subject: Subject, now: float) -> bool:
        """Make a task due at once, because something tells that it has ended.

        That is no proof: the task is read. If it has not ended, it is read a few times more within seconds.

        Args:
            subject: The task, one of :meth:`of_id`.
            now: Seconds on the clock of the watches.

        Returns:
            Whether it rings now; False if it is ringing already, or nothing waits for it.
        """
        if not subject.watches or subject.rung_at is not None or subject.rereads:
            return False
        subject.rung_at, subject.rereads = now, len(READ_AGAIN)
        if not self._most:
            subject.alone_until = max(subject.alone_until, now + _RUNG_ALONE)
        if subject.due is not None and now < subject.due:
            self._set_due(subject, now)
        return True

    def slow_while(self, is_told: Callable[[Subject], bool]) -> None:
        """Poll tasks slowly whose end something else is expected to tell: every minute, or at their own interval.

        Args:
            is_told: Returns whether that is so for a task. When it changes to False, call :meth:`hasten`.
        """
        self._slowed_by.append(is_told)

    def hasten(self, subjects: Iterable[Subject]) -> None:
        """Poll tasks at their own interval again.

        Args:
            subjects: The tasks.
        """
        for subject in subjects:
            if subject.due is not None and subject.watches:
                due = min(watch.due for watch in subject.watches)
                if due < subject.due:
                    self._set_due(subject, due)

    def settle_throttled(
        self, subject: Subject, due: float, now: float, retry_after: float | None, *, alone: bool
    ) -> None:
        """Schedule the next poll of a task after a throttled one.

        The task keeps its turn once. Then it backs off, up to its interval.

        Args:
            subject: The task.
            due: When the throttled poll was due.
            now: Seconds on the clock of the watches.
            retry_after: Seconds that the service asks to wait.
            alone: Whether only this task was throttled; then the gate does not pause, and the task itself does.
        """
        subject.is_being_polled = False
        subject.throttles += 1
        delay = throttle_delay(subject.interval, subject.throttles)
        if alone:
            delay = max(delay, pause(retry_after))
        if subject.watches:
            self._set_due(subject, now + delay if delay else due)

    def settle_unread(self, subject: Subject, due: float) -> None:
        """Make a task due again that a batch was to read, but has told nothing of.

        Args:
            subject: The task.
            due: When it was due.
        """
        subject.is_being_polled = False
        if subject.watches:
            self._set_due(subject, due)

    def time_out(self, now: float, most: int) -> int:
        """End waits whose timeout has passed although their last poll has not been answered.

        Args:
            now: Seconds on the clock of the watches.
            most: The largest number of waits to end.

        Returns:
            How many have been ended.
        """
        for ended in range(most):
            first_at = self._ends.first_at()
            if first_at is None or first_at > now:
                return ended
            watch = self._ends.pop()
            watch.time_out()
            self.remove(watch)
        return most

    def drop_old_scopes(self, now: float) -> None:
        """Drop scopes that have had no task for some minutes."""
        old = [
            key
            for key, scope in self._scopes.items()
            if not scope.subjects and not scope.is_being_read and now - scope.looked_at > _SCOPE_KEPT
        ]
        for key in old:
            del self._scopes[key]

    def _next_due(self, subject: Subject, now: float, polled: bool) -> float:
        """Return when a task is due after an answer that has not ended all of its waits."""
        due = min(watch.due for watch in subject.watches)
        if subject.rung_at is not None:  # it rang while it was being read
            return min(due, subject.rung_at)
        if subject.rereads:
            delay = READ_AGAIN[-subject.rereads]
            subject.rereads -= polled
            return min(due, now + delay)
        if any(not isinstance(watch.last, CloudTask) for watch in subject.watches):
            return due  # not read yet, or failed
        if not any(is_told(subject) for is_told in self._slowed_by):
            return due
        slow = now + SLOW_SECONDS * random.uniform(0.9, 1.0)  # noqa: S311 - no secret
        return max(due, min(slow, *(watch.deadline for watch in subject.watches)))

    def _scope(self, known: Mapping[str, Any]) -> Scope:
        listed, together = self._api.list_params(known), self._api.together_params(known)
        key = (tuple(listed.items()), None if together is None else tuple(together.items()))
        scope = self._scopes.get(key)
        if scope is None:
            cost = ListCost(self._page_size, is_only_way=self._api.find_in_list)
            scope = self._scopes[key] = Scope(listed, together, cost, self._most)
        return scope

    def _feed(self, known: Mapping[str, Any]) -> FeedScope | None:
        if (params := self._api.feed_params(known)) is None:
            return None
        return self._feeds.setdefault(tuple(params.items()), FeedScope(params))

    def _set_due(self, subject: Subject, due: float) -> None:
        subject.due = due
        self._push_coming(subject)

    def _push_coming(self, subject: Subject) -> None:
        """Queue a task, unless it is queued for an earlier time: :meth:`advance` queues it again then."""
        due = subject.due
        if due is not None and (subject.queued_at is None or due < subject.queued_at):
            subject.queued_at = due
            self._coming.push(due, subject)
            self._changed()
            if len(self._coming) > 2 * len(self._subjects) + _MIN_COMPACTED:
                self._coming.compact()

    def _forget_if_idle(self, subject: Subject) -> None:
        if not subject.watches:
            subject.due = subject.queued_at = None
            subject.scope.subjects.pop(subject, None)
            if subject.feed is not None:
                subject.feed.subjects.pop(subject, None)
                if not subject.feed.subjects:
                    self._feeds.pop(tuple(subject.feed.params.items()), None)
            task_id = self.id_of(subject)
            if others := tuple(other for other in self._by_id.get(task_id, ()) if other is not subject):
                self._by_id[task_id] = others
            else:
                self._by_id.pop(task_id, None)
            # Another subject may have its key by now.
            if self._subjects.get(subject.key) is subject:
                del self._subjects[subject.key]
