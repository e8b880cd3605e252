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
# dead. So the user did not kill it. (The user may have cleared it; then its next run continues with the cloud's task.)
_RESUMED_STATES = frozenset({"deferred", "scheduled", "queued", "running", "up_for_retry"})

# Seconds between the questions whether the user has killed the task, while Airflow cannot tell.
_ASK_AGAIN_AFTER = (1.0, 2.0, 4.0, 8.0)

# Seconds that Airflow allows a trigger's on_kill.
_MOST_SECONDS = 30.0


class AsyncCanceler(Protocol):
    """What can send a cancel request from an event loop."""

    async def acancel(self, api: TaskApi, request: Mapping[str, Any]) -> None:
        """Send one cancel request."""


@dataclass(frozen=True, slots=True)
class OnKill:
    """The requests that cancel tasks, made when the tasks were started: a kill leaves no time to find things out.

    Args:
        api: The API of the tasks.
        ids: Their ids.
        requests: The parameters of the requests; none where the vendor has no action that cancels such a task.
    """

    api: TaskApi
    ids: tuple[str, ...]
    requests: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, hook: CloudTasksHook, api: TaskApi, ids: Sequence[str], known: Mapping[str, Any]) -> Self:
        """Make them.

        Args:
            hook: What calls the cloud, should something have to be read for it.
            api: The API of the tasks.
            ids: Their ids.
            known: What names them besides, and what they were started with.
        """
        return cls(api, tuple(ids), tuple(hook.cancel_requests(api, ids, known)) if api.cancel else ())

    def as_dict(self) -> dict[str, Any]:
        """Give it as plain JSON types, for a trigger to store."""
        return {"api": stored_api(self.api), "ids": list(self.ids), "requests": [*map(dict, self.requests)]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make it again of what :meth:`as_dict` gave."""
        return cls(find_api(data["api"]), tuple(data["ids"]), tuple(data["requests"]))

    def carry_out(self, hook: CloudTasksHook) -> bool:
        """Cancel the tasks; what goes wrong is logged, since nobody is there to catch it.

        Args:
            hook: What calls the cloud.

        Returns:
            Whether all of them have been canceled.
        """
        self._tell_what_cannot_be_canceled()
        canceled = bool(self.requests)
        for request in self.requests:
            try:
                hook.cancel(self.api, request)
                self._tell_canceled()
            except CloudTasksError as error:
                self._tell_failed(error)
                canceled = False
        return canceled

    async def carry_out_async(self, hook: AsyncCanceler) -> None:
        """Cancel the tasks, as :meth:`carry_out`, without blocking the event loop."""
        self._tell_what_cannot_be_canceled()
        for request in self.requests:
            try:
                await hook.acancel(self.api, request)
                self._tell_canceled()
            except CloudTasksError as error:
                self._tell_failed(error)

    @property
    def _told(self) -> str:
        return f"{self.api.name} {', '.join(self.ids)}"

    def _tell_what_cannot_be_canceled(self) -> None:
        if not self.requests:
            product = self.api.service.product
            _log.warning("%s goes on: %s has no action that cancels such a task.", self._told, product)

    def _tell_canceled(self) -> None:
        _log.info("Canceled %s at the cloud.", self._told)

    def _tell_failed(self, error: CloudTasksError) -> None:
        _log.error("%s could not be canceled, and may go on: %s", self._told, error)


async def wait_until_done(work: asyncio.Future[None]) -> None:
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


async def was_killed(task_instance: Any) -> bool:
    """Return whether the user has ended the Airflow task. Older Airflow cancels a trigger for other reasons too.

    If Airflow cannot tell, ask again for a while, and then return False: the cloud task of a wait that goes on in
    another triggerer must not be canceled.

    Args:
        task_instance: The trigger's task instance.
    """
    for seconds in (*_ASK_AGAIN_AFTER, None):
        match await task_state(task_instance):
            case Is(state):
                return state not in _RESUMED_STATES
            case IsNot():  # The user has deleted the task's run.
                return True
            case Unknown(why):
                if seconds is not None:
                    await asyncio.sleep(seconds)
    _log.error("Airflow did not tell whether the user has killed the task (%s): its cloud task goes on.", why)
    return False
