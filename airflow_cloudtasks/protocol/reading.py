"""Read one task: by its id, or in a list, page by page, if there is no other way. Pure: the caller sends requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.errors import CloudApiError, NotFound, TransientError
from airflow_cloudtasks.protocol.normalise import task_object
from airflow_cloudtasks.protocol.pages import Pages
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.values import request_id

MOST_PAGES = 100
"""The pages that are read to find one task. With the usual page of 100 tasks, they hold ten thousand."""


class Reading:
    """The requests that read one task.

    Send ``request`` by the API's read action and pass the answer to :meth:`take`, until ``request`` is None.

    Args:
        api: The API.
        parameters: What :meth:`~airflow_cloudtasks.spec.TaskApi.parameters` returned.

    Attributes:
        request: The parameters of the next request; None once ``answer`` shows the task.
        answer: The last answer; empty before it.
    """

    __slots__ = ("_api", "_pages", "_parameters", "answer", "request")

    def __init__(self, api: TaskApi, parameters: Mapping[str, Any]) -> None:
        self._api, self._parameters = api, parameters
        self._pages: Pages | None = None
        if api.find_in_list and api.list_tasks is not None:
            self._pages = Pages(api.list_tasks, api.list_params(parameters), api.name)
        self.request: Mapping[str, Any] | None = parameters if self._pages is None else self._pages.next_page
        self.answer: dict[str, Any] = {}

    def take(self, answer: Any) -> None:
        """Read the answer to ``request``, and set the next request if the task is not in it.

        Args:
            answer: The answer without its envelope.

        Raises:
            NotFound: The list was read to its end, and it does not have the task.
            TransientError: The list ended early, e.g. because tasks were removed while it was read, so that it may have
                the task.
            CloudApiError: The first pages do not have the task, and there are too many to read all.
            MalformedAnswer: The answer has no list.
        """
        self.answer, self.request = answer, None
        if self._pages is None:
            return
        self._pages.take(answer)
        if task_object(self._api, answer, self._parameters) is not None:
            return
        if self._pages.next_page is None or self._pages.read == MOST_PAGES:
            raise self._unseen(self._pages)
        self.request = self._pages.next_page

    def _unseen(self, pages: Pages) -> CloudApiError:
        """Return why the pages did not show the task: only a list that was read wholly lacks it."""
        task = f"{self._api.id_param} {self._parameters[self._api.id_param]}"
        kind: type[CloudApiError]
        if pages.has_shown_all:
            kind, code, message = NotFound, "NotInList", f"the list does not have {task}"
        elif pages.next_page is None:
            kind, code = TransientError, "ListEndedEarly"
            message = (
                f"the list did not show {task}, but it ended before it had shown all tasks, so that it may have it"
            )
        else:
            kind, code = CloudApiError, "ListTooLong"
            message = f"the first {MOST_PAGES} pages of the list do not show {task}; more are not read"
        return kind(message, code=code, action=self._api.read.name, request_id=request_id(self.answer))
