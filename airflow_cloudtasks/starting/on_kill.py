"""Cancel the cloud's task when the user kills the Airflow task that started it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from airflow_cloudtasks.airflow_facts import Is, IsNot, Unknown, task_state
from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.spec import TaskApi

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook

_log = logging.getLogger(__name__)

# Airflow resumes the task from these states: after the event of a trigger, or with a retry because it took a worker for
# dead. So the user did not kill it, or has cleared it, and its next try continues with the cloud task.
# Not "restarting", on every Airflow: the user has cleared the task while a worker ran it. Airflow ends that worker, and
# its operator cancels the cloud task, too. The next try then starts another one.
_RESUMED_STATES = frozenset({"deferred", "scheduled", "queued", "running", "up_for_retry"})

# Seconds between the questions whether the user has killed the task.
_ASK_AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0)

# Seconds that Airflow allows a trigger's on_kill.
_MOST_SECONDS = 30.0


# Why a task is not canceled that a look-up found, although the vendor can cancel it.
FOUND_ONLY = (
    "it was only found by its parameters and may be another's. Cancel it in the vendor's console if it is yours."
)


class AsyncCanceler(Protocol):
    """What can send a cancel request from an event loop."""

    async def acancel(self, api: TaskApi, request: Mapping[str, Any]) -> None:
        """Send one cancel request."""


@dataclass(frozen=True, slots=True)
class OnKill:
    """The requests that cancel tasks. They are prepared at the start, because a kill leaves no time to read anything.

    Args:
        api: The API of the tasks.
        ids: Their ids.
        requests: The parameters of each request; empty if the tasks cannot be canceled.
        is_ours: Whether the Airflow task surely started the tasks. Otherwise there are no requests.
    """

    api: TaskApi
    ids: tuple[str, ...]
    requests: tuple[Mapping[str, Any], ...]
    is_ours: bool = True

    @classmethod
    def of(
        cls,
        hook: CloudTasksHook,
        api: TaskApi,
        ids: Sequence[str],
        known: Mapping[str, Any],
        *,
        is_ours: bool = True,
    ) -> Self:
        """Return the requests that cancel tasks.

        Args:
            hook: Calls the cloud, if a parameter has to be read.
            api: The API of the tasks.
            ids: Their ids.
            known: The parameters that identify them, and all other known parameters.
            is_ours: Whether the Airflow task surely started them.

        Raises:
            CloudApiError: A parameter could not be read.
            InvalidArguments: A parameter is not known.
        """
        requests = hook.cancel_requests(api, ids, known) if api.cancel and is_ours else ()
        return cls(api, tuple(ids), tuple(requests), is_ours)

    def as_dict(self) -> dict[str, Any]:
        """Return the requests as plain JSON types, for a trigger to store."""
        return {
            "api": stored_api(self.api),
            "ids": list(self.ids),
            "requests": [*map(dict, self.requests)],
            "is_ours": self.is_ours,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Rebuild the requests from the result of :meth:`as_dict`, also of an earlier version."""
        return cls(find_api(data["api"]), tuple(data["ids"]), tuple(data["requests"]), data.get("is_ours", True))

    def carry_out(self, hook: CloudTasksHook) -> bool:
        """Cancel the tasks. Log errors, because no caller can handle them.

        Args:
            hook: Calls the cloud.

        Returns:
            Whether all tasks have been canceled.
        """
        self._log_if_not_cancelable()
        canceled = bool(self.requests)
        for request in self.requests:
            try:
                hook.cancel(self.api, request)
                self._log_canceled()
            except CloudTasksError as error:
                self._log_failed(error)
                canceled = False
        return canceled

    async def carry_out_async(self, hook: AsyncCanceler) -> bool:
        """Cancel the tasks, like :meth:`carry_out`, without blocking the event loop."""
        self._log_if_not_cancelable()
        canceled = bool(self.requests)
        for request in self.requests:
            try:
                await hook.acancel(self.api, request)
                self._log_canceled()
            except CloudTasksError as error:
                self._log_failed(error)
                canceled = False
        return canceled

    @property
    def _label(self) -> str:
        return f"{self.api.name} {', '.join(self.ids)}"

    def _log_if_not_cancelable(self) -> None:
        if not self.is_ours:
            _log.warning("%s goes on: %s", self._label, FOUND_ONLY)
        elif not self.requests:
            product = self.api.service.product
            _log.warning("%s goes on: %s has no action that cancels such a task.", self._label, product)

    def _log_canceled(self) -> None:
        _log.info("Canceled %s at the cloud.", self._label)

    def _log_failed(self, error: CloudTasksError) -> None:
        if len(self.ids) == 1:
            _log.error("%s could not be canceled, and may go on: %s", self._label, error)
        else:
            _log.error("Not all of %s could be canceled, and the rest may go on: %s", self._label, error)


async def wait_until_done(work: asyncio.Future[bool]) -> None:
    """Wait until the work on a kill is done, at most 30 seconds. Airflow cancels a killed trigger every second.

    Args:
        work: The work.
    """
    deadline = time.monotonic() + _MOST_SECONDS
    while not work.done():
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled() or time.monotonic() > deadline:
                raise


async def was_killed(task_instance: Any, *, assumed: bool) -> bool:
    """Return whether the user has ended the Airflow task, so that no try of it goes on with the cloud task.

    Airflow cancels a trigger also if the user has only cleared the task. Airflow before 3.3 cancels it for other
    reasons too. While the task is cleared, or Airflow cannot tell, ask again for 15 seconds: the scheduler may start
    the next try, which then waits for the same cloud task. A task that is still cleared after 15 seconds counts as
    killed: its DAG may be paused, so that no try goes on for a long time.

    Args:
        task_instance: The trigger's task instance; None outside of a triggerer.
        assumed: What to return if Airflow cannot tell.
    """
    if task_instance is None:
        return assumed
    fact = await task_state(task_instance)
    for seconds in _ASK_AGAIN_AFTER:
        if not isinstance(fact, Unknown) and fact != Is(None):
            break
        await asyncio.sleep(seconds)
        fact = await task_state(task_instance)
    match fact:
        case Is(state):
            return state not in _RESUMED_STATES
        case IsNot():  # The user has deleted the task's run.
            return True
        case Unknown(why):
            goes_on = "is canceled" if assumed else "goes on"
            _log.error("Airflow did not tell whether the user killed the task (%s): its cloud task %s.", why, goes_on)
            return assumed
