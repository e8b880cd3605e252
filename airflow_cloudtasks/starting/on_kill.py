"""Cancel the cloud's task when the user kills the Airflow task that started it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from airflow_cloudtasks.catalog import find_api, stored_api
from airflow_cloudtasks.errors import CloudTasksError
from airflow_cloudtasks.spec import TaskApi
from airflow_cloudtasks.version_compat import IS_AIRFLOW_2

if TYPE_CHECKING:
    from airflow_cloudtasks.hooks.base import CloudTasksHook

_log = logging.getLogger(__name__)

# Airflow resumes the task from these states: after the event of a trigger, or with a retry because it took a worker for
# dead. So the user did not kill it. (The user may have cleared it; then its next run continues with the cloud's task.)
_RESUMED_STATES = frozenset({"deferred", "scheduled", "queued", "running", "up_for_retry"})

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

    Args:
        task_instance: The trigger's task instance.
    """
    # Imported here because parsing a DAG imports this module.
    from asgiref.sync import sync_to_async

    state = await sync_to_async(_state_from_database if IS_AIRFLOW_2 else _state_from_api_server)(task_instance)
    return state not in _RESUMED_STATES


def _state_from_api_server(task_instance: Any) -> str | None:
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    states = RuntimeTaskInstance.get_task_states(
        dag_id=task_instance.dag_id,
        task_ids=[task_instance.task_id],
        run_ids=[task_instance.run_id],
        map_index=task_instance.map_index,
    )
    of_run = states.get(task_instance.run_id, {})
    return next(iter(of_run.values()), None)


def _state_from_database(task_instance: Any) -> str | None:
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        state: str | None = (
            session.query(TaskInstance.state)
            .filter_by(
                dag_id=task_instance.dag_id,
                task_id=task_instance.task_id,
                run_id=task_instance.run_id,
                map_index=task_instance.map_index,
            )
            .scalar()
        )
    return state
