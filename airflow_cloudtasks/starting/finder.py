"""Find the task of a start request without an answer: by the id that it gave the task, or in the vendor's list."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_cloudtasks.errors import NotFound
from airflow_cloudtasks.protocol.normalise import decoded
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.protocol.start_requests import (
    created_at,
    earliest_creation,
    expected_fields,
    identifying_params,
    is_candidate,
    may_predate_request,
    named_id,
    shows_mark,
    with_mark,
)
from airflow_cloudtasks.values import at, iso_utc, text

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook
    from airflow_cloudtasks.spec import Find, Start, TaskApi
    from airflow_cloudtasks.starting.attempt import Attempt

# A list may show a new task late. Read it this often, with this many seconds in between.
_LOOKS = 3
_SECONDS_BETWEEN_LOOKS = 3.0
_MOST_PAGES = 50


class Ambiguous(Exception):
    """The list does not determine whether the request started a task, or which one; the text says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """A task that a look-up found.

    Args:
        id: The task's id.
        has_mark: Whether the task shows the token of the start. Otherwise it only has the same parameters.
    """

    id: str
    has_mark: bool


class Finder:
    """Finds tasks by their start requests.

    Args:
        hook: Calls the cloud.
        api: The API that reads the task.
        start: The action that starts it.
        parameters: Its parameters, by the vendor's names.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        hook: CloudTasksHook,
        api: TaskApi,
        start: Start,
        parameters: Mapping[str, Any],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._hook, self._api, self._start, self._parameters = hook, api, start, parameters
        self._sleep = sleep

    def find(self, attempt: Attempt) -> Found | None:
        """Look for the task of a request without an answer.

        Args:
            attempt: The start.

        Returns:
            The task; None if the vendor does not know its id, the list shows none, or the vendor has no list.

        Raises:
            Ambiguous: Several tasks match, or one that may be another request's.
            CloudApiError: The list could not be read.
        """
        if self._start.named_by is not None:
            return self._named(attempt)
        if (find := self._start.find) is None:
            return None
        for look in range(_LOOKS):
            self._sleep(_SECONDS_BETWEEN_LOOKS if look else 0)
            found = self._listed(find, attempt)
            ids = ", ".join(found)
            if len(found) > 1:
                raise Ambiguous(
                    f"The request got no answer, and it may have started any of {ids}: all of them have the same "
                    "parameters and were created since."
                )
            if any(may_predate_request(created, attempt.sent_at) for created in found.values()):
                raise Ambiguous(
                    f"The request got no answer, and it may have started {ids}: it has the same parameters, but was "
                    "there before, if the clocks of this machine and of the vendor agree."
                )
            if found:
                return Found(ids, has_mark=shows_mark(self._start, self._parameters, attempt.token))
        return None

    def _named(self, attempt: Attempt) -> Found | None:
        """Return the task that the request has named; None if the vendor does not know it."""
        parameters = with_mark(self._start, self._parameters, attempt.token)
        task_id = named_id(self._api, self._start, parameters)
        known = identifying_params(self._api, self._start, parameters)
        for look in range(_LOOKS):
            self._sleep(_SECONDS_BETWEEN_LOOKS if look else 0)
            with suppress(NotFound):
                self._hook.read_task(self._api, task_id, known)
                return Found(task_id, has_mark=shows_mark(self._start, self._parameters, attempt.token))
        return None

    def _listed(self, find: Find, attempt: Attempt) -> dict[str, datetime | None]:
        """Return the tasks that the request may have started, with their creation times."""
        parameters = with_mark(self._start, self._parameters, attempt.token)
        since = earliest_creation(attempt.sent_at)
        scope = {name: str(parameters[name]) for name in find.tasks.action.params}
        known = identifying_params(self._api, self._start, parameters)
        scope |= {name: value for name, value in known.items() if name in find.tasks.action.optional}
        expected = expected_fields(self._api, self._start, parameters)
        pages = Pages(find.tasks, scope, self._api.name, iso_utc(since))
        found: dict[str, datetime | None] = {}
        while pages.next_page is not None:
            if pages.read == _MOST_PAGES:
                raise Ambiguous(f"The request got no answer, and {find.tasks.action.name} lists too much.")
            listed = pages.take(self._hook.call(self._api.service, find.tasks.action, pages.next_page))
            page = [decoded(self._api, task) for task in listed]
            times = [created_at(self._api, self._start, task) for task in page]
            for task, created in zip(page, times, strict=True):
                task_id = text(at(task, find.id))
                if task_id and is_candidate(self._start, expected, task, created, since):
                    found[task_id] = created
            if find.newest_first and any(created is not None and created < since for created in times):
                break
        return found
